// SPDX-License-Identifier: BSL-1.0
#include "request.hpp"
#include "wall.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/sign/verify_request.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::errc;

constexpr char const* shop_key = "a key of the shop of 32 bytes...";
constexpr char const* next_key = "the next key of the shop, longer";

weir::key_ring<> make_ring()
{
    return weir::key_ring<>{
        {{.app = "shop", .key = weir::secret{shop_key}}, {.app = "bank", .key = weir::secret{"another key for the bank"}}}};
}

/// Who is verified to be asking.
std::string who(test::request const&, weir::view<weir::principal> facts)
{
    return facts.get<weir::principal>().name;
}

struct fixture {
    test::manual_wall wall{};
    weir::key_ring<> keys = make_ring();
    weir::canonical_scheme scheme{{.covered = {"content-type"}}};
    weir::pipeline<weir::stack<weir::verify_request<std::reference_wrapper<weir::key_ring<>>, std::reference_wrapper<test::manual_wall>>>,
                   std::string (*)(test::request const&, weir::view<weir::principal>)>
        svc;

    explicit fixture(std::size_t capacity = 1000)
        : svc(weir::verify_request{std::ref(keys), {.scheme = {.covered = {"content-type"}}, .nonce_capacity = capacity}, std::ref(wall)},
              who)
    {
    }

    test::request order(std::string_view nonce, std::string_view app = "shop", char const* key = shop_key)
    {
        test::request made;
        made.fields["content-type"] = "application/json";
        weir::key_ring<> const own{{{.app = std::string(app), .key = weir::secret{key}}}};
        REQUIRE(scheme.sign(made, {.app = app, .device = "till-7", .nonce = nonce, .at = wall.now}, own));
        return made;
    }
    auto stats() { return svc.get<weir::verify_request>().stats(); }
    void check_refused(test::request const& r, errc why, std::string_view name, std::string_view expected)
    {
        auto const reply = svc.call(r);
        REQUIRE(reply.result().has_error());
        CHECK(reply.result().error() == why);
        CHECK(reply.answered_by() == 0);
        auto const& told = reply.reported<weir::violation>();
        REQUIRE(told.has_value());
        CHECK(told->where == "signature");
        CHECK(told->name == name);
        CHECK(told->expected == expected);
    }
};

TEST_CASE("verify_request: who signed is the principal")
{
    fixture f;
    auto const reply = f.svc.call(f.order("n1"));
    CHECK(reply.result().value() == "shop");
    CHECK(!reply.reported<weir::violation>());
    CHECK(f.svc(f.order("n2", "bank", "another key for the bank")).value() == "bank");
    CHECK(f.stats().verified == 2);
    CHECK(f.stats().nonces == 2);
}

TEST_CASE("verify_request: what is altered is refused, and uses no nonce")
{
    fixture f;
    auto const right = f.order("n1");
    auto altered = [&](auto change) {
        auto r = right;
        change(r);
        return r;
    };
    constexpr std::string_view signature = "a signature by a key of the app";
    f.check_refused(altered([](auto& r) { r.verb = "PUT"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.path += "0"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.fields["x-device-id"] = "till-8"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.fields["x-nonce"] = "n2"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.fields["x-timestamp"] = "1700000000001"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.fields["content-type"] = "text/plain"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.fields.erase("content-type"); }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.fields["x-app-id"] = "bank"; }), errc::unauthenticated, "x-signature", signature);
    f.check_refused(altered([](auto& r) { r.content += ' '; }), errc::unauthenticated, "x-content-sha256", "the digest of the body");
    CHECK(f.stats().wrong_signature == 8);
    CHECK(f.stats().wrong_digest == 1);
    CHECK(f.stats().nonces == 0);
    CHECK(f.svc(right).value() == "shop");
}

