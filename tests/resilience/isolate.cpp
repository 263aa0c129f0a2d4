// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/isolate.hpp>

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// A handler that stays inside until it is let go.
struct door {
    std::counting_semaphore<> entered{0}, open{0};
    int operator()(int x)
    {
        entered.release();
        open.acquire();
        return x;
    }
};

/// Sets a fact on the way down and reads what was reported on the way up.
struct token {
    std::string text;
};
struct gives_token {
    using role = weir::gate;
    using provides = weir::facets<token>;
    static constexpr std::string_view name = "gives_token";
    weir::admission<> admit(auto& call)
    {
        call.set(token{"seven"});
        return weir::admitted;
    }
};
struct reported_inside {
    std::thread::id on;
};
struct reports_thread {
    using role = weir::gate;
    using reports = weir::facets<reported_inside>;
    static constexpr std::string_view name = "reports_thread";
    weir::admission<> admit(auto& call)
    {
        call.report(reported_inside{std::this_thread::get_id()});
        return weir::admitted;
    }
};
/// Counts its permits.
struct counting_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "counting_gate";
    std::atomic<int>* out;
    weir::admission<> admit(auto&)
    {
        ++*out;
        return weir::admitted;
    }
    void settle(weir::pass, auto const&, auto&) { --*out; }
    void cancel(weir::pass) noexcept { --*out; }
};

} // namespace

TEST_CASE(
    "isolate: the inside runs on another thread, with the request, the facets and the deadline of its call, and its reports come back")
{
    std::thread::id inside{};
    weir::deadline seen;
    weir::pipeline svc{weir::timeout{1h}, gives_token{}, weir::isolate{{.core_size = 1}}, reports_thread{},
                       [&](std::string const& s, weir::view<token, weir::deadline> facts) {
                           inside = std::this_thread::get_id();
                           seen = facts.get<weir::deadline>();
                           return s + facts.get<token>().text;
                       }};
    auto const reply = svc.call(std::string("two"));
    CHECK(reply.result().value() == "twoseven");
    CHECK(inside != std::this_thread::get_id());
    CHECK(reply.reported<reported_inside>()->on == inside);
    CHECK(seen.at != weir::never);
    CHECK(seen.policy == 0);
    svc.get<weir::isolate>().pool()->drain(); // a call is told before it is counted
    CHECK(svc.get<weir::isolate>().stats().returned == 1);
}

TEST_CASE("isolate: an exception of the handler comes out on the caller's thread, and policies further out see a failure")
{
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, [](int x) -> int {
                           if (x < 0) throw std::runtime_error("negative");
                           return x;
                       }};
    CHECK_THROWS_WITH_AS(static_cast<void>(svc(-1)), "negative", std::runtime_error);
    CHECK(svc(1).value() == 1);
    weir::pipeline mended{weir::fallback{-7}, weir::isolate{{.core_size = 1}}, [](int) -> int { throw std::runtime_error("no"); }};
    CHECK(mended(1).value() == -7);
}

TEST_CASE("isolate: errors and who made them come through as they are")
{
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, weir::bulkhead{{.max_concurrent = 1}}, [](int x) -> weir::result<int> {
                           if (x == 0) return weir::errc::not_found;
                           return x;
                       }};
    auto const none = svc.call(0);
    CHECK(none.result().error() == weir::errc::not_found);
    CHECK(none.result().error().policy() == weir::error::no_policy);
    CHECK(none.answered_by() == weir::error::no_policy);
    weir::waiter w;
    struct {
        static weir::time_point now() { return {}; }
    } call;
    REQUIRE(svc.get<weir::bulkhead>().admit(call, w).is_admitted());
    auto const full = svc.call(1);
    CHECK(full.result().error() == weir::errc::bulkhead_full);
    CHECK(full.result().error().policy() == 1);
    CHECK(full.answered_by() == 1);
    svc.get<weir::bulkhead>().cancel({});
}

