// SPDX-License-Identifier: BSL-1.0
//
// What a signed request brings: encodings, timestamps, and the text that is signed. The first two bytes say which byte of a
// signed request is changed afterwards, and how; then lines: method, target, app, device, nonce, a covered header, a timestamp; the rest is the body.
#include "../sign/request.hpp"
#include "must.hpp"

#include <weir/sign/canonical.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

using weir_fuzz::must;

namespace {

weir::wall_time const now{std::chrono::milliseconds(1'700'000'000'000)};

void check_encodings(std::string_view text)
{
    must(weir::from_hex(weir::to_hex(text)) == text, "what hexadecimal digits write they read");
    must(weir::from_base64(weir::to_base64(text)) == text, "what base64 writes it reads");
    must(weir::from_base64url(weir::to_base64url(text)) == text, "what base64url writes it reads");
    if (auto const bytes = weir::from_base64(text)) must(weir::to_base64(*bytes) == text, "bytes have one text in base64");
    if (auto const bytes = weir::from_base64url(text)) must(weir::to_base64url(*bytes) == text, "bytes have one text in base64url");
    if (auto const bytes = weir::from_hex(text)) {
        std::string lower(text);
        for (char& c : lower) c = c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
        must(weir::to_hex(*bytes) == lower, "bytes have one text in hexadecimal digits but for their case");
    }
    std::array<std::byte, 8> little;
    for (auto const read : {weir::read_hex(text, little), weir::read_base64(text, little), weir::read_base64url(text, little)}) {
        must(read.size <= little.size(), "no more is written than there is room for");
    }
}

void check_timestamp(std::string_view text)
{
    auto const at = weir::parse_timestamp(text);
    if (!at) return;
    must(weir::timestamp_text(*at).view() == text, "a time has one text");
    must(*at >= weir::wall_time{} && *at < weir::wall_time{} + std::chrono::days(1'200'000), "a time is one that can be added to");
}

struct told {
    weir::signature_fault fault;
    std::string app;
    explicit told(weir::signature_check const& c) : fault(c.fault), app(c.app) {}
};

weir::canonical_scheme const& scheme()
{
    static weir::canonical_scheme const one({.covered = {"content-type", "idempotency-key"}});
    return one;
}
weir::key_ring<weir::confined> const& keys()
{
    static weir::key_ring<weir::confined> const ring({{.app = "shop", .key = weir::secret{"only-for-tests-0123456789"}},
                                                      {.app = "till", .key = weir::secret{"only-for-tests-9876543210"}}});
    return ring;
}

/// Changes one byte of what was signed, wherever that is; false if the request says the same as before.
bool changes(test::request& r, std::size_t at, unsigned by)
{
    auto const within = [&](std::string& part) {
        if (at >= part.size()) {
            at -= part.size();
            return false;
        }
        part[at] = static_cast<char>(part[at] ^ static_cast<char>(by));
        return by != 0;
    };
    for (std::string* part : {&r.verb, &r.path, &r.content})
        if (within(*part)) return true;
    for (auto& [name, value] : r.fields) {
        std::string const before = value;
        if (within(value)) return weir::detail::trim_value(value) != weir::detail::trim_value(before);
    }
    return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    unsigned const place = input.number(), change = input.number();
    test::request r;
    r.verb = input.until('\n');
    r.path = input.until('\n');
    std::string const app(input.until('\n')), device(input.until('\n')), nonce(input.until('\n')), covered(input.until('\n')),
        when(input.until('\n'));
    r.content = input.rest();
    check_encodings(r.content);
    check_timestamp(when);

    // As it came: whatever stands in it, the answer is a fault, and nothing was signed with a key of ours.
    r.fields = {{"x-app-id", app},        {"x-device-id", device},       {"x-timestamp", when},
                {"x-nonce", nonce},       {"x-content-sha256", covered}, {"x-signature", covered},
                {"content-type", covered}};
    must(!scheme().verify(r, keys(), now), "a request that nobody signed does not verify");
    auto const [text, found] = scheme().string_to_sign(r);
    if (found) must(std::ranges::count(text, '\n') == 10, "the number of lines is fixed");

    // Signed: it verifies, or cannot be signed at all; one byte changed, it does not verify.
    r.fields = {{"content-type", covered}};
    auto const made = scheme().sign(r, {app, device, nonce, now}, keys());
    told const verified(scheme().verify(r, keys(), now));
    must((verified.fault == weir::signature_fault::none) == static_cast<bool>(made), "what is signed verifies");
    if (!made) return 0;
    must(verified.app == weir::detail::trim_value(app), "the app that signed is told");
    if (changes(r, place, change)) must(!scheme().verify(r, keys(), now), "one byte changed, it does not verify");
    return 0;
}
