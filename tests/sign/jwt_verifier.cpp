// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/jwt_verifier.hpp>
#include <weir/sign/key_set.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace weir;
using namespace std::chrono_literals;
using enum token_fault;

constexpr wall_time now{1'900'000'000s};

secret<> some_secret()
{
    return secret<>(test::long_secret);
}
std::string token_of(std::string_view said, std::string type = "JWT")
{
    return sign_jws(hs256_signer{some_secret()}, said, {.type = std::move(type)});
}
/// The members of a good token, with others in their place or beside them.
std::string good(std::string_view more = "")
{
    return R"({"iss":"bank","aud":"quotes","sub":"bob","exp":1900000600)" + std::string(more) + "}";
}

struct fixture {
    hs256 keys{some_secret()};
    jwt_verifier<hs256> verifier;
    explicit fixture(jwt_options const& o = {.issuer = "bank", .audience = "quotes", .leeway = 0s}) : verifier(o) {}

    jwt_verdict verify(std::string_view token, wall_time at = now) { return verifier.verify(token, keys, at); }
    /// Of claims: the fault, and the claim.
    std::string of(std::string_view said, wall_time at = now)
    {
        auto const v = verify(token_of(said), at);
        return std::string(to_string(v.fault)) + (v.claim.empty() ? "" : " ") + std::string(v.claim);
    }
};

} // namespace

TEST_CASE("jwt_verifier: a good token says who it is for and what it says")
{
    fixture f;
    std::string const token = token_of(good(R"(,"roles":["teller"],"device":"d-1")"));
    auto const v = f.verify(token);
    REQUIRE(v);
    CHECK(v.principal == "bob");
    CHECK(v.said->lists("roles", "teller"));
    CHECK(v.said->text("device") == "d-1");
    CHECK(v.said->time("exp") == wall_time(1'900'000'600s));
    CHECK(!v.remembered);
    auto const again = f.verify(token);
    CHECK(again.remembered);
    CHECK(again.principal == "bob");
    CHECK(again.said.operator->() == v.said.operator->());
}

TEST_CASE("jwt_verifier: times are judged with the leeway, to the millisecond")
{
    fixture strict, lenient({.issuer = "bank", .audience = "quotes", .leeway = 60s});
    auto const exp = [](std::string_view t) { return R"({"iss":"bank","aud":"quotes","sub":"bob","exp":)" + std::string(t) + "}"; };
    CHECK(strict.of(exp("1900000001")) == "none");
    CHECK(strict.of(exp("1900000000")) == "expired exp");
    CHECK(strict.of(exp("1900000000.001")) == "none");
    CHECK(strict.of(exp("-1")) == "expired exp");
    CHECK(strict.of(exp("9007199254740991")) == "none");
    CHECK(lenient.of(exp("1899999941")) == "none");
    CHECK(lenient.of(exp("1899999940")) == "expired exp");
    CHECK(strict.of(good(R"(,"nbf":1900000000)")) == "none");
    CHECK(strict.of(good(R"(,"nbf":1900000001)")) == "early nbf");
    CHECK(strict.of(good(R"(,"nbf":-5)")) == "none");
    CHECK(lenient.of(good(R"(,"nbf":1900000060)")) == "none");
    CHECK(lenient.of(good(R"(,"nbf":1900000061)")) == "early nbf");
    CHECK(strict.of(good(R"(,"iat":1900009999)")) == "none"); // RFC 7519 gives no rule; max_age does
}

TEST_CASE("jwt_verifier: where an age is asked for, iat has to be there, not long ago and not to come")
{
    fixture f({.issuer = "bank", .audience = "quotes", .leeway = 5s, .max_age = 100s});
    CHECK(f.of(good()) == "missing_claim iat");
    CHECK(f.of(good(R"(,"iat":1900000000)")) == "none");
    CHECK(f.of(good(R"(,"iat":1899999896)")) == "none");
    CHECK(f.of(good(R"(,"iat":1899999895)")) == "too_old iat");
    CHECK(f.of(good(R"(,"iat":1900000005)")) == "none");
    CHECK(f.of(good(R"(,"iat":1900000006)")) == "too_old iat");
    // A verdict that is remembered grows old, too.
    std::string const token = token_of(good(R"(,"iat":1900000000)"));
    CHECK(f.verify(token, now).fault == none);
    CHECK(f.verify(token, now + 104s).remembered);
    CHECK(f.verify(token, now + 105s).fault == too_old);
}

TEST_CASE("jwt_verifier: iss and aud are exactly the expected ones, and claims have the types of RFC 7519")
{
    fixture f;
    CHECK(f.of(R"({"iss":"bank","aud":["other","quotes"],"sub":"bob","exp":1900000600})") == "none");
    CHECK(f.of(R"({"iss":"Bank","aud":"quotes","sub":"bob","exp":1900000600})") == "issuer iss");
    CHECK(f.of(R"({"iss":"bank/","aud":"quotes","sub":"bob","exp":1900000600})") == "issuer iss");
    CHECK(f.of(R"({"iss":"bank","aud":"quote","sub":"bob","exp":1900000600})") == "audience aud");
    CHECK(f.of(R"({"iss":"bank","aud":[],"sub":"bob","exp":1900000600})") == "audience aud");
    CHECK(f.of(R"({"iss":"bank","aud":["quotes x"],"sub":"bob","exp":1900000600})") == "audience aud");
    CHECK(f.of(R"({"aud":"quotes","sub":"bob","exp":1900000600})") == "missing_claim iss");
    CHECK(f.of(R"({"iss":"bank","sub":"bob","exp":1900000600})") == "missing_claim aud");
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","exp":1900000600})") == "missing_claim sub");
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","sub":"","exp":1900000600})") == "missing_claim sub");
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","sub":"bob"})") == "missing_claim exp");
    for (char const* name : {"iss", "sub", "jti"})
        for (char const* bad : {"1", "null", "[\"bank\"]", "{}", "true"}) {
            std::string said = R"({"iss":"bank","sub":"bob","jti":"1","aud":"quotes","exp":1900000600})";
            std::size_t const at = said.find(name) + 5;
            said.replace(at, said.find(',', at) - at, bad);
            CHECK(f.of(said) == std::string("claim_type ") + name);
        }
    for (char const* bad : {"1", "null", "{}", "[\"quotes\",1]", "[null]", "[[\"quotes\"]]", "true"})
        CHECK(f.of(std::string(R"({"iss":"bank","sub":"bob","exp":1900000600,"aud":)") + bad + "}") == "claim_type aud");
    for (char const* name : {"exp", "nbf", "iat"})
        for (char const* bad : {"\"1900000600\"", "null", "[1900000600]", "{}", "true", "9007199254740992", "-9007199254740992", "1e300"}) {
            std::string said = R"({"iss":"bank","sub":"bob","aud":"quotes","nbf":1,"iat":1,"exp":1900000600,"x":1})";
            std::size_t const at = said.find(name) + 5;
            said.replace(at, said.find(',', at) - at, bad);
            CHECK(f.of(said) == std::string("claim_type ") + name);
        }
}

