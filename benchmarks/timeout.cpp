// SPDX-License-Identifier: BSL-1.0
// What a timeout adds to a call of an awaitable handler that finishes in time, beside what Asio's `handler() || timer` adds, in one run.
// Medians of 21 alternating rounds; the handler yields to its executor once.
#include "rounds.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<int> handler(int const& x)
{
    asm volatile("" ::: "memory");
    co_return x + 1;
}
asio::awaitable<int> bound_handler(int const& x, weir::view<weir::cancellation>)
{
    asm volatile("" ::: "memory");
    co_return x + 1;
}

asio::awaitable<int> raced(int const& x)
{
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer(co_await asio::this_coro::executor, 200ms);
    auto won = co_await (handler(x) || timer.async_wait(asio::use_awaitable));
    co_return won.index() == 0 ? std::get<0>(won) : -1;
}

/// Nanoseconds a call, `calls` of them one after the other on one context.
template<class Call>
double round_of(Call call, int calls)
{
    asio::io_context context(1);
    double took = 0;
    auto const loop = [&]() -> asio::awaitable<void> {
        long sum = 0;
        for (int i = 0; i < calls / 10; ++i) sum += co_await call(i);
        auto const start = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) sum += co_await call(i);
        took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / calls;
        keep(sum);
    };
    asio::co_spawn(context, loop(), asio::detached);
    context.run();
    return took;
}

} // namespace

int main()
{
    weir::pipeline bare{handler};
    weir::pipeline limited{weir::timeout{200ms}, handler};
    weir::pipeline bound{weir::timeout{200ms}, bound_handler};
    auto const value = [](auto& svc) {
        return [&svc](int const& x) -> asio::awaitable<int> {
            weir::result<int> const r = co_await svc(x);
            co_return *r;
        };
    };
    int const calls = 20'000;
    std::vector<double> direct, race, plain, with, with_bound;
    for (int i = 0; i < 21; ++i) {
        direct.push_back(round_of([](int const& x) { return handler(x); }, calls));
        race.push_back(round_of([](int const& x) { return raced(x); }, calls));
        plain.push_back(round_of(value(bare), calls));
        with.push_back(round_of(value(limited), calls));
        with_bound.push_back(round_of(value(bound), calls));
    }
    double const race_adds = median(race) - median(direct);
    double const timeout_adds = median(with) - median(plain);
    double const bound_adds = median(with_bound) - median(plain);
    std::printf("handler %.0f ns; handler || timer %.0f, adds %.0f\n", median(direct), median(race), race_adds);
    std::printf("pipeline %.0f ns; with timeout %.0f, adds %.0f: 1/%.1f of the race (bar 1/7)\n", median(plain), median(with), timeout_adds,
                race_adds / timeout_adds);
    std::printf("with timeout, the handler binds the slot %.0f, adds %.0f: 1/%.1f of the race (bar 1/40)\n", median(with_bound), bound_adds,
                race_adds / bound_adds);
}
