// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/fetched_keys.hpp>

#include "request.hpp"
#include "wall.hpp"

#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/sign/verify_jwt.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

std::string secret_of(std::string_view kid)
{
    return "a secret of more than thirty-two bytes, that of " + std::string(kid);
}
/// The set of an issuer that has these keys.
std::string set_of(std::vector<std::string> const& kids)
{
    std::string text;
    for (std::string const& kid : kids)
        text += (text.empty() ? "" : ",") + (R"({"kty":"oct","alg":"HS256","kid":")" + kid) + R"(","k":")" +
                weir::to_base64url(secret_of(kid)) + "\"}";
    return R"({"keys":[)" + text + "]}";
}
test::request signed_by(std::string const& kid)
{
    test::request r;
    r.fields["authorization"] = "Bearer " + sign_jws(weir::hs256_signer{weir::secret<>(secret_of(kid)), kid},
                                                     R"({"iss":"bank","aud":"quotes","sub":"bob","exp":4000000000})");
    return r;
}
weir::fetched_keys_options const settings{.set = {.algorithms = {weir::jws_algorithm::hs256}}, .unknown = 64};
weir::jwt_options const wanted{.issuer = "bank", .audience = "quotes"};

/// An issuer that counts who asks.
struct issuer {
    std::vector<std::string> kids{"a"};
    int asked = 0;
    bool down = false;
    bool nonsense = false;
    std::vector<weir::jwks_reason> why{};

    weir::result<std::string> answer(weir::jwks_request const& r)
    {
        ++asked;
        why.push_back(r.why);
        if (down) return weir::errc::upstream_failed;
        if (nonsense) return std::string("<html>");
        return set_of(kids);
    }
};
constexpr auto handler = [](test::request const&) { return 1; };

std::string told(weir::result<int> const& r)
{
    return r.has_value() ? "passed" : std::string(to_string(r.error().kind()));
}

/// A service in virtual time around an issuer that answers at once.
struct bench {
    issuer who{};
    weir::manual_clock clock{};
    std::function<weir::result<std::string>(weir::jwks_request const&)> ask = [this](weir::jwks_request const& r) { return who.answer(r); };
    weir::fetched_keys<decltype(ask)> keys{ask, settings};
    weir::pipeline<
        weir::stack<weir::timed_by<std::reference_wrapper<weir::manual_clock>>, weir::verify_jwt<std::reference_wrapper<decltype(keys)>>>,
        decltype(handler)>
        svc{weir::timed_by{std::ref(clock)}, weir::verify_jwt{std::ref(keys), wanted}, handler};
    std::string operator()(std::string const& kid)
    {
        auto const r = signed_by(kid);
        return told(svc(r));
    }
};

} // namespace

TEST_CASE("fetched_keys: fetched once, when the first token comes")
{
    bench b;
    test::request const bare;
    CHECK(told(b.svc(bare)) == "unauthenticated");
    CHECK(b.who.asked == 0);
    for (int i = 0; i < 3; ++i) CHECK(b("a") == "passed");
    CHECK(b.who.asked == 1);
    CHECK(b.who.why == std::vector{weir::jwks_reason::first});
    CHECK(b.keys.size() == 1);
    CHECK(b.keys.left_out().empty());
    CHECK(b.keys.settings().unknown == 64);
}

TEST_CASE("fetched_keys: a new key is fetched when a token calls for it, and one that is gone is trusted until the refresh only")
{
    bench b;
    CHECK(b("a") == "passed");
    b.who.kids = {"a", "b"};
    b.clock.advance(30s);
    CHECK(b("b") == "passed");
    CHECK(b("a") == "passed");
    CHECK(b.who.asked == 2);
    CHECK(b.who.why.back() == weir::jwks_reason::unknown_key);
    b.who.kids = {"b"};
    b.clock.advance(600s - 1ns);
    CHECK(b("a") == "passed");
    CHECK(b.who.asked == 2);
    b.clock.advance(1ns);
    CHECK(b("a") == "unauthenticated"); // though its verdict was remembered
    CHECK(b("b") == "passed");
    CHECK(b.who.asked == 3);
    CHECK(b.who.why.back() == weir::jwks_reason::stale);
}