TEST_CASE("isolate: a synchronous caller is released at its deadline; the late outcome is dropped, and the pipeline's end waits for it")
{
    weir::manual_clock clock; // for the thread the time never comes: it runs, however late it begins
    door inside;
    auto const kept = std::make_shared<int>(3); // what the late outcome holds
    {
        weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::timeout{5ms}, weir::isolate{{.core_size = 1}}, [&](int x) {
                               inside(x);
                               return kept;
                           }};
        auto const late = svc(1);
        CHECK(late.error() == weir::errc::deadline_exceeded);
        CHECK(late.error().policy() == 1);
        while (!inside.entered.try_acquire()) static_cast<void>(svc(1)); // the thread may have come too late to begin
        CHECK(svc.get<weir::isolate>().stats().active == 1);
        inside.open.release();
        svc.get<weir::isolate>().pool()->drain();
        CHECK(svc.get<weir::isolate>().stats().left_behind == 1);
        CHECK(svc.get<weir::isolate>().stats().active == 0);
    }
    CHECK(kept.use_count() == 1);
    {
        std::thread opening;
        {
            weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::timeout{5ms}, weir::isolate{{.core_size = 1}},
                               [&](int x) { return inside(x); }};
            while (!inside.entered.try_acquire()) CHECK(svc(1).has_error());
            opening = std::thread([&] { inside.open.release(); });
        } // here it has ended
        opening.join();
        CHECK_FALSE(inside.open.try_acquire());
    }
}

TEST_CASE("isolate: who finds no thread waits in the queue, up to its bound or the lower threshold, and is refused beyond")
{
    for (bool const by_threshold : {false, true}) {
        door inside;
        auto const pool = std::make_shared<weir::worker_pool>(
            by_threshold ? weir::worker_pool_options{.core_size = 1, .max_queue = 9, .queue_size_rejection_threshold = 2}
                         : weir::worker_pool_options{.core_size = 1, .max_queue = 2});
        weir::pipeline svc{weir::isolate{pool}, std::ref(inside)};
        std::vector<std::thread> callers;
        for (int i = 0; i < 3; ++i) {
            callers.emplace_back([&, i] { CHECK(svc(i).value() == i); });
            if (i == 0)
                inside.entered.acquire();
            else
                while (pool->stats().queued != static_cast<std::uint64_t>(i)) std::this_thread::yield();
        }
        CHECK(pool->is_full());
        CHECK(svc(9).error() == weir::errc::bulkhead_full);
        CHECK(svc.get<weir::isolate>().stats().refused == 1);
        CHECK(pool->stats().active == 1);
        CHECK(pool->stats().queued == 2);
        inside.open.release(3);
        for (auto& c : callers) c.join();
        CHECK_FALSE(pool->is_full());
        pool->drain();
        CHECK(svc.get<weir::isolate>().stats().returned == 3);
        CHECK(pool->stats().largest == 1);
    }
}

TEST_CASE("isolate: a call whose deadline passes while it waits for a thread never runs")
{
    door inside;
    std::atomic<int> ran{0};
    auto const pool = std::make_shared<weir::worker_pool>(weir::worker_pool_options{.core_size = 1, .max_queue = 4});
    weir::pipeline blocking{weir::isolate{pool}, std::ref(inside)};
    weir::pipeline hasty{weir::timeout{2ms}, weir::isolate{pool}, [&](int x) {
                             ++ran;
                             return x;
                         }};
    std::thread holder([&] { CHECK(blocking(1).value() == 1); });
    inside.entered.acquire();
    CHECK(hasty(1).error() == weir::errc::deadline_exceeded);
    CHECK(pool->stats().queued == 0);
    CHECK(hasty.get<weir::isolate>().stats().abandoned == 1);
    inside.open.release();
    holder.join();
    CHECK(ran == 0);
}

TEST_CASE("isolate: the attempts of a retry run on the pool, each with a permit of its own inside")
{
    std::atomic<int> out{0}, runs{0};
    weir::pipeline svc{weir::retry<3>{{.base = 1us, .cap = 1us}}, weir::isolate{{.core_size = 2}}, counting_gate{&out},
                       weir::idempotent{[&](int x) -> weir::result<int> {
                           if (++runs < 3) return weir::errc::upstream_failed;
                           return x;
                       }}};
    CHECK(svc(5).value() == 5);
    CHECK(runs == 3);
    CHECK(out == 0);
    svc.get<weir::isolate>().pool()->drain();
    CHECK(svc.get<weir::isolate>().stats().returned == 3);
}