TEST_CASE("jwt_verifier: claims are one strict object; a number that overflows spoils it")
{
    fixture f;
    for (std::string const& bad :
         {std::string(), std::string("[]"), std::string("\"x\""), std::string("null"), good() + "x", good() + good(),
          good(R"(,"exp":1900000700)"), good(R"(,"\u0065xp":1900000700)"), good(R"(,"x":9223372036854775808)"), good(R"(,"x":1e400)"),
          good(",\"x\":\"\xff\""), good(R"(,"x":"\ud800")"), good(",\"x\":" + std::string(17, '[') + std::string(17, ']')),
          good(R"(,"exp2":NaN)")})
        CHECK(f.of(bad) == "claims");
}

TEST_CASE("jwt_verifier: the type of a token is compared as a media type, if it is asked for")
{
    fixture f({.issuer = "bank", .audience = "quotes", .type = "at+jwt"});
    auto const of = [&](char const* type) { return f.verify(token_of(good(), type)).fault; };
    CHECK(of("at+jwt") == none);
    CHECK(of("AT+JWT") == none);
    CHECK(of("application/at+jwt") == none);
    CHECK(of("Application/at+jwt") == none);
    CHECK(of("JWT") == type);
    CHECK(of("") == type);
    CHECK(of("at+jwt ") == type);
    CHECK(of("application/") == type);
    CHECK(fixture().verify(token_of(good(), "")).fault == none);
}

TEST_CASE("jwt_verifier: what is required has to be there, and who it is may stand in another claim")
{
    fixture f({.issuer = "bank", .audience = "quotes", .require = {"jti", "device"}, .principal = "client_id"});
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","client_id":"app","jti":"1","device":{"id":7}})") == "none");
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","client_id":"app","jti":"1","device":null})") == "missing_claim device");
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","client_id":"app","device":1})") == "missing_claim jti");
    CHECK(f.of(R"({"iss":"bank","aud":"quotes","client_id":7,"jti":"1","device":1})") == "missing_claim client_id");
}

TEST_CASE("jwt_verifier: the form of a token, its length and its signature")
{
    fixture f({.issuer = "bank", .audience = "quotes", .max_bytes = 300});
    CHECK(f.verify("").fault == missing);
    CHECK(f.verify(std::string(301, 'a')).fault == too_long);
    CHECK(f.verify("a.b").fault == malformed);
    CHECK(f.verify(sign_jws(hs256_signer{secret<>(std::string(32, 'x'))}, good())).fault == wrong_signature);
    CHECK(f.verify(sign_jws(hs384_signer{some_secret()}, good())).fault == wrong_algorithm);
    CHECK(f.verify(sign_jws(hs256_signer{some_secret()}, "abc", {.encoded = false})).fault == critical); // RFC 7797 section 7
}