TEST_CASE("fetched_keys: names that nobody has cause a fetch each cool-down, and one of them one in a while")
{
    bench b;
    CHECK(b("a") == "passed");
    for (int i = 0; i < 50; ++i) CHECK(b("made-up " + std::to_string(i)) == "unauthenticated");
    CHECK(b.who.asked == 1);
    CHECK(b.keys.stats().cooling == 50);
    b.clock.advance(30s);
    for (int i = 0; i < 50; ++i) CHECK(b("x") == "unauthenticated");
    CHECK(b.who.asked == 2);
    b.clock.advance(30s);
    for (int i = 0; i < 50; ++i) CHECK(b("x") == "unauthenticated");
    CHECK(b.who.asked == 2); // it is known to be unknown
    CHECK(b.keys.stats().unknown == 99);
    CHECK(b("y") == "unauthenticated");
    CHECK(b.who.asked == 3); // another one is not
    b.clock.advance(270s);
    CHECK(b("x") == "unauthenticated");
    CHECK(b.who.asked == 4);
    // Once the set changes, nothing is known of names.
    b.who.kids = {"a", "x"};
    b.clock.advance(30s);
    CHECK(b("z") == "unauthenticated");
    CHECK(b("x") == "passed");
    CHECK(b("a") == "passed");
}

TEST_CASE("fetched_keys: when a fetch fails the old keys stay, for a time")
{
    bench b;
    CHECK(b("a") == "passed");
    b.who.down = true;
    b.clock.advance(600s);
    CHECK(b("a") == "passed");
    CHECK(b.who.asked == 2);
    CHECK(b("a") == "passed");
    CHECK(b("b") == "unauthenticated");
    CHECK(b.who.asked == 2); // failed, it is left in peace, too
    b.clock.advance(30s);
    b.who.down = false;
    b.who.nonsense = true;
    CHECK(b("b") == "unauthenticated");
    CHECK(b("a") == "passed");
    CHECK(b.who.asked == 3);
    CHECK(b.keys.stats().failed == 2);
    // A failed fetch says nothing about names.
    b.who = {.kids = {"a", "b"}};
    b.clock.advance(30s);
    CHECK(b("b") == "passed");
    CHECK(b.who.asked == 1);

    b.who.down = true;
    b.clock.advance(24h);
    weir::result<int> const late = b.svc(signed_by("a"));
    REQUIRE(late.has_error());
    CHECK(late.error() == weir::errc::unavailable);
    CHECK(late.error().retry_after() == 30s);
    b.clock.advance(10s);
    CHECK(b.svc(signed_by("a")).error().retry_after() == 20s);
    b.clock.advance(20s);
    b.who.down = false;
    CHECK(b("a") == "passed");
    std::string names;
    b.keys.stats().each([&](std::string_view name, std::uint64_t) { (names += name) += ' '; });
    CHECK(names == "fetched_total failed_total joined_total cooling_total unknown_total ");
}

TEST_CASE("fetched_keys: an exception of the fetch is a failed fetch; an empty set is obeyed")
{
    int asked = 0;
    auto ask = [&](weir::jwks_request const&) -> std::string {
        if (++asked == 1) throw std::runtime_error("no route");
        return set_of({});
    };
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::verify_jwt{weir::fetched_keys{ask, settings}, wanted}, handler};
    auto const r = signed_by("a");
    CHECK(told(svc(r)) == "unavailable");
    CHECK(svc.get<weir::verify_jwt>().keys().stats().failed == 1);
    clock.advance(30s);
    CHECK(told(svc(r)) == "unauthenticated");
    CHECK(asked == 2);
}

