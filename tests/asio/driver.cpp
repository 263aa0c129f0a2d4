// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/driver.hpp>

#include <weir/asio.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::awaitable;

constexpr auto tick = 1ms + 50us;

/// Counts what it lent and what came back, and how.
struct counting {
    using role = weir::gate;
    static constexpr std::string_view name = "counting";
    int lent = 0;
    int settled = 0;
    int cancelled = 0;
    int failed = 0;
    auto admit(auto&) -> weir::admission<int> { return ++lent; }
    void settle(int, auto const& outcome, auto& call)
    {
        ++settled;
        failed += call.failed(outcome);
    }
    void cancel(int) noexcept { ++cancelled; }
    [[nodiscard]] bool all_back() const { return lent == settled + cancelled; }
};

/// A world with a way to call a pipeline and to look at the outcome.
struct world : weir::simulation {
    weir::time_point const start = clock().now();
    [[nodiscard]] weir::duration elapsed() { return clock().now() - start; }

    template<class Pipeline, class T>
    void call(Pipeline& svc, std::optional<weir::result<T>>& outcome, asio::cancellation_slot slot = {})
    {
        spawn(calling(svc, outcome), slot);
    }
    template<class Pipeline, class T>
    static awaitable<void> calling(Pipeline& svc, std::optional<weir::result<T>>& outcome)
    {
        outcome = co_await svc(1);
    }
    void after(weir::duration d, std::function<void()> f) { spawn(doing(*this, d, std::move(f))); }
    static awaitable<void> doing(world& w, weir::duration d, std::function<void()> f)
    {
        co_await w.sleep(d);
        f();
    }
};

using outcome_type = std::optional<weir::result<int>>;

} // namespace

TEST_CASE("asio driver: a value comes back, through all policies")
{
    world w;
    counting outer, inner;
    auto const handler = [&](int x) -> awaitable<int> {
        co_await w.sleep(10ms);
        co_return x + 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(outer), std::ref(inner), handler};
    outcome_type got;
    w.call(svc, got);
    w.run();
    REQUIRE(got.has_value());
    CHECK(got->value() == 2);
    CHECK(outer.settled == 1);
    CHECK(inner.settled == 1);
}

TEST_CASE("asio driver: void, result and plain handlers")
{
    world w;
    counting gate;
    int ran = 0;
    auto const nothing = [&](int) -> awaitable<void> {
        ++ran;
        co_return;
    };
    auto const failing = [](int) -> awaitable<weir::result<int>> { co_return weir::errc::not_found; };
    weir::pipeline first{std::ref(gate), nothing};
    weir::pipeline second{std::ref(gate), failing};
    weir::pipeline third{weir::timed_by{std::ref(w.clock())}, weir::timeout{1s}, std::ref(gate), nothing};
    weir::pipeline fourth{weir::timed_by{std::ref(w.clock())}, weir::timeout{1s}, std::ref(gate), failing};
    auto const caller = [&]() -> awaitable<void> {
        weir::result<void> const a = co_await first(1);
        CHECK(a.has_value());
        weir::result<int> const b = co_await second(1);
        CHECK(b.error() == weir::errc::not_found);
        weir::result<void> const c = co_await third(1);
        CHECK(c.has_value());
        weir::result<int> const d = co_await fourth(1);
        CHECK(d.error() == weir::errc::not_found);
        CHECK(d.error().policy() == weir::error::no_policy);
    };
    w.spawn(caller());
    w.run();
    CHECK(ran == 2);
    CHECK(gate.settled == 4);
}

TEST_CASE("asio driver: an exception is a failure to the policies, and the same exception to the caller")
{
    world w;
    counting gate;
    auto const handler = [&](int) -> awaitable<int> {
        co_await w.sleep(10ms);
        throw std::runtime_error("broken");
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(gate), handler};
    weir::pipeline limited{weir::timed_by{std::ref(w.clock())}, weir::timeout{1s}, std::ref(gate), handler};
    weir::pipeline answered{weir::timed_by{std::ref(w.clock())}, weir::fallback{7}, weir::timeout{1s}, std::ref(gate), handler};
    auto const caller = [&]() -> awaitable<void> {
        for (int i = 0; i < 2; ++i) {
            std::string what;
            try {
                if (i == 0)
                    static_cast<void>(co_await svc(1));
                else
                    static_cast<void>(co_await limited(1));
            } catch (std::runtime_error const& e) {
                what = e.what();
            }
            CHECK(what == "broken");
        }
        CHECK((co_await answered(1)).value() == 7);
    };
    w.spawn(caller());
    w.run();
    CHECK(gate.failed == 3);
    CHECK(gate.settled == 3);
}