TEST_CASE("verify_request: names the header that is missing or malformed")
{
    fixture f;
    auto const right = f.order("n1");
    for (std::string const name : {"x-app-id", "x-device-id", "x-timestamp", "x-nonce", "x-content-sha256", "x-signature"}) {
        auto r = right;
        r.fields.erase(name);
        f.check_refused(r, errc::unauthenticated, name, "a value");
    }
    for (std::string const name : {"x-app-id", "x-device-id", "x-timestamp", "x-nonce", "x-signature"}) {
        auto r = right;
        r.fields[name] = "";
        f.check_refused(r, errc::unauthenticated, name, "a value in the form that is signed");
    }
    auto r = right;
    r.path = "/or ders";
    f.check_refused(r, errc::unauthenticated, "target", "a value in the form that is signed");
    CHECK(f.stats().missing == 6);
    CHECK(f.stats().malformed == 6);
}

TEST_CASE("verify_request: a stranger cannot tell an app that is not there from one whose key he lacks")
{
    fixture f;
    auto const nobody = f.svc.call(f.order("n1", "nobody"));
    auto const guessed = f.svc.call(f.order("n1", "bank"));
    CHECK(nobody.result().error() == guessed.result().error());
    auto const &a = nobody.reported<weir::violation>(), &b = guessed.reported<weir::violation>();
    REQUIRE(a.has_value());
    REQUIRE(b.has_value());
    CHECK(a->where == b->where);
    CHECK(a->name == b->name);
    CHECK(a->expected == b->expected);
    CHECK(f.stats().unknown_app == 1);
    CHECK(f.stats().wrong_signature == 1);
}