TEST_CASE("fetched_keys: asynchronous, many calls wait for one fetch, and go on with old keys during a refresh")
{
    weir::schedule s(42);
    issuer who;
    weir::pipeline jwks{weir::timed_by{std::ref(s.clock())}, weir::timeout{2s},
                        [&](weir::jwks_request const& r) -> asio::awaitable<weir::result<std::string>> {
                            weir::result<std::string> const answer = who.answer(r);
                            co_await weir::sleep(s, 100ms);
                            if (who.nonsense) co_await weir::sleep(s, 1h);
                            co_return answer;
                        }};
    weir::fetched_keys keys{std::ref(jwks), settings};
    weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::verify_jwt{std::ref(keys), wanted}, weir::asynchronous{handler}};
    std::multiset<std::string> story;
    weir::duration took{};
    auto const caller = [&](std::string kid) -> asio::awaitable<void> {
        auto const r = signed_by(kid);
        auto const start = s.clock().now();
        weir::result<int> const outcome = co_await svc(r);
        took = s.clock().now() - start;
        story.insert(kid + " " + told(outcome));
    };
    weir::simulation world(s);
    auto const run = [&](std::vector<std::string> const& kids) {
        story.clear();
        for (std::string const& kid : kids) world.spawn(caller(kid));
        world.run();
    };
    run({"a", "a", "a"});
    CHECK(story == std::multiset<std::string>{"a passed", "a passed", "a passed"});
    CHECK(who.asked == 1);
    CHECK(took == 100ms);
    CHECK(keys.stats().joined == 2);
    run({"a"});
    CHECK(took == 0ms);

    who.kids = {"a", "b", "c"};
    s.clock().advance(30s);
    run({"b", "c", "x", "a", "b"});
    CHECK(story == std::multiset<std::string>{"a passed", "b passed", "c passed", "x unauthenticated", "b passed"});
    CHECK(who.asked == 2);
    // Old keys serve while one call fetches.
    s.clock().advance(600s);
    run({"a", "a", "c"});
    CHECK(story == std::multiset<std::string>{"a passed", "c passed", "a passed"});
    CHECK(who.asked == 3);
    // The issuer hangs: the time limit of the fetch ends it, and the keys stay.
    who.nonsense = true;
    s.clock().advance(600s);
    run({"a", "a"});
    CHECK(story == std::multiset<std::string>{"a passed", "a passed"});
    CHECK(took == 2s);
    CHECK(keys.stats().failed == 1);
}

TEST_CASE("fetched_keys: when the call that fetches is cancelled, the next that waits fetches")
{
    weir::schedule s(7);
    issuer who;
    auto ask = [&](weir::jwks_request const& r) -> asio::awaitable<weir::result<std::string>> {
        co_await weir::sleep(s, 100ms);
        co_return who.answer(r);
    };
    weir::fetched_keys keys{std::ref(ask), settings};
    weir::pipeline hasty{weir::timed_by{std::ref(s.clock())}, weir::timeout{50ms}, weir::verify_jwt{std::ref(keys), wanted},
                         weir::asynchronous{handler}};
    weir::pipeline patient{weir::timed_by{std::ref(s.clock())}, weir::verify_jwt{std::ref(keys), wanted}, weir::asynchronous{handler}};
    std::multiset<std::string> story;
    auto const caller = [&](auto& svc, std::string name) -> asio::awaitable<void> {
        auto const r = signed_by("a");
        weir::result<int> const outcome = co_await svc(r);
        story.insert(name + " " + told(outcome));
    };
    weir::simulation world(s);
    world.spawn(caller(hasty, "hasty"));
    world.spawn(caller(patient, "patient"));
    world.spawn(caller(patient, "other"));
    world.run();
    CHECK(story == std::multiset<std::string>{"hasty deadline_exceeded", "patient passed", "other passed"});
    CHECK(who.asked == 1);
}

TEST_CASE("fetched_keys: a fetch that is given up again and again is begun anew three times, not by all who wait")
{
    weir::schedule s(8);
    int asked = 0, over = 0;
    auto ask = [&](weir::jwks_request const&) -> asio::awaitable<weir::result<std::string>> {
        ++asked;
        co_await weir::sleep(s, 10ms);
        co_return weir::errc::cancelled;
    };
    weir::fetched_keys keys{std::ref(ask), settings};
    weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::verify_jwt{std::ref(keys), wanted}, weir::asynchronous{handler}};
    auto const caller = [&]() -> asio::awaitable<void> {
        auto const r = signed_by("a");
        try {
            weir::result<int> const outcome = co_await svc(r);
            over += outcome.has_error();
        } catch (boost::system::system_error const&) {
            ++over;
        }
    };
    weir::simulation world(s);
    for (int i = 0; i < 10; ++i) world.spawn(caller());
    world.run();
    CHECK(over == 10);
    CHECK(asked == 4);
}

