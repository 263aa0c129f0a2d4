// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/sealed_field.hpp>

#include "keys.hpp"
#include "request.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using weir::jwe_key;
using weir::opened_field;

struct login {
    std::string user{};
    std::string password{};
    std::optional<std::string> pin{};
};
struct lines {
    std::vector<std::string> fields;
    [[maybe_unused]] friend std::optional<std::string_view> weir_header(lines const& r, std::string_view) { return r.fields.at(0); }
    friend void weir_each_header(lines const& r, std::string_view, auto&& f)
    {
        for (std::string const& each : r.fields) f(std::string_view(each));
    }
};

jwe_key ec_key(std::string kid = "a")
{
    return jwe_key(test::ec_pair("P-256").private_pem(), std::move(kid));
}
std::string seal(std::string const& jwk, std::string_view text)
{
    return seal_jwe(weir::read_jwe_recipient(jwk), text);
}
struct opened {
    std::string operator()(auto const&, weir::view<opened_field<"password">> facts) const
    {
        return facts.get<opened_field<"password">>()->reveal();
    }
};

} // namespace

TEST_CASE("sealed_field: a password comes sealed, and the handler alone sees it")
{
    weir::pipeline svc{weir::sealed_field<"password">(ec_key(), weir::keyed_by(&login::password)), opened{}};
    auto& field = svc.get<weir::field_opener<"password", jwe_key, decltype(weir::keyed_by(&login::password))>>();
    login r{.user = "bob", .password = seal(field.keys().public_jwk(), "open sesame")};
    CHECK(svc(r).value() == "open sesame");
    CHECK(svc(r).value() == "open sesame"); // what is sent again is opened again
    CHECK(r.password.find("sesame") == std::string::npos);
    CHECK(field.stats().opened == 2);
    CHECK(describe(svc).text().find("password") != std::string::npos);
    CHECK(field.settings().max_plain_bytes == 256);
}

