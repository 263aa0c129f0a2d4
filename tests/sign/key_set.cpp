// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/jws.hpp>
#include <weir/sign/key_set.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace weir;

std::string oct(std::string_view more, char fill = 'A')
{
    return R"({"kty":"oct","alg":"HS256","k":")" + std::string(44, fill) + "\"" + std::string(more) + "}";
}
std::string set_of(std::string const& keys)
{
    return "{\"keys\":[" + keys + "]}";
}
secret<> some_secret()
{
    return secret<>(test::long_secret);
}

static_assert(jws_keys<key_set<>> && jws_keys<key_set<confined>>);

} // namespace

TEST_CASE("key_set: a token's key is found by its name, and none is guessed")
{
    key_set const keys(set_of(oct(R"(,"kid":"a")") + "," + oct(R"(,"kid":"b")", 'B')), {.algorithms = {jws_algorithm::hs256}});
    CHECK(keys.size() == 2);
    REQUIRE(keys.find("a") != nullptr);
    CHECK(keys.find("a")->kid() == "a");
    CHECK(keys.find("b")->kid() == "b");
    CHECK(keys.find("c") == nullptr);
    CHECK(keys.find("") == nullptr);
    CHECK(keys.find({}) == nullptr);
    key_set const one(set_of(oct(R"(,"kid":"a")")), {.algorithms = {jws_algorithm::hs256}});
    CHECK(one.find({}) != nullptr);
    CHECK(one.find("b") == nullptr);
    key_set const unnamed(set_of(oct("")), {.algorithms = {jws_algorithm::hs256}});
    CHECK(unnamed.find({}) != nullptr);
    CHECK(unnamed.find("a") == nullptr);
    CHECK(unnamed.find("") == nullptr);
    CHECK(key_set("{\"keys\":[]}", {.algorithms = {jws_algorithm::hs256}}).find({}) == nullptr);
}

TEST_CASE("key_set: two keys of one name are none, nor is one without a name beside others")
{
    key_set const twice(set_of(oct(R"(,"kid":"a")") + "," + oct(R"(,"kid":"a")", 'B') + "," + oct(R"(,"kid":"c")")),
                        {.algorithms = {jws_algorithm::hs256}});
    CHECK(twice.size() == 1);
    CHECK(twice.find("a") == nullptr);
    CHECK(twice.find("c") != nullptr);
    REQUIRE(twice.left_out().size() == 2);
    CHECK(twice.left_out()[0] == "a key: expected a \"kid\" of its own, not \"a\" of another key");
    key_set const unnamed(set_of(oct("") + "," + oct(R"(,"kid":"a")")), {.algorithms = {jws_algorithm::hs256}});
    CHECK(unnamed.find("a") != nullptr);
    CHECK(unnamed.left_out().front() == "a key: expected a name, \"kid\", for it is not the only key");
}

TEST_CASE("key_set: keys that cannot be used are left out, with a sentence each that shows none of their bytes")
{
    std::string const text = set_of(oct(R"(,"kid":"a")") + "," + oct(R"(,"kid":"b","use":"enc")") +
                                    R"(,{"kty":"RSA","kid":"c"},7,{"kty":"new"},)" + oct(R"(,"kid":"\n")"));
    key_set const keys(text, {.algorithms = {jws_algorithm::hs256}});
    CHECK(keys.size() == 1);
    auto const why = keys.left_out();
    REQUIRE(why.size() == 5);
    CHECK(why[0] == R"(key 2, "b": key: expected a JWK for signatures: "use" is "sig", or is not there)");
    CHECK(why[1] == R"(key 3, "c": key: expected a JWK of an allowed algorithm: "kty", "crv" and "alg" agree with one)");
    CHECK(why[2] == "key 4: key: expected a JWK: a JSON object");
    for (auto const& each : why) CHECK(each.find("AAAA") == each.npos);
}