TEST_CASE("verify_request: a request passes once")
{
    fixture f;
    auto const r = f.order("n1");
    CHECK(f.svc(r).value() == "shop");
    for (auto const later : {0ms, 1ms, 299'999ms}) {
        f.wall.now += later;
        f.check_refused(r, errc::replayed, "x-nonce", "a value that was not used before");
    }
    CHECK(f.stats().replayed == 3);
    CHECK(f.stats().nonces == 1);
    // Another app's nonces are its own.
    CHECK(f.svc(f.order("n1", "bank", "another key for the bank")).value() == "bank");
}

TEST_CASE("verify_request: the window ends to the millisecond")
{
    for (auto const& [moved, why] : std::vector<std::pair<std::chrono::milliseconds, errc>>{
             {300'000ms, {}}, {300'001ms, errc::replayed}, {-60'000ms, {}}, {-60'001ms, errc::unauthenticated}}) {
        CAPTURE(moved.count());
        fixture f;
        auto const r = f.order("n1");
        f.wall.now += moved;
        if (why == errc{})
            CHECK(f.svc(r).value() == "shop");
        else
            f.check_refused(r, why, "x-timestamp", moved > 0ms ? "a time not so long ago" : "a time not in the future");
        CHECK(f.stats().late == (moved == 300'001ms ? 1 : 0));
        CHECK(f.stats().early == (moved == -60'001ms ? 1 : 0));
    }
}

TEST_CASE("verify_request: keys rotate while it runs")
{
    fixture f;
    auto const both = [](weir::wall_time from) {
        return std::vector<weir::signing_key>([&] {
            std::vector<weir::signing_key> made;
            made.push_back({.app = "shop", .key = weir::secret{shop_key}});
            made.push_back({.app = "shop", .key = weir::secret{next_key}, .not_before = from});
            return made;
        }());
    };
    CHECK(f.svc(f.order("n1")).has_value());
    CHECK(f.svc(f.order("n2", "shop", next_key)).error() == errc::unauthenticated);
    auto& keys = f.svc.get<weir::verify_request>().keys();
    keys.replace(both(f.wall.now + 10s));
    CHECK(f.svc(f.order("n3", "shop", next_key)).error() == errc::unauthenticated); // not valid yet
    f.wall.now += 10s;
    CHECK(f.svc(f.order("n4")).has_value());
    CHECK(f.svc(f.order("n5", "shop", next_key)).has_value());
    std::vector<weir::signing_key> last;
    last.push_back({.app = "shop", .key = weir::secret{next_key}});
    keys.replace(last);
    CHECK(f.svc(f.order("n6")).error() == errc::unauthenticated);
    CHECK(f.svc(f.order("n7", "shop", next_key)).has_value());
}

TEST_CASE("verify_request: a full nonce store refuses what is new, and still knows what it has seen")
{
    fixture f(3);
    auto const first = f.order("n0");
    CHECK(f.svc(first).has_value());
    CHECK(f.svc(f.order("n1")).has_value());
    CHECK(f.svc(f.order("n2")).has_value());
    auto const reply = f.svc.call(f.order("n3"));
    CHECK(reply.result().error() == errc::overloaded);
    CHECK(!reply.reported<weir::violation>());
    CHECK(f.svc(first).error() == errc::replayed);
    CHECK(f.stats().no_room == 1);
    f.wall.now += 360s; // the next period has room
    CHECK(f.svc(f.order("n4")).has_value());
}

TEST_CASE("verify_request: reconfigured, there is room for more nonces at once, and what was seen stays seen")
{
    fixture f(1);
    auto const first = f.order("n0"), second = f.order("n1");
    CHECK(f.svc(first).has_value());
    CHECK(f.svc(second).error() == errc::overloaded);
    auto& policy = f.svc.get<weir::verify_request>();
    auto const scheme = policy.settings();
    policy.reconfigure({.scheme = scheme, .nonce_capacity = 2});
    CHECK(f.svc(second).has_value());
    CHECK(f.svc(first).error() == errc::replayed);
    auto other = scheme;
    other.late += 1ms;
    CHECK_THROWS_WITH_AS(policy.reconfigure({.scheme = other, .nonce_capacity = 3}),
                         "verify_request.scheme: expected what it was: it is agreed upon with the callers", std::invalid_argument);
    CHECK_THROWS_AS(policy.reconfigure({.scheme = scheme, .nonce_capacity = 0}), std::invalid_argument);
    CHECK(f.svc(f.order("n2")).has_value()); // the two that were asked for, beside the one from before
    CHECK(f.svc(f.order("n3")).error() == errc::overloaded);
}

TEST_CASE("verify_request: the principal is the key of a limit further in")
{
    fixture f;
    weir::pipeline svc{
        weir::verify_request{std::ref(f.keys), {.scheme = {.covered = {"content-type"}}, .nonce_capacity = 100}, std::ref(f.wall)},
        weir::rate_limit{weir::keyed{weir::gcra{{.permits = 1, .per = 1h}}, weir::by<weir::principal>, {.capacity = 10}}}, who};
    CHECK(svc(f.order("n1")).value() == "shop");
    CHECK(svc(f.order("n2")).error() == errc::rate_limited);
    CHECK(svc(f.order("n1", "bank", "another key for the bank")).value() == "bank");
}

TEST_CASE("verify_request: keys may be owned or shared")
{
    fixture f;
    auto const shared = std::make_shared<weir::key_ring<>>(make_ring());
    weir::pipeline owning{weir::verify_request{make_ring(), {.nonce_capacity = 10}, std::ref(f.wall)}, who};
    weir::pipeline sharing{weir::verify_request{shared, {.nonce_capacity = 10}, std::ref(f.wall)}, who};
    weir::pipeline reading{weir::verify_request{std::cref(f.keys), {.nonce_capacity = 10}, std::ref(f.wall)}, who};
    test::request r;
    REQUIRE(weir::canonical_scheme().sign(r, {.app = "shop", .device = "till-7", .nonce = "n1", .at = f.wall.now}, f.keys));
    CHECK(owning(r).value() == "shop");
    CHECK(sharing(r).value() == "shop");
    CHECK(reading(r).value() == "shop");
}

TEST_CASE("verify_request: one policy shared by two pipelines lets a request pass once")
{
    fixture f;
    weir::verify_request gate{std::ref(f.keys), {.nonce_capacity = 10}, std::ref(f.wall)};
    weir::pipeline first{std::ref(gate), who};
    weir::pipeline second{std::ref(gate), who};
    test::request r;
    REQUIRE(weir::canonical_scheme().sign(r, {.app = "shop", .device = "till-7", .nonce = "n1", .at = f.wall.now}, f.keys));
    CHECK(first(r).has_value());
    CHECK(second(r).error() == errc::replayed);
}

TEST_CASE("verify_request: a confined one follows its key ring")
{
    test::manual_wall wall;
    weir::key_ring<weir::confined> keys{{{.app = "shop", .key = weir::secret{shop_key}}}};
    weir::pipeline svc{weir::verify_request{std::ref(keys), {.nonce_capacity = 10}, std::ref(wall)}, who};
    test::request r;
    REQUIRE(weir::canonical_scheme().sign(r, {.app = "shop", .device = "till-7", .nonce = "n1", .at = wall.now}, keys));
    CHECK(svc(r).value() == "shop");
    CHECK(svc(r).error() == errc::replayed);
}

TEST_CASE("verify_request: bad options are refused by name")
{
    CHECK_THROWS_AS(weir::verify_request(make_ring(), {.nonce_capacity = 0}), std::invalid_argument);
    CHECK_THROWS_AS(weir::verify_request(make_ring(), {.scheme = {.app_id = "no name"}, .nonce_capacity = 10}), std::invalid_argument);
    CHECK_THROWS_AS(weir::verify_request(make_ring(), {.scheme = {.late = -1ms}, .nonce_capacity = 10}), std::invalid_argument);
}

TEST_CASE("verify_request: no seeded mutation of a signed request passes")
{
    fixture f(20'000);
    std::mt19937_64 draw(42);
    auto const mutate = [&](std::string& text) {
        std::size_t const at = text.empty() ? 0 : draw() % text.size();
        switch (text.empty() ? 0 : draw() % 4) {
        case 0: text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), static_cast<char>(draw())); break;
        case 1: text.erase(at, 1); break;
        case 2: text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1u << draw() % 8)); break;
        default: text.resize(at);
        }
    };
    auto const trimmed = [](std::string_view v) { return std::string(weir::detail::trim_value(v)); };
    std::uint64_t passed = 0;
    for (int round = 0; round < 10'000; ++round) {
        auto const right = f.order("n" + std::to_string(round));
        auto r = right;
        switch (draw() % 4) {
        case 0: mutate(r.verb); break;
        case 1: mutate(r.path); break;
        case 2: mutate(r.content); break;
        default: {
            auto field = r.fields.begin();
            std::advance(field, static_cast<std::ptrdiff_t>(draw() % r.fields.size()));
            mutate(field->second);
        }
        }
        // Blanks around a header's value do not belong to it (RFC 9110, section 5.5).
        bool same = r.verb == right.verb && r.path == right.path && r.content == right.content;
        for (auto const& [name, value] : right.fields) same = same && trimmed(r.fields[name]) == value;
        auto const got = f.svc(r);
        REQUIRE(got.has_value() == same);
        passed += same;
        CHECK(f.svc(right).has_value() == !same); // what was refused has used nothing up
    }
    CHECK(f.stats().verified == 10'000);
    CHECK(f.stats().replayed == passed);
}

TEST_CASE("verify_request: of many threads with one request, one passes")
{
    fixture f(10'000);
    std::vector<test::request> orders;
    for (int i = 0; i < 200; ++i) orders.push_back(f.order("n" + std::to_string(i)));
    std::atomic<int> passed = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (auto const& r : orders) passed += f.svc(r).has_value() ? 1 : 0;
            });
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                std::vector<weir::signing_key> keys;
                keys.push_back({.app = "shop", .key = weir::secret{shop_key}});
                f.svc.get<weir::verify_request>().keys().replace(keys);
            }
        });
    }
    CHECK(passed == 200);
    CHECK(f.stats().replayed == 600);
}

} // namespace
