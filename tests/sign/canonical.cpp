// SPDX-License-Identifier: BSL-1.0
#include "raw_message.hpp"
#include "request.hpp"

#include <weir/sign/canonical.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::canonical_scheme;
using weir::signature_fault;
using weir::wall_time;

constexpr wall_time signed_at{1'700'000'000'000ms};
constexpr char const* key = "a key of the shop of 32 bytes...";

weir::key_ring<> const& ring()
{
    static weir::key_ring<> const made{
        {{.app = "shop", .key = weir::secret{key}}, {.app = "bank", .key = weir::secret{"another key for the bank"}}}};
    return made;
}
canonical_scheme const& scheme()
{
    static canonical_scheme const made{{.covered = {"Content-Type", "idempotency-key"}}};
    return made;
}
test::request signed_order()
{
    test::request order;
    order.fields["content-type"] = "application/json";
    REQUIRE(scheme().sign(order, {.app = "shop", .device = "till-7", .nonce = "3d1f0a9b", .at = signed_at}, ring()));
    return order;
}
weir::signature_check verify(test::request const& r, wall_time now = signed_at)
{
    return scheme().verify(r, ring(), now);
}

TEST_CASE("canonical: the text that is signed, byte by byte")
{
    auto const order = signed_order();
    // printf '%s' '{"symbol":"ACME","quantity":3}' | sha256sum
    std::string const digest = "a9c930b766e347fea7181bde374f7bc13c7cbc3ebf0bb7c141de0e3e9a79962e";
    std::string const text = "weir-hmac-sha256-1\n"
                             "POST\n"
                             "/orders?dry=1\n"
                             "x-app-id:shop\n"
                             "x-device-id:till-7\n"
                             "x-timestamp:1700000000000\n"
                             "x-nonce:3d1f0a9b\n"
                             "content-type:application/json\n"
                             "idempotency-key\n"
                             "x-content-sha256:" +
                             digest + "\n";
    auto const made = scheme().string_to_sign(order);
    CHECK(made.found);
    CHECK(made.text == text);
    // ... | openssl dgst -sha256 -hmac 'a key of the shop of 32 bytes...'
    CHECK(order.fields.at("x-signature") == "e20f60022bb7ee453f705e1d23674ed22e92dc7202e652d7d89eae6b7a44eb2f");
    CHECK(order.fields.at("x-content-sha256") == digest);
}

TEST_CASE("canonical: the text has all of long targets and values, of whatever length")
{
    std::string const begin = "weir-hmac-sha256-1\nPOST\n/",
                      facts = "\nx-app-id:shop\nx-device-id:till-7\nx-timestamp:1700000000000\nx-nonce:3d1f0a9b\n";
    for (std::size_t size = 0; size < 3'000; size += size < 40 ? 1 : 371) {
        test::request order;
        order.path = "/" + std::string(size, 't');
        order.fields["content-type"] = "v" + std::string(size, ' ') + "v";
        REQUIRE(scheme().sign(order, {.app = "shop", .device = "till-7", .nonce = "3d1f0a9b", .at = signed_at}, ring()));
        CHECK(verify(order));
        std::string const expected = begin + std::string(size, 't') + facts + "content-type:" + order.fields["content-type"] +
                                     "\nidempotency-key\nx-content-sha256:" + order.fields["x-content-sha256"] + "\n";
        CHECK(scheme().string_to_sign(order).text == expected);
        order.fields["content-type"].insert(size, 1, '\n');
        CHECK(verify(order).fault == signature_fault::malformed);
    }
}

TEST_CASE("canonical: a signed request verifies, and tells who signed it when")
{
    auto const found = verify(signed_order());
    CHECK(found);
    CHECK(to_string(found.fault) == "none");
    auto const order = signed_order();
    auto const again = verify(order);
    CHECK(again.app == "shop");
    CHECK(again.device == "till-7");
    CHECK(again.nonce == "3d1f0a9b");
    CHECK(again.signed_at == signed_at);
}

TEST_CASE("canonical: spaces around a value do not matter, as they may change on the way")
{
    auto order = signed_order();
    for (auto& [name, value] : order.fields) value = " \t" + value + "\t ";
    CHECK(verify(order));
}

