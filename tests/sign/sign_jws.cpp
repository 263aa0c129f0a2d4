// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/jwk.hpp>
#include <weir/sign/sign_jws.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace weir;

jws_signer example_key()
{
    return read_signing_jwk(
        secret<>(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})"),
        jws_algorithm::hs256);
}
std::string refusal(std::string_view payload, jws_header_options const& options)
{
    try {
        static_cast<void>(sign_jws(example_key(), payload, options));
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return {};
}

} // namespace

TEST_CASE("sign_jws: the examples of RFC 7797, to the byte")
{
    CHECK(sign_jws(example_key(), "$.02") == "eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ");
    CHECK(sign_detached_jws(example_key(), "$.02", {.encoded = false}) ==
          "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY");
}

TEST_CASE("sign_jws: detached it is the same signature without the payload")
{
    std::string const whole = sign_jws(example_key(), "any bytes", {.type = "JWT"});
    std::string const detached = sign_detached_jws(example_key(), "any bytes", {.type = "JWT"});
    auto const first = whole.find('.'), second = whole.find('.', first + 1);
    CHECK(detached == whole.substr(0, first) + '.' + whole.substr(second));
}

TEST_CASE("sign_jws: what cannot stand in a token as it is, or is not UTF-8 in a header, is refused by name")
{
    std::string const expected = "payload: expected printable ASCII without a point, or sign it detached";
    CHECK(refusal("$.02", {.encoded = false}) == expected);
    CHECK(refusal("two\nlines", {.encoded = false}) == expected);
    CHECK(refusal("plain", {.encoded = false}).empty());
    CHECK(refusal("plain", {.type = "\xff"}) == "typ: expected UTF-8");
    CHECK(refusal("plain", {.content_type = "\xff"}) == "cty: expected UTF-8");
}
