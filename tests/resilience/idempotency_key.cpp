// SPDX-License-Identifier: BSL-1.0
//
// The server's side of idempotency keys, and the client's, which the server's has to understand.
#include <weir/resilience/idempotency_key.hpp>

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/send_idempotency_key.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

http::request order(std::string key, std::string body = "10 ACME", std::string app = "app-1")
{
    http::request r("POST", "/orders", std::move(body));
    if (!key.empty()) r.set("Idempotency-Key", key);
    r.set("x-app-id", app);
    return r;
}

/// Orders that are placed: how often, and what comes back.
struct shop {
    explicit shop(weir::idempotency_key_options const& o = {}, weir::answer_store_options const& s = {.capacity = 100})
        : svc{weir::timed_by{std::ref(clock)}, weir::idempotency_key{weir::answer_store<int>{s}, weir::by_header<"x-app-id">, o},
              std::function<weir::result<int>(http::request const&)>([this](http::request const&) -> weir::result<int> {
                  ++placed;
                  if (next.has_error()) return next;
                  return placed;
              })}
    {
    }
    weir::manual_clock clock;
    int placed = 0;
    weir::result<int> next = 0;
    decltype(weir::pipeline{
        weir::timed_by{std::ref(clock)},
        weir::idempotency_key{weir::answer_store<int>{{.capacity = 1}}, weir::by_header<"x-app-id">, weir::idempotency_key_options{}},
        std::function<weir::result<int>(http::request const&)>{}}) svc;
    auto stats() { return svc.get<weir::idempotency_key>().stats(); }
};

} // namespace

TEST_CASE("idempotency_key: a repeat gets the same answer and does not run")
{
    shop s;
    CHECK(s.svc(order("\"abc\"")).value() == 1);
    auto const again = s.svc.call(order("\"abc\""));
    CHECK(again.result().value() == 1);
    CHECK(again.reported<weir::answered_before>().has_value());
    CHECK(s.svc(order("abc")).value() == 1); // with or without quotation marks
    CHECK(s.placed == 1);
    CHECK(s.svc(order("other")).value() == 2);
    CHECK(s.svc(order("abc", "10 ACME", "app-2")).value() == 3); // another caller's key is another key
    CHECK(s.svc(order("")).value() == 4);                        // none: it runs
    CHECK(s.stats().repeated == 2);
    CHECK(s.stats().unnamed == 1);
}

TEST_CASE("idempotency_key: the same key for another request is refused")
{
    shop s;
    CHECK(s.svc(order("abc")).value() == 1);
    CHECK(s.svc(order("abc", "20 ACME")).error() == weir::errc::key_reused);
    CHECK(s.svc(order("abc")).value() == 1);
    CHECK(s.placed == 1);
    CHECK(s.stats().reused == 1);
}

TEST_CASE("idempotency_key: what fails for want of anything runs again, what says something about the request does not")
{
    shop s;
    using weir::errc;
    for (errc const e : {errc::unavailable, errc::upstream_failed, errc::rate_limited, errc::deadline_exceeded, errc::bulkhead_full}) {
        s.next = e;
        CHECK(s.svc(order("abc")).error() == e);
    }
    CHECK(s.placed == 5);
    s.next = errc::forbidden;
    CHECK(s.svc(order("abc")).error() == errc::forbidden);
    s.next = 0;
    CHECK(s.svc(order("abc")).error() == errc::forbidden);
    CHECK(s.placed == 6);

    shop keeps({.keep_faults = true});
    keeps.next = errc::upstream_failed;
    CHECK(keeps.svc(order("abc")).error() == errc::upstream_failed);
    keeps.next = 0;
    CHECK(keeps.svc(order("abc")).error() == errc::upstream_failed);
    CHECK(keeps.placed == 1);
}

TEST_CASE("idempotency_key: a key may be required, and has a longest")
{
    shop s({.required = true, .max_key_bytes = 8});
    CHECK(s.svc(order("")).error() == weir::errc::invalid_request);
    CHECK(s.svc(order("\"\"")).error() == weir::errc::invalid_request);
    CHECK(s.svc(order("123456789")).error() == weir::errc::invalid_request);
    CHECK(s.svc(order("12345678")).value() == 1);
    CHECK_THROWS_AS(s.svc.get<weir::idempotency_key>().reconfigure({.max_key_bytes = 0}), std::invalid_argument);
}

TEST_CASE("idempotency_key: answers are forgotten after their time, or when there is no room")
{
    shop s({}, {.capacity = 2, .ttl = 1h});
    CHECK(s.svc(order("a")).value() == 1);
    s.clock.advance(1h - 1ns);
    CHECK(s.svc(order("a")).value() == 1);
    s.clock.advance(1ns);
    CHECK(s.svc(order("a")).value() == 2);
    CHECK(s.svc(order("b")).value() == 3);
    CHECK(s.svc(order("c")).value() == 4); // the oldest goes
    CHECK(s.stats().evicted == 1);
    CHECK(s.stats().names == 2);
    CHECK(s.svc(order("b")).value() == 3);
    CHECK(s.svc(order("a")).value() == 5);

    shop strict({}, {.capacity = 1, .refuse_when_full = true});
    CHECK(strict.svc(order("a")).value() == 1);
    CHECK(strict.svc(order("b")).error() == weir::errc::overloaded);
    CHECK(strict.stats().full == 1);
    CHECK_THROWS_WITH_AS(weir::answer_store<int>({.capacity = 0}), "answer_store.capacity: expected at least 1", std::invalid_argument);
    CHECK_THROWS_AS(weir::answer_store<int>({.capacity = 1, .ttl = 0s}), std::invalid_argument);
}