TEST_CASE("canonical: whatever is altered is refused with its reason")
{
    struct alteration {
        char const* what;
        std::function<void(test::request&)> alter;
        signature_fault fault;
        std::string_view where;
    };
    std::string const other_digest(64, 'a');
    std::vector<alteration> const all{
        {"method", [](auto& r) { r.verb = "PUT"; }, signature_fault::wrong_signature, ""},
        {"method's case", [](auto& r) { r.verb = "post"; }, signature_fault::wrong_signature, ""},
        {"target", [](auto& r) { r.path = "/orders?dry=0"; }, signature_fault::wrong_signature, ""},
        {"body", [](auto& r) { r.content.back() = ']'; }, signature_fault::wrong_digest, "x-content-sha256"},
        {"body cut", [](auto& r) { r.content.clear(); }, signature_fault::wrong_digest, "x-content-sha256"},
        {"app", [](auto& r) { r.fields["x-app-id"] = "bank"; }, signature_fault::wrong_signature, ""},
        {"stranger", [](auto& r) { r.fields["x-app-id"] = "Shop"; }, signature_fault::unknown_app, ""},
        {"device", [](auto& r) { r.fields["x-device-id"] = "till-8"; }, signature_fault::wrong_signature, ""},
        {"time", [](auto& r) { r.fields["x-timestamp"] = "1700000000001"; }, signature_fault::wrong_signature, ""},
        {"nonce", [](auto& r) { r.fields["x-nonce"] = "3d1f0a9c"; }, signature_fault::wrong_signature, ""},
        {"covered header", [](auto& r) { r.fields["content-type"] = "text/plain"; }, signature_fault::wrong_signature, ""},
        {"covered header emptied", [](auto& r) { r.fields["content-type"] = ""; }, signature_fault::wrong_signature, ""},
        {"covered header taken out", [](auto& r) { r.fields.erase("content-type"); }, signature_fault::wrong_signature, ""},
        {"absent header added", [](auto& r) { r.fields["idempotency-key"] = ""; }, signature_fault::wrong_signature, ""},
        {"digest", [&](auto& r) { r.fields["x-content-sha256"] = other_digest; }, signature_fault::wrong_signature, ""},
        {"signature", [](auto& r) { r.fields["x-signature"][5] ^= 1; }, signature_fault::wrong_signature, ""},

        {"no app", [](auto& r) { r.fields.erase("x-app-id"); }, signature_fault::missing, "x-app-id"},
        {"no device", [](auto& r) { r.fields.erase("x-device-id"); }, signature_fault::missing, "x-device-id"},
        {"no time", [](auto& r) { r.fields.erase("x-timestamp"); }, signature_fault::missing, "x-timestamp"},
        {"no nonce", [](auto& r) { r.fields.erase("x-nonce"); }, signature_fault::missing, "x-nonce"},
        {"no digest", [](auto& r) { r.fields.erase("x-content-sha256"); }, signature_fault::missing, "x-content-sha256"},
        {"no signature", [](auto& r) { r.fields.erase("x-signature"); }, signature_fault::missing, "x-signature"},
        {"two missing: the first is named",
         [](auto& r) {
             r.fields.erase("x-nonce");
             r.fields.erase("x-app-id");
         },
         signature_fault::missing, "x-app-id"},

        {"empty app", [](auto& r) { r.fields["x-app-id"] = " "; }, signature_fault::malformed, "x-app-id"},
        {"empty device", [](auto& r) { r.fields["x-device-id"] = ""; }, signature_fault::malformed, "x-device-id"},
        {"empty nonce", [](auto& r) { r.fields["x-nonce"] = ""; }, signature_fault::malformed, "x-nonce"},
        {"long nonce", [](auto& r) { r.fields["x-nonce"] = std::string(129, 'n'); }, signature_fault::malformed, "x-nonce"},
        {"time in words", [](auto& r) { r.fields["x-timestamp"] = "now"; }, signature_fault::malformed, "x-timestamp"},
        {"time with a zero before", [](auto& r) { r.fields["x-timestamp"].insert(0, "0"); }, signature_fault::malformed, "x-timestamp"},
        {"short digest", [](auto& r) { r.fields["x-content-sha256"].pop_back(); }, signature_fault::wrong_signature, ""},
        {"short signature", [](auto& r) { r.fields["x-signature"].pop_back(); }, signature_fault::malformed, "x-signature"},
        {"no signature but its name", [](auto& r) { r.fields["x-signature"] = ""; }, signature_fault::malformed, "x-signature"},
        {"signature in upper case", [](auto& r) { r.fields["x-signature"] = std::string(64, 'A'); }, signature_fault::malformed,
         "x-signature"},
        {"empty method", [](auto& r) { r.verb = ""; }, signature_fault::malformed, "method"},
        {"space in the target", [](auto& r) { r.path = "/a b"; }, signature_fault::malformed, "target"},
    };
    for (alteration const& a : all) {
        CAPTURE(a.what);
        auto order = signed_order();
        a.alter(order);
        auto const found = verify(order);
        CHECK(to_string(found.fault) == to_string(a.fault));
        CHECK(found.where == a.where);
    }
}

