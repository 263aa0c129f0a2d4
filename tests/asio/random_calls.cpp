// SPDX-License-Identifier: BSL-1.0
// Random calls through a pipeline that waits in every way there is, cancelled at random moments: each ends once, and every permit comes
// back once.
#include <weir/asio.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::awaitable;

/// Knows each permit that it lent.
struct strict {
    using role = weir::gate;
    static constexpr std::string_view name = "strict";
    std::set<std::uint64_t> out;
    std::uint64_t lent = 0;
    std::uint64_t wrong = 0;
    auto admit(auto&) -> weir::admission<std::uint64_t>
    {
        out.insert(++lent);
        return lent;
    }
    void settle(std::uint64_t permit, auto const&, auto&) { wrong += out.erase(permit) != 1; }
    void cancel(std::uint64_t permit) noexcept { wrong += out.erase(permit) != 1; }
};

struct figures {
    int done = 0;
    int good = 0;
    int cancelled = 0;
    int late = 0;
    int full = 0;
    int threw = 0;
};

void run(std::uint64_t seed, bool leave_early)
{
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    figures seen;
    strict outer, middle, inner;
    auto world = std::make_unique<weir::simulation>();
    auto const any = [&](weir::duration most) {
        return weir::duration(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most.count())));
    };
    weir::bulkhead places{{.max_concurrent = 3, .max_wait = 300ms, .max_waiting = 8}};
    weir::circuit_breaker breaker{{.failure_rate = 0.9, .window = 1s, .minimum_calls = 10, .open_for = 200ms, .probe_limit = 300ms}};
    auto const handler = [&](int) -> awaitable<weir::result<int>> {
        switch (random() % 6) {
        case 0: co_return weir::errc::unavailable;
        case 1: throw std::runtime_error("broken");
        case 2: co_return 1;
        case 3: // ignores cancellation
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            co_await world->sleep(any(200ms), {});
            co_return 1;
        default: co_await world->sleep(any(300ms)); co_return 1;
        }
    };
    auto const binding = [&](int, weir::view<weir::cancellation> v) -> awaitable<weir::result<int>> {
        if (random() % 5 == 0) co_return weir::errc::unavailable;
        co_await world->sleep(any(300ms), v.get<weir::cancellation>().slot);
        co_return 1;
    };
    auto const policies = [&] {
        return weir::stack{weir::timed_by{std::ref(world->clock())},
                           std::ref(outer),
                           weir::timeout{500ms},
                           weir::throttle{weir::gcra{{.permits = 100, .per = 1s, .burst = 5}}, 100ms},
                           weir::retry<3>{{.base = 20ms, .cap = 100ms, .budget = {.floor_per_second = 1e6}, .seed = seed + 1}},
                           std::ref(middle),
                           std::ref(breaker),
                           weir::attempt_timeout{150ms},
                           std::ref(places),
                           std::ref(inner)};
    };
    weir::pipeline plain{policies(), weir::idempotent{handler}};
    weir::pipeline bound{policies(), weir::idempotent{binding}};

    constexpr int calls = 300;
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    auto const judge = [&](std::exception_ptr e, weir::result<int> const& r) {
        ++seen.done;
        if (e != nullptr)
            ++seen.threw;
        else if (r.has_value())
            ++seen.good;
        else if (r.error() == weir::errc::cancelled)
            ++seen.cancelled;
        else if (r.error() == weir::errc::deadline_exceeded)
            ++seen.late;
        else if (r.error() == weir::errc::bulkhead_full)
            ++seen.full;
    };
    auto const caller = [&](int i) -> awaitable<void> {
        co_await world->sleep(any(5s));
        auto token = asio::bind_cancellation_slot(signals[static_cast<std::size_t>(i)]->slot(), judge);
        if (random() % 2 == 0)
            weir::async_call(world->context().get_executor(), plain, int(i), std::move(token));
        else
            weir::async_call(world->context().get_executor(), bound, int(i), std::move(token));
        if (random() % 3 != 0) co_return;
        co_await world->sleep(any(250ms));
        signals[static_cast<std::size_t>(i)]->emit(asio::cancellation_type::terminal);
    };
    for (int i = 0; i < calls; ++i) {
        signals.push_back(std::make_unique<asio::cancellation_signal>());
        world->spawn(caller(i));
    }
    auto const changing = [&]() -> awaitable<void> {
        for (int i = 0; i < 40; ++i) {
            co_await world->sleep(any(250ms));
            places.reconfigure({.max_concurrent = static_cast<std::uint32_t>(1 + random() % 4), .max_wait = 300ms, .max_waiting = 8});
        }
    };
    world->spawn(changing());

    if (leave_early) {
        world->run_for(any(5s));
        world.reset();
    } else {
        world->run();
        CHECK(seen.done == calls);
        CHECK(seen.good > 0);
        CHECK(seen.cancelled > 0);
    }
    for (strict const* gate : {&outer, &middle, &inner}) {
        CHECK(gate->wrong == 0);
        CHECK(gate->out.empty());
    }
    CHECK(places.stats().inside == 0);
    CHECK(places.stats().waiting == 0);
}

} // namespace

TEST_CASE("random calls: each ends once, and every permit comes back once")
{
    for (std::uint64_t seed = 1; seed <= 12; ++seed) run(seed, false);
}

TEST_CASE("random calls: also when the context goes in the middle of it")
{
    for (std::uint64_t seed = 100; seed <= 112; ++seed) run(seed, true);
}