TEST_CASE("fetched_keys: threads that want keys at the same time share a fetch")
{
    std::atomic<int> asked{0};
    auto ask = [&](weir::jwks_request const&) {
        ++asked;
        return set_of({"a"});
    };
    weir::fetched_keys keys{ask, settings};
    weir::pipeline svc{weir::verify_jwt{std::ref(keys), wanted}, handler};
    std::atomic<int> passed{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                auto const r = signed_by("a");
                auto const other = signed_by("made up");
                for (int n = 0; n < 200; ++n) {
                    passed += svc(r).has_value();
                    passed += svc(other).has_value();
                }
            });
    }
    CHECK(passed == 800);
    CHECK(asked == 1);
}

TEST_CASE("fetched_keys: other times hold at once, for the keys that are there, too; what is known stays")
{
    bench b;
    CHECK(b("a") == "passed");
    CHECK(b("unheard-of") == "unauthenticated");
    b.clock.advance(30s);
    CHECK(b("unheard-of") == "unauthenticated");
    CHECK(b.who.asked == 2); // the first one came with the first fetch
    auto o = b.keys.settings();
    o.refresh = 40s;
    o.keep = 50s;
    o.unknown = 128;
    b.keys.reconfigure(o);
    CHECK(b.keys.settings().refresh == 40s);
    CHECK(b("unheard-of") == "unauthenticated"); // not forgotten by a larger table
    CHECK(b.who.asked == 2);
    b.clock.advance(41s);
    CHECK(b("a") == "passed");
    CHECK(b.who.asked == 3); // as old as the new `refresh`
    b.who.down = true;
    b.clock.advance(51s);
    CHECK(b("a") == "unavailable"); // as old as the new `keep`
    b.who.down = false;
    o.cool_down = 1s;
    b.keys.reconfigure(o);
    b.clock.advance(1s);
    CHECK(b("a") == "passed"); // the new cool-down is over

    auto bad = o;
    bad.keep = 39s;
    CHECK_THROWS_WITH_AS(b.keys.reconfigure(bad), "fetched_keys.keep: expected refresh to 365 days", std::invalid_argument);
    bad = o;
    bad.set.max_keys = 3;
    CHECK_THROWS_WITH_AS(b.keys.reconfigure(bad), "fetched_keys.set: expected what it was: the keys were read by it",
                         std::invalid_argument);
    CHECK(b.keys.settings().keep == 50s);

    std::thread other([&] {
        for (std::size_t i = 0; i < 500; ++i) {
            auto changed = o;
            changed.unknown = 1 + i % 50;
            b.keys.reconfigure(changed);
        }
    });
    for (int i = 0; i < 500; ++i) CHECK(b("a") == "passed");
    other.join();
}

TEST_CASE("fetched_keys: bad options are named")
{
    auto const make = [](weir::fetched_keys_options o) {
        if (o.set.algorithms.empty()) o.set = settings.set;
        weir::fetched_keys keys{[](weir::jwks_request const&) { return std::string(); }, o};
    };
    CHECK_THROWS_WITH_AS(make({.refresh = 0s}), doctest::Contains("fetched_keys.refresh: expected 1 second to 30 days"),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.keep = 1s}), doctest::Contains("fetched_keys.keep"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.cool_down = 0s}), doctest::Contains("fetched_keys.cool_down"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.unknown = 0}), doctest::Contains("fetched_keys.unknown"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(make({.unknown_for = 1s}), doctest::Contains("fetched_keys.unknown_for"), std::invalid_argument);
    CHECK_THROWS_WITH_AS((weir::fetched_keys{[](weir::jwks_request const&) { return std::string(); }, {}}),
                         doctest::Contains("key_set.algorithms"), std::invalid_argument);
}