TEST_CASE("asio driver: a handler that throws before it returns its awaitable")
{
    world w;
    counting gate;
    auto const handler = [](int) -> awaitable<int> { throw std::logic_error("early"); };
    struct plain {
        decltype(handler) const& h;
        awaitable<int> operator()(int x) const
        {
            if (x > 0) throw std::logic_error("early");
            return h(x);
        }
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::timeout{1s}, std::ref(gate), plain{handler}};
    auto const caller = [&]() -> awaitable<void> {
        bool threw = false;
        try {
            static_cast<void>(co_await svc(1));
        } catch (std::logic_error const&) {
            threw = true;
        }
        CHECK(threw);
    };
    w.spawn(caller());
    w.run();
    CHECK(gate.failed == 1);
}

TEST_CASE("timeout: cancels a handler that takes no view, and its policy is named")
{
    world w;
    counting outer, inner;
    bool reached = false;
    auto const handler = [&](int) -> awaitable<int> {
        co_await w.sleep(1h);
        reached = true;
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(outer), weir::timeout{200ms}, std::ref(inner), handler};
    outcome_type got;
    w.call(svc, got);
    w.run();
    REQUIRE(got.has_value());
    CHECK(got->error() == weir::errc::deadline_exceeded);
    CHECK(got->error().policy() == 2);
    CHECK(w.elapsed() >= 200ms);
    CHECK(w.elapsed() < 200ms + tick);
    CHECK_FALSE(reached);
    CHECK(inner.failed == 1);
    CHECK(outer.failed == 1);
}

TEST_CASE("timeout: cancels a handler that binds the call's cancellation")
{
    world w;
    counting gate;
    auto const handler = [&](int, weir::view<weir::cancellation, weir::deadline> v) -> awaitable<int> {
        CHECK(v.get<weir::deadline>().left(w.clock().now()) == 200ms);
        co_await w.sleep(1h, v.get<weir::cancellation>().slot);
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::timeout{200ms}, std::ref(gate), handler};
    outcome_type got;
    w.call(svc, got);
    w.run();
    REQUIRE(got.has_value());
    CHECK(got->error() == weir::errc::deadline_exceeded);
    CHECK(got->error().policy() == 1);
    CHECK(w.elapsed() < 200ms + tick);
    CHECK(gate.failed == 1);
}

TEST_CASE("timeout: a handler that ignores cancellation delays its caller; its value is kept")
{
    world w;
    counting gate;
    auto const handler = [&](int) -> awaitable<int> {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_await w.sleep(1s, {});
        co_return 5;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::timeout{200ms}, std::ref(gate), handler};
    outcome_type got;
    w.call(svc, got);
    w.run();
    REQUIRE(got.has_value());
    CHECK(got->value() == 5);
    CHECK(w.elapsed() >= 1s);
    CHECK(gate.settled == 1);
    CHECK(gate.failed == 0);
}

TEST_CASE("timeout: one that finishes in time leaves no alarm behind")
{
    world w;
    auto const handler = [&](int x) -> awaitable<int> {
        co_await w.sleep(10ms);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::timeout{1h}, handler};
    outcome_type got;
    w.call(svc, got);
    w.run();
    CHECK(got->value() == 1);
    CHECK(w.elapsed() < 10ms + tick);
}

TEST_CASE("timeout: the earlier deadline counts, and whose it was is named")
{
    world w;
    auto const handler = [&](int) -> awaitable<int> {
        co_await w.sleep(1h);
        co_return 1;
    };
    weir::pipeline outer_first{weir::timed_by{std::ref(w.clock())}, weir::timeout{100ms}, weir::timeout{200ms}, handler};
    weir::pipeline inner_first{weir::timed_by{std::ref(w.clock())}, weir::timeout{200ms}, weir::timeout{100ms}, handler};
    outcome_type a, b;
    w.call(outer_first, a);
    w.call(inner_first, b);
    w.run();
    CHECK(a->error().policy() == 1);
    CHECK(b->error().policy() == 2);
    CHECK(w.elapsed() < 100ms + tick);
}

