// SPDX-License-Identifier: BSL-1.0
//
// Retries, hedges and the refreshes of a cache that share one budget, in virtual time: a source that fails for everybody gets at most
// 1 + budget times the calls.
#include <weir/testing/simulation.hpp>

#include <weir/cache/cached.hpp>
#include <weir/cache/refresh_ahead.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/scope.hpp>
#include <weir/resilience/budget.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/retry.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <random>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
constexpr int hot = 500;

struct sums {
    std::uint64_t sent = 0;  // to the source
    std::uint64_t calls = 0; // that found nothing in a cache
    std::uint64_t retries = 0, hedges = 0, refreshes = 0, over_budget = 0;
    std::uint64_t lost = 0; // values that were there and were not given

    [[nodiscard]] double times() const { return static_cast<double>(sent) / static_cast<double>(calls); }
};

/// One source behind two caches: what the one asks of it is retried, what the other asks is hedged. 500 values each are due, and asked for all
/// the time, and new keys come, too; the source fails for 30 s.
sums fail_for_everybody(weir::budget_options const& o)
{
    weir::simulation world;
    weir::scope jobs;
    weir::budget lent{o};
    sums all;
    bool fails = false;
    auto const source = [&](int key) -> asio::awaitable<weir::result<int>> {
        ++all.sent;
        co_await world.sleep(20ms);
        if (fails) co_return weir::errc::unavailable;
        co_return key;
    };
    auto const cache = [&] {
        return weir::cached{weir::store<int, int>{{.capacity = 10'000, .ttl = 600s, .jitter = 0}}, itself,
                            weir::refresh_ahead{{.after = 0.5, .backoff = {.retry_after = 1s, .max_retry_after = 1s}}, std::ref(lent)}};
    };
    weir::pipeline retried{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, cache(),
                           weir::retry<3>{{.base = 1ms, .cap = 5ms}, std::ref(lent)}, weir::idempotent{source}};
    weir::pipeline hedged{weir::timed_by{std::ref(world.clock())}, weir::within{jobs}, cache(),
                          weir::hedge<2>{{.after = 5ms}, std::ref(lent)}, weir::idempotent{source}};
    auto const ask = [&](auto& svc, int key) -> asio::awaitable<void> {
        auto const r = co_await svc(key);
        if (key < hot && !(r == key)) ++all.lost;
    };
    for (int key = 0; key < hot; ++key) {
        world.spawn(ask(retried, key));
        world.spawn(ask(hedged, key));
    }
    world.run_for(400s);
    std::uint64_t const early = retried.get<weir::cached>().stats().loads + hedged.get<weir::cached>().stats().loads;
    std::uint64_t const early_hedges = hedged.get<weir::hedge>().stats().hedges;
    all.sent = 0;
    fails = true;
    std::mt19937 random(9);
    for (int i = 0; i < 12'000; ++i) {
        int const key = random() % 2 == 0 ? static_cast<int>(random() % hot) : 2 * hot + i;
        if (random() % 2 == 0)
            world.spawn(ask(retried, key));
        else
            world.spawn(ask(hedged, key));
        world.run_for(1us * (random() % 5'000));
    }
    world.run_for(10s);
    auto const a = retried.get<weir::cached>().stats(), b = hedged.get<weir::cached>().stats();
    all.refreshes = a.refreshes + b.refreshes;
    all.calls = a.loads + b.loads - early - all.refreshes;
    all.retries = retried.get<weir::retry>().stats().retries;
    all.hedges = hedged.get<weir::hedge>().stats().hedges - early_hedges;
    all.over_budget = retried.get<weir::cached>().part<weir::refresh_ahead>().stats().over_budget +
                      hedged.get<weir::cached>().part<weir::refresh_ahead>().stats().over_budget;
    CHECK(jobs.size() == 0);
    return all;
}

} // namespace

TEST_CASE("budget: retries, hedges and refreshes together send at most 1 + budget times the calls to a source that fails")
{
    for (double const ratio : {0.1, 0.2, 0.5}) {
        sums const r = fail_for_everybody({.ratio = ratio, .floor_per_second = 0, .window = 60s});
        MESSAGE("budget ", ratio, ": ", r.times(), " times the ", r.calls, " calls; ", r.retries, " retries, ", r.hedges, " hedges, ",
                r.refreshes, " refreshes, ", r.over_budget, " refused");
        CHECK(r.calls > 5'000);
        CHECK(r.sent == r.calls + r.retries + r.hedges + r.refreshes);
        CHECK(r.times() <= 1 + ratio);
        CHECK(r.times() > 1 + 0.95 * ratio);
        CHECK(r.retries > 50);
        CHECK(r.hedges > 50);
        CHECK(r.refreshes > 50);
        CHECK(r.over_budget > 50);
        CHECK(r.lost == 0);
    }
    sums const unbounded = fail_for_everybody({.ratio = 1, .floor_per_second = 1e6, .window = 60s});
    CHECK(unbounded.times() > 2.5);
    CHECK(unbounded.over_budget == 0);
}