TEST_CASE("canonical: a value cannot forge a line")
{
    // Without the check a device could bring the line after its own.
    auto order = signed_order();
    for (char control : {'\n', '\r', '\0', '\x01', '\x7f'}) {
        auto forged = order;
        forged.fields["x-device-id"] = std::string("till-7") + control + "x-timestamp:1";
        CHECK(verify(forged).fault == signature_fault::malformed);
        CHECK(verify(forged).where == "x-device-id");
        forged = order;
        forged.fields["idempotency-key"] = std::string("1") + control;
        CHECK(verify(forged).where == "idempotency-key");
        forged = order;
        forged.path += control;
        CHECK(verify(forged).where == "target");
        forged = order;
        forged.verb = std::string("POST") + control + "/";
        CHECK(verify(forged).where == "method");
    }
    test::request own;
    CHECK(scheme().sign(own, {.app = "shop", .device = "a\nb", .nonce = "1", .at = signed_at}, ring()).where == "x-device-id");
    CHECK_FALSE(own.fields.contains("x-signature"));
}

TEST_CASE("canonical: the window of time has two ends, both included")
{
    auto const order = signed_order();
    CHECK(verify(order, signed_at + 300s));
    CHECK(verify(order, signed_at - 60s));
    CHECK(verify(order, signed_at + 300s + 1ms).fault == signature_fault::late);
    CHECK(verify(order, signed_at - 60s - 1ms).fault == signature_fault::early);
    CHECK(verify(order, wall_time{}).fault == signature_fault::early);
}

TEST_CASE("canonical: who has no key cannot sign")
{
    test::request order;
    CHECK(scheme().sign(order, {.app = "nobody", .device = "d", .nonce = "n", .at = signed_at}, ring()).fault ==
          signature_fault::unknown_app);
    CHECK_FALSE(order.fields.contains("x-signature"));
}

TEST_CASE("canonical: the old key verifies until it ends, while the new one signs")
{
    weir::key_ring const rotating{{{.app = "shop", .key = weir::secret{key}, .not_after = signed_at + 1s},
                                   {.app = "shop", .key = weir::secret{"the next key of the shop"}, .not_before = signed_at + 10ms}}};
    auto const old = signed_order();
    CHECK(scheme().verify(old, rotating, signed_at + 999ms));
    CHECK(scheme().verify(old, rotating, signed_at + 1s).fault == signature_fault::wrong_signature);
    auto next = old;
    REQUIRE(scheme().sign(next, {.app = "shop", .device = "till-7", .nonce = "2", .at = signed_at + 10ms}, rotating));
    CHECK(scheme().verify(next, rotating, signed_at + 10ms));
    CHECK(verify(next, signed_at + 10ms).fault == signature_fault::wrong_signature);
}

TEST_CASE("canonical: names are those of the options, in lower case")
{
    canonical_scheme const own{{.app_id = "X-Client", .signature = "Signature-Code"}};
    test::request order;
    REQUIRE(own.sign(order, {.app = "shop", .device = "d", .nonce = "n", .at = signed_at}, ring()));
    CHECK(order.fields.contains("x-client"));
    CHECK(order.fields.contains("signature-code"));
    CHECK(own.string_to_sign(order).text.find("\nx-client:shop\n") != std::string::npos);
    CHECK(own.verify(order, ring(), signed_at));
}