TEST_CASE("timeout: inside a retry it limits one attempt, outside all of them")
{
    world w;
    counting attempts;
    auto const handler = [&](int) -> awaitable<int> {
        co_await w.sleep(1h);
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())},
                       weir::timeout{1s},
                       weir::retry<3>{{.base = 1ms, .cap = 1ms, .seed = 1}},
                       std::ref(attempts),
                       weir::attempt_timeout{50ms},
                       weir::idempotent{handler}};
    outcome_type got;
    w.call(svc, got);
    w.run();
    CHECK(got->error() == weir::errc::deadline_exceeded);
    CHECK(got->error().policy() == 4);
    CHECK(attempts.failed == 3);
    CHECK(w.elapsed() < 160ms);
}

TEST_CASE("timeout: time that runs out while a call sleeps between attempts")
{
    world w;
    counting attempts;
    auto const handler = [&](int) -> awaitable<weir::result<int>> { co_return weir::error(weir::errc::unavailable, 900ms); };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::timeout{1s}, weir::retry<5>{{.seed = 1}}, std::ref(attempts),
                       weir::idempotent{handler}};
    outcome_type got;
    w.call(svc, got);
    w.run();
    CHECK(got->error() == weir::errc::unavailable); // no attempt begins that would begin after the deadline
    CHECK(attempts.lent == 2);
    CHECK(w.elapsed() < 1s);
}

TEST_CASE("timeout: a retry ends with a late success")
{
    world w;
    int attempts = 0;
    auto const handler = [&](int x) -> awaitable<int> {
        if (++attempts < 3) co_await w.sleep(1h);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::retry<3>{{.seed = 1}}, weir::attempt_timeout{50ms},
                       weir::idempotent{handler}};
    outcome_type got;
    w.call(svc, got);
    w.run();
    CHECK(got->value() == 1);
    CHECK(attempts == 3);
}

TEST_CASE("cancellation: while the handler runs")
{
    for (int variant = 0; variant < 3; ++variant) {
        CAPTURE(variant);
        world w;
        counting outer, inner;
        auto const plain = [&](int) -> awaitable<int> {
            co_await w.sleep(1h);
            co_return 1;
        };
        auto const binding = [&](int, weir::view<weir::cancellation> v) -> awaitable<int> {
            co_await w.sleep(1h, v.get<weir::cancellation>().slot);
            co_return 1;
        };
        weir::pipeline free{weir::timed_by{std::ref(w.clock())}, weir::fallback{9}, std::ref(outer), std::ref(inner), plain};
        weir::pipeline limited{
            weir::timed_by{std::ref(w.clock())}, weir::fallback{9}, std::ref(outer), weir::timeout{2h}, std::ref(inner), plain};
        weir::pipeline bound{
            weir::timed_by{std::ref(w.clock())}, weir::fallback{9}, std::ref(outer), weir::timeout{2h}, std::ref(inner), binding};
        outcome_type got;
        asio::cancellation_signal signal;
        if (variant == 0) w.call(free, got, signal.slot());
        if (variant == 1) w.call(limited, got, signal.slot());
        if (variant == 2) w.call(bound, got, signal.slot());
        w.after(1s, [&] { signal.emit(asio::cancellation_type::terminal); });
        w.run();
        REQUIRE(got.has_value());
        CHECK(got->error() == weir::errc::cancelled);
        CHECK(inner.cancelled == 1);
        CHECK(outer.cancelled == 1);
        CHECK(w.elapsed() < 1s + tick);
    }
}

TEST_CASE("cancellation: while the call sleeps between attempts")
{
    world w;
    counting outer, inner;
    auto const handler = [&](int) -> awaitable<weir::result<int>> { co_return weir::error(weir::errc::unavailable, 1900ms); };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(outer), weir::retry<3>{{.seed = 1}}, std::ref(inner),
                       weir::idempotent{handler}};
    outcome_type got;
    asio::cancellation_signal signal;
    w.call(svc, got, signal.slot());
    w.after(1s, [&] { signal.emit(asio::cancellation_type::terminal); });
    w.run();
    REQUIRE(got.has_value());
    CHECK(got->error() == weir::errc::cancelled);
    CHECK(outer.cancelled == 1);
    CHECK(inner.settled == 1);
    CHECK(inner.cancelled == 0);
    CHECK(w.elapsed() < 1s + tick);
}

