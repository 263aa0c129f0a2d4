// SPDX-License-Identifier: BSL-1.0
#include "request.hpp"
#include "wall.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/sign/sign_request.hpp>
#include <weir/sign/verify_request.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::errc;

weir::key_ring<> make_ring()
{
    return weir::key_ring<>{{{.app = "shop", .key = weir::secret{"a key of the shop of 32 bytes..."}}}};
}
std::string who(test::request const&, weir::view<weir::principal> facts)
{
    return facts.get<weir::principal>().name;
}

/// Nonces that a test knows: "n1", "n2", ...
struct counted_nonces {
    struct nonce {
        std::string text;
        std::string_view view() const noexcept { return text; }
    };
    int drawn = 0;
    nonce operator()() { return {"n" + std::to_string(++drawn)}; }
};

/// Time that passes when somebody sleeps; the wall clock goes with it.
struct virtual_time {
    weir::time_point steady{1h};
    test::manual_wall wall{};
    weir::time_point now() const noexcept { return steady; }
    void sleep_until(weir::time_point t)
    {
        wall.now += std::chrono::ceil<std::chrono::milliseconds>(t - steady);
        steady = t;
    }
};

TEST_CASE("sign_request: what one pipeline signs another one verifies")
{
    test::manual_wall wall;
    auto const keys = std::make_shared<weir::key_ring<>>(make_ring());
    weir::canonical_options const scheme{.signature = "x-code", .covered = {"content-type", "idempotency-key"}};
    weir::pipeline server{weir::verify_request{keys, {.scheme = scheme, .nonce_capacity = 100}, std::ref(wall)}, who};
    weir::pipeline client{weir::sign_request{keys, {.app = "shop", .device = "till-7", .scheme = scheme}, std::ref(wall)},
                          [&](test::request const& r) { return server(r); }};
    test::request order;
    order.fields["content-type"] = "application/json";
    for (int i = 0; i < 10; ++i) CHECK(client(order).value() == "shop");
    CHECK(server.get<weir::verify_request>().stats().verified == 10);
    CHECK(client.get<weir::sign_request>().stats().signed_requests == 10);
    CHECK(order.fields.size() == 1); // the caller's own request stays as it was
}

TEST_CASE("sign_request: sets the headers of the scheme, with the time and nonce it is given")
{
    test::manual_wall wall;
    std::vector<test::request> seen;
    weir::pipeline client{weir::sign_request{make_ring(), {.app = "shop", .device = "till-7"}, std::ref(wall), counted_nonces{}},
                          [&](test::request const& r) { seen.push_back(r); }};
    REQUIRE(client(test::request{}).has_value());
    wall.now += 1s;
    REQUIRE(client(test::request{}).has_value());
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].fields.at("x-app-id") == "shop");
    CHECK(seen[0].fields.at("x-device-id") == "till-7");
    CHECK(seen[0].fields.at("x-timestamp") == "1700000000000");
    CHECK(seen[1].fields.at("x-timestamp") == "1700000001000");
    CHECK(seen[0].fields.at("x-nonce") == "n1");
    CHECK(seen[1].fields.at("x-nonce") == "n2");
    CHECK(seen[0].fields.at("x-signature") != seen[1].fields.at("x-signature"));
    CHECK(weir::canonical_scheme().verify(seen[1], make_ring(), wall.now));
}

TEST_CASE("sign_request: random nonces differ")
{
    std::set<std::string> nonces;
    weir::pipeline client{weir::sign_request{make_ring(), {.app = "shop", .device = "till-7"}},
                          [&](test::request const& r) { nonces.insert(r.fields.at("x-nonce")); }};
    for (int i = 0; i < 100; ++i) REQUIRE(client(test::request{}).has_value());
    CHECK(nonces.size() == 100);
}

TEST_CASE("sign_request: inside a retry each attempt is signed anew")
{
    virtual_time time;
    auto const keys = std::make_shared<weir::key_ring<>>(make_ring());
    weir::pipeline server{weir::verify_request{keys, {.nonce_capacity = 100}, std::ref(time.wall)}, who};
    std::vector<std::string> stamps;
    // The upstream verifies and does the work, and then its answer gets lost, twice.
    weir::pipeline client{weir::timed_by{std::ref(time)}, weir::retry<3>{{.base = 2s, .cap = 10s, .seed = 7}},
                          weir::sign_request{keys, {.app = "shop", .device = "till-7"}, std::ref(time.wall)},
                          weir::idempotent{[&](test::request const& r) -> weir::result<std::string> {
                              auto answer = server(r);
                              stamps.push_back(r.fields.at("x-timestamp"));
                              if (answer.has_value() && stamps.size() < 3) return weir::errc::upstream_failed;
                              return answer;
                          }}};
    CHECK(client(test::request{}).value() == "shop");
    CHECK(server.get<weir::verify_request>().stats().verified == 3);
    CHECK(server.get<weir::verify_request>().stats().replayed == 0);
    REQUIRE(stamps.size() == 3);
    CHECK(stamps[0] < stamps[1]);
    CHECK(stamps[1] < stamps[2]);
}

TEST_CASE("sign_request: without a valid key nothing is sent")
{
    test::manual_wall wall;
    int sent = 0;
    weir::pipeline client{weir::sign_request{make_ring(), {.app = "bank", .device = "till-7"}, std::ref(wall)},
                          [&](test::request const&) { return ++sent; }};
    CHECK(client(test::request{}).error() == errc::unavailable);
    CHECK(sent == 0);
    CHECK(client.get<weir::sign_request>().stats().no_key == 1);
    std::vector<weir::signing_key> keys;
    keys.push_back({.app = "bank", .key = weir::secret{"another key for the bank"}});
    client.get<weir::sign_request>().keys().replace(keys);
    CHECK(client(test::request{}).value() == 1);
}

TEST_CASE("sign_request: refuses what cannot be signed")
{
    weir::pipeline client{weir::sign_request{make_ring(), {.app = "shop", .device = "till-7"}}, [](test::request const&) { return 1; }};
    CHECK(client(test::request{.path = "/or ders"}).error() == errc::invalid_request);
    CHECK(client(test::request{.verb = ""}).error() == errc::invalid_request);
    CHECK(client.get<weir::sign_request>().stats().malformed == 2);
}

TEST_CASE("sign_request: bad options are refused by name")
{
    for (std::string const bad : {"", " shop", "shop\r\nx-admin: 1", "a\nb"}) {
        CHECK_THROWS_WITH_AS(weir::sign_request(make_ring(), {.app = bad, .device = "till-7"}),
                             "sign_request.app: expected a header value that is not empty", std::invalid_argument);
        CHECK_THROWS_WITH_AS(weir::sign_request(make_ring(), {.app = "shop", .device = bad}),
                             "sign_request.device: expected a header value that is not empty", std::invalid_argument);
    }
}

} // namespace