TEST_CASE("idempotency_key: a repeat of what is under way waits for it, or is a conflict")
{
    for (bool const wait : {true, false}) {
        weir::simulation world;
        int placed = 0;
        bool fails = true;
        auto const place = [&](http::request const&) -> asio::awaitable<weir::result<int>> {
            int const mine = ++placed;
            co_await world.sleep(1s);
            if (std::exchange(fails, false)) co_return weir::errc::unavailable;
            co_return mine;
        };
        weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::timeout{10s},
                           weir::idempotency_key{weir::answer_store<int>{{.capacity = 10}}, weir::one_scope{},
                                                 weir::idempotency_key_options{.wait = wait}},
                           place};
        std::deque<weir::result<int>> came(4, weir::result<int>(0));
        auto const ask = [&](weir::result<int>& to) -> asio::awaitable<void> {
            http::request const r = order("abc");
            to = co_await svc(r);
        };
        asio::cancellation_signal stop;
        world.spawn(ask(came[0]));
        world.spawn(ask(came[1]), stop.slot());
        world.spawn(ask(came[2]));
        world.spawn(ask(came[3]));
        world.run_for(500ms);
        stop.emit(asio::cancellation_type::terminal);
        world.run();
        CHECK(came[0].error() == weir::errc::unavailable);
        if (wait) { // the first of those who wait runs it anew, the others get its answer
            CHECK(came[1].error() == weir::errc::cancelled);
            CHECK(came[2].value() == 2);
            CHECK(came[3].value() == 2);
            CHECK(placed == 2);
        } else {
            for (std::size_t i = 1; i < 4; ++i) CHECK(came[i].error() == weir::errc::conflict);
            CHECK(placed == 1);
        }
    }
}

TEST_CASE("idempotency_key: who is cancelled while it runs gives the key up")
{
    weir::simulation world;
    int placed = 0;
    auto const place = [&](http::request const&) -> asio::awaitable<int> {
        int const mine = ++placed;
        co_await world.sleep(1s);
        co_return mine;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::idempotency_key{weir::answer_store<int>{{.capacity = 10}}}, place};
    weir::result<int> first = 0, second = 0;
    auto const ask = [&](weir::result<int>& to) -> asio::awaitable<void> {
        http::request const r = order("abc");
        to = co_await svc(r);
    };
    asio::cancellation_signal stop;
    world.spawn(ask(first), stop.slot());
    world.spawn(ask(second));
    world.run_for(500ms);
    stop.emit(asio::cancellation_type::terminal);
    world.run();
    CHECK(first.error() == weir::errc::cancelled);
    CHECK(second.value() == 2);
    CHECK(svc.get<weir::idempotency_key>().stats().names == 1);
}

TEST_CASE("idempotency_key: inside a retry and a hedge nothing runs twice; the client's key goes with every attempt")
{
    weir::simulation world;
    weir::scope jobs;
    int placed = 0;
    std::set<std::string> keys;
    auto const place = [&](http::request const& r) -> asio::awaitable<int> {
        keys.insert(std::string(*weir::header(r, "Idempotency-Key")));
        int const mine = ++placed;
        co_await world.sleep(200ms);
        co_return mine;
    };
    // The service: its handler is not idempotent, and says so to nobody.
    weir::pipeline service{weir::timed_by{std::ref(world.clock())}, weir::idempotency_key{weir::answer_store<int>{{.capacity = 10}}},
                           place};
    bool answers_are_lost = true;
    int sent = 0;
    auto const send = [&](http::request const& r) -> asio::awaitable<weir::result<int>> {
        ++sent;
        auto const answer = co_await service(r);
        if (std::exchange(answers_are_lost, false)) co_return weir::errc::upstream_failed;
        co_return answer;
    };
    weir::pipeline client{weir::timed_by{std::ref(world.clock())}, weir::send_idempotency_key<>{}, weir::retry<3>{{.seed = 1}}, send};
    weir::pipeline hedged{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, weir::send_idempotency_key<>{},
                          weir::hedge<2>{{.after = 50ms}}, send};
    auto const caller = [&]() -> asio::awaitable<void> {
        http::request const r = order("");
        auto const once = co_await client(r);
        CHECK(once.value() == 1);
        CHECK(sent == 2);
        CHECK(placed == 1);
        auto const quick = co_await hedged(r);
        CHECK(quick.value() == 2);
        CHECK(sent == 4);
        CHECK(placed == 2);
    };
    world.spawn(caller());
    world.run();
    REQUIRE(keys.size() == 2);
    for (std::string const& key : keys) { // "xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx"
        CHECK(key.size() == 38);
        CHECK(key.front() == '"');
        CHECK(key[15] == '4');
        CHECK(std::string("89ab").find(key[20]) != std::string::npos);
    }
}

TEST_CASE("idempotency_key: threads that want the same run it once")
{
    int placed = 0; // guarded by what is tested
    weir::pipeline svc{weir::idempotency_key{weir::answer_store<int>{{.capacity = 10}}}, [&](http::request const&) { return ++placed; }};
    std::vector<std::thread> threads;
    std::vector<int> came(4);
    for (int& each : came)
        threads.emplace_back([&svc, &each] {
            for (int i = 0; i < 200; ++i) each += svc(order("abc")).value();
        });
    for (auto& t : threads) t.join();
    for (int const each : came) CHECK(each == 200);
    CHECK(placed == 1);
}