TEST_CASE("jwt_verifier: a token that was seen before is judged by the clock again, and forgotten when it is over")
{
    fixture f;
    std::string const token = token_of(good(R"(,"nbf":1899999990)"));
    CHECK(f.verify(token, now).fault == none);
    CHECK(f.verify(token, now + 599s).remembered);
    CHECK(f.verify(token, now + 600s).fault == expired);
    CHECK(f.verify(token, now - 11s).fault == early); // a clock that goes back
    CHECK(f.verify(token, now).remembered);
}

TEST_CASE("jwt_verifier: one that differs in a bit is not the one that was seen, whatever was seen")
{
    fixture f;
    std::string const token = token_of(good());
    REQUIRE(f.verify(token));
    std::size_t passed = 0;
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
        std::string changed = token;
        changed[bit / 8] ^= static_cast<char>(1 << bit % 8);
        passed += bool(f.verify(changed));
    }
    CHECK(passed == 0);
    CHECK(f.verify(token).remembered);
}

TEST_CASE("jwt_verifier: what is remembered is bounded, and nothing is if it is told so")
{
    fixture few({.issuer = "bank", .audience = "quotes", .remembered = 8}), off({.issuer = "bank", .audience = "quotes", .remembered = 0});
    std::vector<std::string> tokens;
    for (int i = 0; i < 100; ++i) tokens.push_back(token_of(good(",\"jti\":\"" + std::to_string(i) + "\"")));
    int known = 0;
    for (auto const& t : tokens) CHECK(few.verify(t).fault == none);
    for (auto const& t : tokens) known += few.verify(t).remembered;
    CHECK(known <= 8);
    CHECK(few.verify(tokens.back()).remembered);
    CHECK(off.verify(tokens[0]));
    CHECK(!off.verify(tokens[0]).remembered);
}

TEST_CASE("jwt_verifier: replaced keys count at once, also for tokens that were seen")
{
    auto const set_of = [](std::string_view kid) {
        return R"({"keys":[{"kty":"oct","alg":"HS256","kid":")" + std::string(kid) + R"(","k":")" + to_base64url(test::long_secret) +
               "\"}]}";
    };
    key_set keys(set_of("a"), {.algorithms = {jws_algorithm::hs256}});
    jwt_verifier<key_set<>> verifier({.issuer = "bank", .audience = "quotes"});
    std::string const token = sign_jws(hs256_signer{some_secret(), "a"}, good());
    CHECK(verifier.verify(token, keys, now));
    CHECK(verifier.verify(token, keys, now).remembered);
    keys.replace(set_of("b"));
    CHECK(verifier.verify(token, keys, now).fault == unknown_key);
    keys.replace(set_of("a"));
    CHECK(!verifier.verify(token, keys, now).remembered);
    CHECK(verifier.verify(token, keys, now).remembered);
}

TEST_CASE("jwt_verifier: many threads verify at once")
{
    fixture f({.issuer = "bank", .audience = "quotes", .remembered = 16});
    std::vector<std::string> tokens;
    for (int i = 0; i < 40; ++i)
        tokens.push_back(token_of(R"({"iss":"bank","aud":"quotes","sub":"u)" + std::to_string(i) + R"(","exp":1900000600})"));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::mt19937 random(t);
            for (int i = 0; i < 500; ++i) {
                std::size_t const which = random() % tokens.size();
                auto const v = f.verify(tokens[which]);
                wrong += !v || v.principal != "u" + std::to_string(which) || v.said->subject() != v.principal;
            }
        });
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
}

TEST_CASE("jwt_verifier: it is reconfigured while many threads verify; each verdict is that of one set of options")
{
    jwt_options const easy{.issuer = "bank", .audience = "quotes", .remembered = 16},
        strict{.issuer = "bank", .audience = "quotes", .require = {"a claim that is not there"}, .remembered = 16};
    fixture f(easy);
    std::string const token = token_of(R"({"iss":"bank","aud":"quotes","sub":"u","exp":1900000600})");
    std::atomic<int> wrong{0}, done{0};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 300; ++i) {
                auto const v = f.verify(token);
                bool const good = v ? v.principal == "u" : v.fault == missing_claim && v.claim == strict.require.front();
                wrong += !good;
            }
            ++done;
        });
    for (bool now_strict = true; done < 3; now_strict = !now_strict) f.verifier.reconfigure(now_strict ? strict : easy);
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
    f.verifier.reconfigure(strict);
    CHECK(f.verify(token).fault == missing_claim);
    f.verifier.reconfigure(easy);
    CHECK(f.verify(token));
    CHECK(f.verify(token).remembered);
}