TEST_CASE("key_set: what is no set is refused with a sentence, and the present keys stay")
{
    auto const refusal = [](std::string const& text, key_set_options o) -> std::string {
        try {
            key_set const made(text, std::move(o));
        } catch (std::invalid_argument const& e) {
            return e.what();
        }
        return "taken";
    };
    CHECK(refusal("", {.algorithms = {jws_algorithm::hs256}}) == "key: expected a JSON text without duplicate members");
    CHECK(refusal("[]", {.algorithms = {jws_algorithm::hs256}}) == "key_set: expected a JWK Set: a JSON object with the list \"keys\"");
    CHECK(refusal(R"({"keys":{}})", {.algorithms = {jws_algorithm::hs256}}) ==
          "key_set: expected a JWK Set: a JSON object with the list \"keys\"");
    CHECK(refusal(set_of(oct("") + "," + oct("")), {.algorithms = {jws_algorithm::hs256}, .max_keys = 1}) ==
          "key_set: expected at most 1 keys");
    CHECK(refusal(set_of(oct("")), {.algorithms = {jws_algorithm::hs256}, .max_bytes = 20}) ==
          "key_set: expected a text of at most 20 bytes");
    CHECK(refusal(set_of(""), {}) == "key_set.algorithms: expected one at least");
    CHECK(refusal(set_of(""), {.algorithms = {jws_algorithm::hs256}, .max_keys = 0}) == "key_set.max_keys: expected 1 to 1000");
    key_set keys(set_of(oct(R"(,"kid":"a")")), {.algorithms = {jws_algorithm::hs256}});
    auto const version = keys.version();
    CHECK_THROWS_AS(keys.replace("{}"), std::invalid_argument);
    CHECK(keys.find("a") != nullptr);
    CHECK(keys.version() == version);
}

TEST_CASE("key_set: keys made in code stand by name, whatever their algorithm")
{
    key_set<> const keys{hs256{some_secret(), "a"}, es256{test::ec_pair("P-256").public_pem(), "b"}};
    CHECK(keys.find("b")->algorithm() == jws_algorithm::es256);
    auto const token = sign_jws(es256_signer{test::ec_pair("P-256").private_pem(), "b"}, "payload");
    CHECK(open_jws(keys, token).payload == "payload");
    CHECK(open_jws(keys, sign_jws(hs256_signer{some_secret(), "b"}, "payload")).fault == token_fault::wrong_algorithm);
    CHECK(open_jws(keys, sign_jws(hs256_signer{some_secret()}, "payload")).fault == token_fault::unknown_key);
    CHECK_THROWS_AS((key_set<>{hs256{some_secret(), "a"}, hs384{some_secret(), "a"}}), std::invalid_argument);
    CHECK_THROWS_AS((key_set<>{hs256{some_secret()}, hs384{some_secret(), "a"}}), std::invalid_argument);
}

TEST_CASE("key_set: the keys of another set take the place of those that were read, and a text theirs again")
{
    key_set<> keys(set_of(oct(R"(,"kid":"a")")), {.algorithms = {jws_algorithm::hs256}});
    key_set<> const made{es256{test::ec_pair("P-256").public_pem(), "b"}};
    auto const before = keys.version();
    keys.replace(made);
    CHECK(keys.version() != before);
    CHECK(keys.find("a") == nullptr);
    CHECK(keys.find("b") == made.find("b")); // the same key, no copy
    keys.replace(keys);
    CHECK(keys.size() == 1);
    keys.replace(set_of(oct(R"(,"kid":"a")")));
    CHECK(keys.find("a") != nullptr);
    CHECK(keys.find("b") == nullptr);
}

TEST_CASE("key_set: keys are replaced while others use them, and those in use live on")
{
    std::string const first = set_of(oct(R"(,"kid":"a")")), second = set_of(oct(R"(,"kid":"a")") + "," + oct(R"(,"kid":"b")", 'B'));
    key_set keys(first, {.algorithms = {jws_algorithm::hs256}});
    std::atomic<bool> end{false};
    std::atomic<int> missing{0};
    std::thread reader([&] {
        while (!end) missing += keys.find("a") == nullptr || keys.find("a")->verify("m", "s");
    });
    auto const held = keys.find("a");
    for (int i = 0; i < 200; ++i) keys.replace(i % 2 == 0 ? second : first);
    end = true;
    reader.join();
    CHECK(missing == 0);
    CHECK(keys.version() == 200);
    CHECK(held->kid() == "a");
}
