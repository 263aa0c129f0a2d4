// SPDX-License-Identifier: BSL-1.0
//
// Signed messages as strangers send them: lines with a method, a target, a Host, the fields Signature-Input, Signature, Content-Digest,
// Authorization and X-Amz-Date, and one that is covered, which is a seal on the answer, too; the rest is the body. The first two bytes say which byte of a message that was signed is
// changed, and how.
#include "../sign/raw_message.hpp"
#include "must.hpp"

#include <weir/sign/http_signature.hpp>
#include <weir/sign/jwt_seal.hpp>
#include <weir/sign/sigv4.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using weir_fuzz::must;
using weir_tests::raw_request;

namespace {

weir::wall_time const now{std::chrono::milliseconds(1'700'000'000'000)};

weir::message_keys<weir::confined> const& keys()
{
    static weir::message_keys<weir::confined> const all({{"k", weir::signature_key(weir::secret{"only-for-tests-0123456789"})}});
    return all;
}
weir::sigv4_keys<weir::confined> const& access_keys()
{
    static weir::sigv4_keys<weir::confined> const all([] {
        std::vector<weir::sigv4_key> list;
        list.push_back({"K", weir::secret{"only-for-tests-0123456789"}});
        return list;
    }());
    return all;
}

/// An answer to `r` with a seal: one that the service did not make does not open, nor does its own with a byte changed.
void check_seal(raw_request const& r, std::string_view claimed, std::size_t place, unsigned change)
{
    static weir::jwt_seal const seal({.issuer = "bank", .header = "seal"});
    weir_tests::raw_response answer;
    answer.body = r.body;
    answer.fields = {{"seal", std::string(claimed)}};
    must(!seal.verify_answer(answer, r, keys(), now), "what nobody sealed does not open");
    if (!seal.sign_answer(answer, r, keys(), now, "n")) return;
    must(static_cast<bool>(seal.verify_answer(answer, r, keys(), now)), "what is sealed opens");
    std::string& token = answer.fields.front().second;
    token[place * token.size() / 256] ^= static_cast<char>(change);
    must(change == 0 || !seal.verify_answer(answer, r, keys(), now), "one byte changed, it does not open");
}

/// Changes one byte of what is covered, wherever that is; false if the message says the same as before.
bool changes(raw_request& r, std::size_t at, unsigned by)
{
    auto const within = [&](std::string& part) {
        if (at >= part.size()) {
            at -= part.size();
            return false;
        }
        part[at] = static_cast<char>(part[at] ^ static_cast<char>(by));
        return by != 0;
    };
    for (std::string* const part : {&r.method, &r.target, &r.body})
        if (within(*part)) return true;
    return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    unsigned const place = input.number(), change = input.number();
    raw_request r;
    r.method = input.until('\n');
    r.target = input.until('\n');
    std::string const host(input.until('\n'));
    constexpr std::array<std::string_view, 6> names{"signature-input", "signature",  "content-digest",
                                                    "authorization",   "x-amz-date", "x-covered"};
    r.fields = {{"host", host}};
    for (std::string_view const name : names) {
        std::string_view const value = input.until('\n');
        if (!value.empty()) r.fields.emplace_back(name, value);
    }
    std::string const covered(weir_header(r, "x-covered").value_or(""));
    r.body = input.rest();

    static weir::http_signature const any({.components = {}, .parameters = {}, .body = weir::body_rule::checked, .label = ""});
    static weir::http_signature const strict({.components = {"@method", "@request-target", "@query", "x-covered"}});
    static weir::sigv4 const aws({.region = "r", .service = "s"});
    must(!any.verify(r, keys(), now), "a message that nobody signed does not verify");
    must(!strict.verify(r, keys(), now), "nor where more is asked of it");
    must(!aws.verify(r, access_keys(), now), "nor by another scheme");

    r.fields = {{"host", host}, {"x-covered", covered}};
    raw_request presigned = r;
    auto const made = strict.sign(r, keys(), now, "n");
    if (made) {
        must(static_cast<bool>(strict.verify(r, keys(), now)), "what is signed verifies");
        must(static_cast<bool>(any.verify(r, keys(), now)), "and where less is asked of it");
        raw_request changed = r;
        if (changes(changed, place, change)) must(!strict.verify(changed, keys(), now), "one byte changed, it does not verify");
    }
    raw_request by_header = r;
    by_header.fields = {{"host", host}};
    if (aws.sign(by_header, access_keys(), now)) {
        must(static_cast<bool>(aws.verify(by_header, access_keys(), now)), "what is signed by the other scheme verifies");
        by_header.target += by_header.target.find('?') == std::string::npos ? "?X-Amz-Signature=0" : "&X-Amz-Signature=0";
        must(!aws.verify(by_header, access_keys(), now), "and not with a parameter more");
    }
    check_seal(r, covered, place, change);
    if (auto const target = aws.presign(presigned, access_keys(), now, std::chrono::seconds(60))) {
        presigned.target = *target;
        auto const found = aws.verify(presigned, access_keys(), now);
        // A target that had such parameters before has them twice.
        must(found || covered.empty() || target->find("X-Amz-") != target->rfind("X-Amz-"), "a target that is presigned verifies");
        presigned.body += ' ';
        must(!aws.verify(presigned, access_keys(), now), "and not with another body");
    }
    return 0;
}
