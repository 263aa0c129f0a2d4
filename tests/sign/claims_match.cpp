// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/claims_match.hpp>

#include "request.hpp"
#include "verified_claims.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using test::knows;

/// A request with members of several types.
struct order {
    std::string claims{};
    std::string device{};
    std::uint8_t branch = 0;
    bool night = false;
    std::optional<std::string> tenant{};
    weir::secret<> pin{};
    friend std::optional<std::string_view> weir_header(order const& r, std::string_view) { return r.claims; }
};
/// A request that can tell its fields one by one.
struct lines {
    std::vector<std::string> devices;
    friend std::optional<std::string_view> weir_header(lines const&, std::string_view name)
    {
        return name == "claims" ? std::optional<std::string_view>(R"({"device":"d-1"})") : std::nullopt;
    }
    friend void weir_each_header(lines const& r, std::string_view, auto&& f)
    {
        for (std::string const& each : r.devices) f(std::string_view(each));
    }
};

constexpr auto handler = [](auto const&) { return 1; };

test::request asking(std::string_view claims, std::string_view device)
{
    test::request r;
    if (!claims.empty()) r.fields["claims"] = claims;
    if (!device.empty()) r.fields["x-device-id"] = device;
    return r;
}
std::string told(auto& svc, auto const& request)
{
    auto const reply = svc.call(request);
    if (reply.result().has_value()) return "passed";
    std::string text(to_string(reply.result().error().kind()));
    if (auto const& wrong = reply.template reported<weir::violation>()) text += "; " + to_string(*wrong);
    if (auto const& how = reply.template reported<weir::challenge>()) (text += "; ") += how->value;
    return text;
}

} // namespace

TEST_CASE("claims_match: a token of one device is refused at another")
{
    weir::pipeline svc{knows{}, weir::claims_match{"device", weir::by_header<"x-device-id">}, handler};
    CHECK(told(svc, asking(R"({"device":"d-1"})", "d-1")) == "passed");
    std::string const other = "forbidden; header x-device-id: expected what the token says in the claim device";
    for (std::string_view device : {"d-2", "d-1 ", "D-1", "d-11", "d-", ""})
        CHECK(told(svc, asking(R"({"device":"d-1"})", device)) == other);
    std::string const unbound = "unauthenticated; header authorization: expected a token with all claims that are required: device; "
                                R"(Bearer error="invalid_token")";
    for (std::string_view claims : {R"({})", R"({"device":null})", R"({"device":""})"})
        for (std::string_view device : {"d-1", "null", ""}) CHECK(told(svc, asking(claims, device)) == unbound);
    CHECK(told(svc, asking("", "d-1")) == "unauthenticated; header authorization: expected a token; Bearer");
    // Other types than the text's are other values.
    CHECK(told(svc, asking(R"({"device":7})", "7")) == other);
    CHECK(told(svc, asking(R"({"device":["d-1"]})", "d-1")) == other);
    CHECK(told(svc, asking(R"({"device":true})", "true")) == other);

    auto const s = svc.get<weir::claims_match>().stats();
    CHECK(s.matched == 1);
    CHECK(s.mismatched == 9);
    CHECK(s.unbound == 9);
    CHECK(s.unauthenticated == 1);
    std::string names;
    s.each([&](std::string_view name, std::uint64_t n) { (names += name) += "=" + std::to_string(n) + " "; });
    CHECK(names == "matched_total=1 mismatched_total=9 unbound_total=9 unauthenticated_total=1 ");
    CHECK(describe(svc).text().find("device") != std::string::npos);
}

TEST_CASE("claims_match: a token bound to a device proves nothing elsewhere, if it is said so")
{
    weir::pipeline svc{knows{}, weir::claims_match{"cnf/device", weir::by_header<"x-device-id">, {.mismatch = weir::errc::unauthenticated}},
                       handler};
    CHECK(told(svc, asking(R"({"cnf":{"device":"d-1"}})", "d-1")) == "passed");
    CHECK(told(svc, asking(R"({"cnf":{"device":"d-1"}})", "d-2")) ==
          "unauthenticated; header x-device-id: expected what the token says in the claim cnf/device; "
          R"(Bearer error="invalid_token")");
    CHECK(svc.get<weir::claims_match>().settings().mismatch == weir::errc::unauthenticated);
}