TEST_CASE("canonical: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(canonical_scheme({.app_id = ""}), "header name \"\": expected letters, digits and marks", std::invalid_argument);
    CHECK_THROWS_WITH_AS(canonical_scheme({.nonce = "a:b"}), "header name \"a:b\": expected letters, digits and marks",
                         std::invalid_argument);
    CHECK_THROWS_AS(canonical_scheme({.covered = {"a\nb"}}), std::invalid_argument);
    CHECK_THROWS_WITH_AS(canonical_scheme({.covered = {"X-Nonce"}}), "header name \"x-nonce\": expected each name once",
                         std::invalid_argument);
    CHECK_THROWS_AS(canonical_scheme({.covered = {"a", "A"}}), std::invalid_argument);
    CHECK_THROWS_WITH_AS(canonical_scheme({.late = -1ms}), "late: expected 0 to 3650 days", std::invalid_argument);
    CHECK_THROWS_WITH_AS(canonical_scheme({.early = -1ms}), "early: expected 0 to 3650 days", std::invalid_argument);
}

TEST_CASE("canonical: one bit anywhere in what is signed never verifies")
{
    auto const order = signed_order();
    std::mt19937 random(17);
    std::vector<std::function<std::string&(test::request&)>> parts{[](auto& r) -> std::string& { return r.verb; },
                                                                   [](auto& r) -> std::string& { return r.path; },
                                                                   [](auto& r) -> std::string& { return r.content; }};
    for (auto const& [name, value] : order.fields) {
        parts.push_back([name = name](auto& r) -> std::string& { return r.fields.at(name); });
    }
    std::size_t flipped = 0;
    for (auto const& part : parts) {
        auto altered = order;
        std::string& text = part(altered);
        for (std::size_t i = 0; i < text.size(); ++i) {
            for (int bit = 0; bit < 8; ++bit, ++flipped) {
                char const before = text[i];
                text[i] = static_cast<char>(text[i] ^ (1 << bit));
                CHECK_FALSE(verify(altered));
                text[i] = before;
            }
        }
        CHECK(verify(altered));
    }
    CHECK(flipped > 1'700);

    // Several changes at once: insertions, deletions, bytes moved from one part to another.
    for (int round = 0; round < 5'000; ++round) {
        auto altered = order;
        for (auto n = 1 + random() % 3; n != 0; --n) {
            std::string& from = parts[random() % parts.size()](altered);
            std::string& to = parts[random() % parts.size()](altered);
            if (from.empty()) continue;
            std::size_t const cut = random() % from.size();
            std::string const tail = from.substr(cut, 1 + random() % 4);
            from.erase(cut, tail.size());
            to.insert(random() % (to.size() + 1), tail);
        }
        bool const same =
            altered.verb == order.verb && altered.path == order.path && altered.content == order.content && altered.fields == order.fields;
        CHECK(static_cast<bool>(verify(altered)) == same);
    }
}

} // namespace

TEST_CASE("canonical_scheme: a signed header that stands twice is refused, if the request can tell")
{
    weir::canonical_scheme const scheme({.covered = {"x-amount"}});
    weir::key_ring<weir::confined> const keys({{.app = "shop", .key = weir::secret{"only-for-tests-0123456789"}}});
    weir::wall_time const now{std::chrono::milliseconds(1'700'000'000'000)};
    weir_tests::raw_request r;
    r.fields = {{"X-Amount", "1"}};
    REQUIRE(scheme.sign(r, {.app = "shop", .device = "till", .nonce = "n-1", .at = now}, keys));
    REQUIRE(scheme.verify(r, keys, now));
    for (char const* const name : {"x-amount", "X-APP-ID", "x-content-sha256"}) {
        weir_tests::raw_request twice = r;
        twice.fields.emplace_back(name, "1000");
        CHECK(scheme.verify(twice, keys, now).fault == weir::signature_fault::malformed);
        std::swap(twice.fields.front(), twice.fields.back());
        CHECK(scheme.verify(twice, keys, now).fault == weir::signature_fault::malformed);
    }
}