TEST_CASE("cancellation: while the call waits for its turn in a throttle")
{
    world w;
    counting outer, inner;
    auto const handler = [](int x) -> awaitable<int> { co_return x; };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(outer),
                       weir::throttle{weir::gcra{{.permits = 1, .per = 10s, .burst = 1}}, 1min}, std::ref(inner), handler};
    outcome_type first, second;
    asio::cancellation_signal signal;
    w.call(svc, first);
    w.call(svc, second, signal.slot());
    w.after(1s, [&] { signal.emit(asio::cancellation_type::terminal); });
    w.run();
    CHECK(first->value() == 1);
    CHECK(second->error() == weir::errc::cancelled);
    CHECK(outer.all_back());
    CHECK(outer.cancelled == 1);
    CHECK(inner.lent == 1);
    CHECK(w.elapsed() < 1s + tick);
}

TEST_CASE("cancellation: while the call is parked; its place goes to nobody, the others keep theirs")
{
    world w;
    counting outer, inner;
    auto const handler = [&](int x) -> awaitable<int> {
        co_await w.sleep(10s);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(outer), weir::bulkhead{{.max_concurrent = 1, .max_wait = 1min}},
                       std::ref(inner), handler};
    outcome_type first, second, third;
    asio::cancellation_signal signal;
    w.call(svc, first);
    w.call(svc, second, signal.slot());
    w.call(svc, third);
    w.after(1s, [&] {
        CHECK(svc.get<weir::bulkhead>().stats().waiting == 2);
        signal.emit(asio::cancellation_type::terminal);
    });
    w.after(2s, [&] {
        CHECK(second.has_value());
        CHECK(svc.get<weir::bulkhead>().stats().waiting == 1);
    });
    w.run();
    CHECK(first->value() == 1);
    CHECK(second->error() == weir::errc::cancelled);
    CHECK(third->value() == 1);
    CHECK(outer.cancelled == 1);
    CHECK(inner.lent == 2);
    CHECK(w.elapsed() < 20s + 2 * tick);
    CHECK(svc.get<weir::bulkhead>().stats().inside == 0);
}

TEST_CASE("cancellation: a parked call that was woken and cancelled at once gives its place on")
{
    world w;
    auto const handler = [&](int x) -> awaitable<int> {
        co_await w.sleep(1s);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::bulkhead{{.max_concurrent = 1, .max_wait = 1min}}, handler};
    outcome_type first, second, third;
    asio::cancellation_signal signal;
    w.call(svc, first);
    w.call(svc, second, signal.slot());
    w.call(svc, third);
    w.run_for(500ms);
    svc.get<weir::bulkhead>().reconfigure({.max_concurrent = 2, .max_wait = 1min}); // wakes the second
    signal.emit(asio::cancellation_type::terminal);
    w.run();
    CHECK(first->value() == 1);
    CHECK(second->error() == weir::errc::cancelled);
    CHECK(third->value() == 1);
    CHECK(svc.get<weir::bulkhead>().stats().inside == 0);
    CHECK(svc.get<weir::bulkhead>().stats().waiting == 0);
}

TEST_CASE("bulkhead, asynchronous: first come, first served, within the time to wait and the deadline")
{
    world w;
    std::vector<int> order;
    auto const handler = [&](int x) -> awaitable<int> {
        order.push_back(x);
        co_await w.sleep(100ms);
        co_return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::bulkhead{{.max_concurrent = 1, .max_wait = 250ms}}, handler};
    std::vector<std::optional<weir::error>> errors(5);
    auto const caller = [&](int i) -> awaitable<void> {
        weir::result<int> const r = co_await svc(i);
        if (r.has_error()) errors[static_cast<std::size_t>(i)] = r.error();
    };
    for (int i = 0; i < 5; ++i) w.spawn(caller(i));
    w.run();
    CHECK(order == std::vector{0, 1, 2});
    CHECK(errors[3] == weir::errc::bulkhead_full);
    CHECK(errors[4] == weir::errc::bulkhead_full);
    CHECK(errors[4]->policy() == 1);
    CHECK(svc.get<weir::bulkhead>().stats().refused == 2);
    CHECK(svc.get<weir::bulkhead>().stats().inside == 0);

    weir::pipeline limited{weir::timed_by{std::ref(w.clock())}, weir::timeout{50ms}, weir::bulkhead{{.max_concurrent = 1, .max_wait = 10s}},
                           [&](int x) -> awaitable<int> {
                               co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
                               co_await w.sleep(1s, {});
                               co_return x;
                           }};
    outcome_type first, second;
    w.call(limited, first);
    w.call(limited, second);
    w.run();
    CHECK(first->value() == 1);
    CHECK(second->error() == weir::errc::deadline_exceeded);
    CHECK(second->error().policy() == 1);
    CHECK(limited.get<weir::bulkhead>().stats().inside == 0);
}