TEST_CASE("isolate: who has its answer finds the thread free that gave it")
{
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, [](int x) { return x; }};
    int answered = 0;
    for (int i = 0; i < 2'000; ++i) answered += svc(i).has_value();
    CHECK(answered == 2'000);
}

TEST_CASE("isolate: a pool that has stopped refuses what waits and what comes")
{
    door inside;
    auto const pool = std::make_shared<weir::worker_pool>(weir::worker_pool_options{.core_size = 1, .max_queue = 4});
    weir::pipeline svc{weir::isolate{pool}, std::ref(inside)};
    std::thread first([&] { CHECK(svc(1).value() == 1); });
    inside.entered.acquire();
    std::thread second([&] { CHECK(svc(2).error() == weir::errc::unavailable); });
    while (pool->stats().queued != 1) std::this_thread::yield();
    pool->stop();
    second.join();
    CHECK(svc(3).error() == weir::errc::unavailable);
    CHECK_FALSE(pool->drain(weir::steady::now()));
    inside.open.release();
    first.join();
    CHECK(pool->drain());
    CHECK(svc.get<weir::isolate>().stats().refused == 2);
}

TEST_CASE("isolate: bounds change while it runs, and bad ones change nothing")
{
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, [](int x) { return x; }};
    auto& policy = svc.get<weir::isolate>();
    policy.reconfigure({.core_size = 3, .max_queue = 7, .queue_size_rejection_threshold = 5});
    CHECK(weir::describe(svc).text() == "detour isolate core_size=3 max_queue=7 queue_size_rejection_threshold=5\n");
    CHECK_THROWS_WITH_AS(policy.reconfigure({.core_size = 0}), "worker_pool.core_size: expected a number in [1, 1024]",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(policy.reconfigure({.core_size = 1, .max_queue = (1u << 20) + 1}), "worker_pool.max_queue: expected at most 2^20",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::isolate{std::shared_ptr<weir::worker_pool>()}, "isolate.pool: expected a worker_pool",
                         std::invalid_argument);
    CHECK(*policy.settings().core_size == 3);
    CHECK(svc(1).value() == 1);
}

TEST_CASE("isolate: an observer sees what happens inside, and no refusal for an error that came from there")
{
    struct {
        std::atomic<int> forked{0}, refused{0}, called{0}, ended{0};
        void operator()(weir::event::forked const&) { ++forked; }
        void operator()(weir::event::refused const&) { ++refused; }
        void operator()(weir::event::called const&) { ++called; }
        void operator()(weir::event::ended const&) { ++ended; }
    } seen;
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, [](int) -> weir::result<int> { return weir::errc::not_found; }};
    {
        weir::observed watched{svc, std::ref(seen)};
        CHECK(watched(1).error() == weir::errc::not_found);
    }
    CHECK(seen.forked == 1);
    CHECK(seen.refused == 0);
    CHECK(seen.called == 1);
    CHECK(seen.ended == 1);
}

TEST_CASE("isolate: threads that call, give up and throw leave every permit and every errand where it began")
{
    std::atomic<int> out{0}, inner{0}, more{0}, most{0};
    auto const pool = std::make_shared<weir::worker_pool>(weir::worker_pool_options{.core_size = 3, .max_queue = 2});
    std::atomic<std::uint64_t> calls{0}, values{0}, late{0}, full{0}, thrown{0};
    {
        weir::pipeline svc{weir::bulkhead{{.max_concurrent = 100}},
                           counting_gate{&out},
                           weir::timeout{200us},
                           weir::isolate{pool},
                           counting_gate{&inner},
                           [&](int x) -> int {
                               int const now = ++more;
                               for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
                               for (int i = 0; i < x % 64; ++i) std::this_thread::yield();
                               --more;
                               if (x % 7 == 0) throw std::runtime_error("seven");
                               return x;
                           }};
        std::vector<std::thread> callers;
        for (unsigned t = 0; t < 6; ++t)
            callers.emplace_back([&, t] {
                std::mt19937 random(t);
                for (int i = 0; i < 1'500; ++i) {
                    ++calls;
                    try {
                        auto const r = svc(static_cast<int>(random() % 1'000));
                        if (r.has_value())
                            ++values;
                        else
                            ++(r.error() == weir::errc::deadline_exceeded ? late : full);
                    } catch (std::runtime_error const&) {
                        ++thrown;
                    }
                }
            });
        for (auto& c : callers) c.join();
        CHECK(out == 0);
        CHECK(svc.get<weir::bulkhead>().stats().inside == 0);
        CHECK(pool->drain());
        auto const stats = svc.get<weir::isolate>().stats();
        CHECK(stats.active == 0);
        CHECK(stats.queued == 0);
        CHECK(stats.returned + stats.left_behind + stats.expired + stats.abandoned + stats.refused == calls);
    }
    CHECK(values + late + full + thrown == calls);
    CHECK(inner == 0);
    CHECK(most <= 3);
}
