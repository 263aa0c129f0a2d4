// SPDX-License-Identifier: BSL-1.0
//
// What a token brings. The first byte says how: the text as it came; or header and claims in two lines, which are signed, and then one byte
// changed. What nobody signed never verifies; what verifies says what Boost.JSON reads, too.
#include "must.hpp"

#include <weir/sign/hmac.hpp>
#include <weir/sign/jwt_verifier.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

using weir_fuzz::must;
namespace json = boost::json;

namespace {

constexpr char const* key_text = "only for tests, this key: 32 bytes and more";
constexpr weir::wall_time now{std::chrono::seconds(1'900'000'000)};

weir::hs256 const& key()
{
    static weir::hs256 const one{weir::secret<>(key_text)};
    return one;
}
std::string code_of(std::string_view input)
{
    static weir::hmac_sha256 const mac{key_text};
    return weir::to_base64url(mac(input));
}

void check_said(std::string_view claims, weir::jwt_verdict const& v)
{
    json::error_code failed;
    json::value const said = json::parse({claims.data(), claims.size()}, failed);
    must(!failed && said.is_object(), "claims are an object");
    auto const is = [](json::value const* member, std::string_view text) {
        return member != nullptr && member->is_string() &&
               std::string_view(member->get_string().data(), member->get_string().size()) == text;
    };
    auto const& o = said.get_object();
    must(is(o.if_contains("iss"), "bank"), "the issuer is the bank");
    must(is(o.if_contains("sub"), v.principal) && !v.principal.empty(), "the principal is the subject");
    must(v.said->subject() == v.principal, "the claims say so as well");
    json::value const* const aud = o.if_contains("aud");
    bool const listed =
        aud != nullptr && aud->is_array() && std::ranges::any_of(aud->get_array(), [&](auto const& each) { return is(&each, "quotes"); });
    must(listed || is(aud, "quotes"), "it is for this audience");
    json::value const* const exp = o.if_contains("exp");
    must(exp != nullptr && exp->is_number() && exp->to_number<double>() > 1'900'000'000 - 1e-3, "it has not expired");
    if (json::value const* const nbf = o.if_contains("nbf"))
        must(nbf->is_number() && nbf->to_number<double>() < 1'900'000'000 + 1e-3, "its time has come");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    weir::jwt_verifier<weir::hs256, weir::confined> verifier(
        {.issuer = "bank", .audience = "quotes", .leeway = std::chrono::seconds(0), .remembered = 4});
    unsigned const way = input.number();
    if (way % 2 == 0) {
        std::string_view const token = input.rest();
        std::size_t const end = token.rfind('.');
        bool const is_signed = end != token.npos && token.substr(end + 1) == code_of(token.substr(0, end));
        bool const opened = bool(weir::open_jws(key(), token)), good = bool(verifier.verify(token, key(), now));
        must(is_signed || (!opened && !good), "what nobody signed does not verify");
        must(weir::verify_detached_jws(key(), token, "") != weir::token_fault::none || is_signed || token.find("..") != token.npos,
             "what nobody signed does not verify detached");
        return 0;
    }
    unsigned const place = input.number(), change = input.number();
    std::string const head(input.until('\n')), claims(input.rest());
    std::string token = weir::to_base64url(head) + '.' + weir::to_base64url(claims);
    token += '.' + code_of(token);
    auto const v = verifier.verify(token, key(), now);
    auto const again = verifier.verify(token, key(), now);
    must(v.fault == again.fault && bool(again) == again.remembered, "the second time the answer is the same");
    auto const opened = weir::open_jws(key(), token);
    if (v) {
        must(bool(opened) && opened.payload == claims, "what verifies opens");
        check_said(claims, v);
    }
    if (opened) {
        json::error_code failed;
        json::value const said = json::parse(head, failed);
        must(!failed && said.is_object() && said.get_object().contains("alg") && said.at("alg") == "HS256",
             "the header names the key's algorithm");
    }
    if (change != 0) {
        token[place * token.size() / 256] ^= static_cast<char>(change);
        must(!verifier.verify(token, key(), now) && !weir::open_jws(key(), token), "one byte changed, it does not verify");
    }
    return 0;
}