TEST_CASE("asio driver: a context that is destroyed while calls are suspended takes every permit back")
{
    counting running, sleeping, parked, limited, bound, bound_outer;
    {
        auto w = std::make_unique<world>();
        auto const handler = [&](int) -> awaitable<int> {
            co_await w->sleep(1h);
            co_return 1;
        };
        auto const binding = [&](int, weir::view<weir::cancellation> v) -> awaitable<int> {
            co_await w->sleep(1h, v.get<weir::cancellation>().slot);
            co_return 1;
        };
        auto const failing = [](int) -> awaitable<weir::result<int>> { co_return weir::error(weir::errc::unavailable, 1s); };
        weir::timed_by clock{std::ref(w->clock())};
        weir::pipeline a{clock, std::ref(running), handler};
        weir::pipeline b{clock, std::ref(sleeping), weir::retry<3>{{.seed = 1}}, weir::idempotent{failing}};
        weir::bulkhead one{{.max_concurrent = 1, .max_wait = 1h}};
        weir::pipeline c{clock, std::ref(parked), std::ref(one), handler};
        weir::pipeline d{clock, weir::timeout{2h}, std::ref(limited), handler};
        weir::pipeline e{clock, std::ref(bound_outer), weir::timeout{2h}, std::ref(bound), binding};
        outcome_type got[7];
        w->call(a, got[0]);
        w->call(b, got[1]);
        w->call(c, got[2]);
        w->call(c, got[3]);
        w->call(d, got[4]);
        w->call(e, got[5]);
        w->call(c, got[6]);
        w->run_for(500ms);
        CHECK(one.stats().inside == 1);
        CHECK(one.stats().waiting == 2);
        w.reset();
        for (auto const& each : got) CHECK_FALSE(each.has_value());
        CHECK(one.stats().inside == 0);
        CHECK(one.stats().waiting == 0);
    }
    CHECK(running.cancelled == 1);
    CHECK(sleeping.cancelled == 1);
    CHECK(parked.cancelled == 3);
    CHECK(limited.cancelled == 1);
    CHECK(bound.cancelled == 1);
    CHECK(bound_outer.cancelled == 1);
}

TEST_CASE("asio driver: a call owns rvalues and borrows lvalues")
{
    struct request {
        explicit request(std::string t) : text(std::move(t)) {}
        std::string text;
    };
    world w;
    void const* seen = nullptr;
    auto const handler = [&](request const& r) -> awaitable<std::string> {
        seen = &r;
        co_await w.sleep(1s);
        co_return r.text;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, weir::timeout{1min}, handler};
    auto const caller = [&]() -> awaitable<void> {
        request const mine("long enough to lie on the heap, one hopes");
        CHECK((co_await svc(mine)).value() == mine.text);
        CHECK(seen == &mine);
        CHECK((co_await svc(request("another that is long enough to lie on the heap"))).value().starts_with("another"));
        auto waiting = svc(request("a third that is long enough to lie on the heap"));
        CHECK((co_await std::move(waiting)).value().starts_with("a third"));
    };
    w.spawn(caller());
    w.run();
}

TEST_CASE("asio driver: an aggregate that the call is to own is passed as owned")
{
    struct request {
        std::string text;
    };
    world w;
    counting gate;
    auto const handler = [&](request const& r) -> awaitable<std::string> {
        co_await w.sleep(1s);
        co_return r.text;
    };
    weir::pipeline svc{weir::timed_by{std::ref(w.clock())}, std::ref(gate), weir::timeout{1min}, handler};
    auto const caller = [&]() -> awaitable<void> {
        request mine{"long enough to lie on the heap, one hopes"};
        CHECK((co_await svc(weir::owned{std::move(mine)})).value() == "long enough to lie on the heap, one hopes");
    };
    w.spawn(caller());
    w.run();
    CHECK(gate.settled == 1);
}

TEST_CASE("asio driver: without policies it is the handler")
{
    world w;
    auto const handler = [](int x) -> awaitable<int> { co_return x; };
    weir::pipeline svc{handler};
    outcome_type got;
    w.call(svc, got);
    w.run();
    CHECK(got->value() == 1);
}