TEST_CASE("sealed_field: whatever is wrong is told alike")
{
    weir::pipeline svc{
        weir::sealed_field<"password">(ec_key(), weir::keyed_by(&login::password), {.max_bytes = 1'000, .max_plain_bytes = 20}), opened{}};
    std::string const jwk = ec_key().public_jwk(), good = seal(jwk, "open sesame");
    std::string const foreign = seal(jwe_key(test::key_pair(EVP_EC_gen("P-256")).private_pem(), "a").public_jwk(), "open sesame");
    std::string changed = good;
    changed[changed.size() - 30] = changed[changed.size() - 30] == 'A' ? 'B' : 'A';
    std::set<std::string> told;
    for (std::string const& each :
         {std::string(), std::string("open sesame"), good + "x", "." + good, changed, foreign, seal(ec_key("b").public_jwk(), "x"),
          seal(jwe_key(test::rsa_pair().private_pem(), "a").public_jwk(), "x"), seal(jwk, std::string(21, 'a')), std::string(1'001, 'a'),
          seal_jwe(weir::read_jwe_recipient(jwk, weir::jwe_encryption::a128gcm), "x")}) {
        login const r{.password = each};
        auto const reply = svc.call(r);
        REQUIRE(reply.result().has_error());
        std::ostringstream text;
        text << reply.result().error() << " " << to_string(reply.reported<weir::violation>().value());
        told.insert(text.str());
    }
    CHECK(told == std::set<std::string>{"invalid_request body password: expected a text sealed for the present key of this service"});
    auto const s = svc.get<weir::field_opener<"password", jwe_key, decltype(weir::keyed_by(&login::password))>>().stats();
    CHECK(s.opened == 0);
    std::string counts;
    s.each([&](std::string_view name, std::uint64_t n) { (counts += name) += "=" + std::to_string(n) + " "; });
    CHECK(
        counts ==
        "opened_total=0 too_long_total=2 malformed_total=4 bad_header_total=0 unknown_key_total=1 wrong_algorithm_total=2 closed_total=2 ");
    login const r{.password = seal(jwk, std::string(20, 'a'))};
    CHECK(svc(r).has_value());
}

TEST_CASE("sealed_field: keys rotate with overlap")
{
    weir::jwe_keys const keys(jwe_key(test::rsa_pair().private_pem(), "new"), ec_key("old"));
    weir::pipeline svc{weir::sealed_field<"password">(std::cref(keys), weir::by_header<"x-password">), opened{}};
    test::request r;
    r.fields["x-password"] = seal(ec_key("old").public_jwk(), "from before");
    CHECK(svc(r).value() == "from before");
    r.fields["x-password"] = seal(keys.public_jwk(), "from now on");
    CHECK(svc(r).value() == "from now on");
    test::request const none;
    auto const reply = svc.call(none);
    CHECK(reply.result().error() == weir::errc::invalid_request);
    CHECK(reply.reported<weir::violation>()->where == "header");
}

TEST_CASE("sealed_field: keys are replaced while others open with them")
{
    weir::jwe_keys keys(ec_key("a"));
    weir::pipeline svc{weir::sealed_field<"password">(std::ref(keys), weir::by_header<"x-password">), opened{}};
    test::request r;
    r.fields["x-password"] = seal(keys.public_jwk(), "open sesame");
    auto const held = keys.find("a");
    std::thread other([&] {
        for (int i = 0; i < 50; ++i) keys.replace(ec_key("b"), ec_key("a"));
    });
    for (int i = 0; i < 50; ++i) CHECK(svc(r).value() == "open sesame");
    other.join();
    CHECK(keys.public_jwks().find(R"("kid":"b")") != std::string::npos);
    CHECK_THROWS_AS(keys.replace(ec_key("c"), ec_key("c")), std::invalid_argument);
    CHECK(keys.find("c") == nullptr);
    keys.replace(ec_key("c"));
    CHECK(svc(r).error() == weir::errc::invalid_request);
    CHECK(held->kid() == "a"); // lives as long as it is used
}

TEST_CASE("sealed_field: other limits from the next call on, both at once; bad ones leave the present ones")
{
    weir::pipeline svc{weir::sealed_field<"password">(ec_key(), weir::keyed_by(&login::password)), opened{}};
    auto& field = svc.get<weir::field_opener<"password", jwe_key, decltype(weir::keyed_by(&login::password))>>();
    login const r{.user = "bob", .password = seal(field.keys().public_jwk(), "open sesame")};
    CHECK(svc(r).has_value());
    field.reconfigure({.max_bytes = 4'096, .max_plain_bytes = 10});
    CHECK(svc(r).error() == weir::errc::invalid_request);
    field.reconfigure({.max_bytes = 64, .max_plain_bytes = 11});
    CHECK(svc(r).error() == weir::errc::invalid_request);
    CHECK_THROWS_AS(field.reconfigure({.max_bytes = 64, .max_plain_bytes = 65}), std::invalid_argument);
    CHECK(field.settings().max_bytes == 64);
    CHECK(field.settings().max_plain_bytes == 11);

    std::thread other([&] {
        for (std::size_t i = 0; i < 2'000; ++i) field.reconfigure({.max_bytes = 1'000 + i % 2, .max_plain_bytes = 100 + i % 2});
    });
    for (int i = 0; i < 2'000; ++i) {
        auto const seen = field.settings();
        if (seen.max_bytes > 64) CHECK(seen.max_bytes - 900 == seen.max_plain_bytes);
    }
    other.join();
    CHECK(svc(r).has_value());
    CHECK(field.stats().opened == 2);
}

TEST_CASE("sealed_field: several fields, one that is there twice, one that is optional")
{
    auto const key = ec_key();
    std::string const a = seal(key.public_jwk(), "first"), b = seal(key.public_jwk(), "second");
    weir::pipeline both{weir::sealed_field<"password">(std::cref(key), weir::keyed_by(&login::password)),
                        weir::sealed_field<"pin">(std::cref(key), weir::keyed_by(&login::pin)),
                        [](login const&, weir::view<opened_field<"password">, opened_field<"pin">> f) {
                            return f.get<opened_field<"password">>()->reveal() + " " + f.get<opened_field<"pin">>()->reveal();
                        }};
    login const r{.password = a, .pin = b}, without{.password = a};
    CHECK(both(r).value() == "first second");
    CHECK(both(without).error() == weir::errc::invalid_request);

    weir::pipeline svc{weir::sealed_field<"password">(std::cref(key), weir::by_header<"x-password">), opened{}};
    CHECK(svc(lines{{a}}).value() == "first");
    CHECK(svc(lines{{a, a}}).has_error());
}

TEST_CASE("sealed_field: bad options are named")
{
    auto const make = [](weir::sealed_field_options const& o) {
        static_cast<void>(weir::sealed_field<"password">(ec_key(), weir::by_header<"x-password">, o));
    };
    CHECK_THROWS_WITH_AS(make({.max_bytes = 63}), doctest::Contains("sealed_field.max_bytes: expected 64 to 2^20"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.max_plain_bytes = 0}), doctest::Contains("sealed_field.max_plain_bytes"), std::invalid_argument);
}