TEST_CASE("claims_match: other options from the next call on; bad ones leave the present ones")
{
    weir::pipeline svc{knows{}, weir::claims_match{"device", weir::by_header<"x-device-id">}, handler};
    auto& policy = svc.get<weir::claims_match>();
    auto const wrong = asking(R"({"device":"d-1"})", "d-2");
    CHECK(told(svc, wrong).starts_with("forbidden"));
    policy.reconfigure({.mismatch = weir::errc::unauthenticated});
    CHECK(told(svc, wrong).starts_with("unauthenticated"));
    CHECK_THROWS_AS(policy.reconfigure({.mismatch = weir::errc::not_found}), std::invalid_argument);
    CHECK(policy.settings().mismatch == weir::errc::unauthenticated);
    CHECK(policy.stats().mismatched == 2);

    std::thread other([&] {
        for (int i = 0; i < 1'000; ++i) policy.reconfigure({.mismatch = i % 2 == 0 ? weir::errc::forbidden : weir::errc::unauthenticated});
    });
    for (int i = 0; i < 1'000; ++i) CHECK(told(svc, wrong) != "passed");
    other.join();
}

TEST_CASE("claims_match: members of the request, by their type")
{
    auto const passes = [](auto key_of, std::string claims, auto change) {
        weir::pipeline svc{knows{}, weir::claims_match{"it", key_of}, handler};
        order r;
        r.claims = std::move(claims);
        change(r);
        return told(svc, r) == "passed";
    };
    auto const keep = [](order&) {};
    CHECK(passes(weir::keyed_by(&order::device), R"({"it":"a"})", [](order& r) { r.device = "a"; }));
    CHECK_FALSE(passes(weir::keyed_by(&order::device), R"({"it":"a"})", keep));
    CHECK_FALSE(passes(weir::keyed_by(&order::device), R"({"it":""})", keep));
    CHECK(passes(weir::keyed_by(&order::branch), R"({"it":7})", [](order& r) { r.branch = 7; }));
    CHECK(passes(weir::keyed_by(&order::branch), R"({"it":0})", keep));
    CHECK_FALSE(passes(weir::keyed_by(&order::branch), R"({"it":256})", keep)); // not modulo 256
    CHECK_FALSE(passes(weir::keyed_by(&order::branch), R"({"it":7.0})", [](order& r) { r.branch = 7; }));
    CHECK_FALSE(passes(weir::keyed_by(&order::branch), R"({"it":"7"})", [](order& r) { r.branch = 7; }));
    CHECK(passes(weir::keyed_by(&order::night), R"({"it":true})", [](order& r) { r.night = true; }));
    CHECK_FALSE(passes(weir::keyed_by(&order::night), R"({"it":0})", keep));
    CHECK(passes(weir::keyed_by(&order::tenant), R"({"it":"north"})", [](order& r) { r.tenant = "north"; }));
    CHECK_FALSE(passes(weir::keyed_by(&order::tenant), R"({"it":"north"})", keep));
    CHECK_FALSE(passes(weir::keyed_by(&order::tenant), R"({})", keep));
    CHECK(passes(weir::keyed_by(&order::pin), R"({"it":"0815"})", [](order& r) { r.pin = weir::secret<>("0815"); }));
    CHECK_FALSE(passes(weir::keyed_by(&order::pin), R"({"it":"0815"})", [](order& r) { r.pin = weir::secret<>("0816"); }));
}

TEST_CASE("claims_match: a header that stands there twice says nothing")
{
    weir::pipeline svc{knows{}, weir::claims_match{"device", weir::by_header<"x-device-id">}, handler};
    CHECK(told(svc, lines{{"d-1"}}) == "passed");
    CHECK(told(svc, lines{{"d-1", "d-1"}}) != "passed");
    CHECK(told(svc, lines{{"d-2", "d-1"}}) != "passed");
    CHECK(told(svc, lines{{}}) != "passed");
}

TEST_CASE("claims_match: bad options are named")
{
    CHECK_THROWS_WITH_AS((weir::claims_match{"", weir::by_header<"x">}), "claims_match.claim: expected the name of a claim",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS((weir::claims_match{"a", weir::by_header<"x">, {.mismatch = weir::errc::not_found}}),
                         "claims_match.mismatch: expected errc::forbidden or errc::unauthenticated", std::invalid_argument);
}
