// SPDX-License-Identifier: BSL-1.0
// What `isolate` costs beside the same by hand, in one run: a synchronous caller beside `asio::post` to a thread pool and a `std::future`, an
// asynchronous one beside a coroutine that posts to the pool and comes back. Medians of 21 alternating rounds, one caller, one thread.
#include "rounds.hpp"

#include <weir/asio.hpp>
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/isolate.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>
#include <future>
#include <vector>

namespace asio = boost::asio;

namespace {

int handler(int const& x)
{
    asm volatile("" ::: "memory");
    return x + 1;
}

/// Nanoseconds a call, one after the other on a context that outlives the pool: its threads may still let go of it when the round is over.
template<class Call>
double round_of(asio::io_context& context, Call call, int calls)
{
    double took = 0;
    auto const loop = [&]() -> asio::awaitable<void> {
        long sum = 0;
        auto const start = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) sum += co_await call(i);
        took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / calls;
        keep(sum);
    };
    asio::co_spawn(context, loop(), asio::detached);
    while (took == 0) context.run_one();
    return took;
}

} // namespace

int main()
{
    asio::io_context context(1);
    auto const guard = asio::make_work_guard(context);
    asio::thread_pool pool(1);
    weir::pipeline blocking{weir::isolate{{.core_size = 1}}, handler};
    weir::pipeline awaiting{weir::isolate{{.core_size = 1}}, weir::asynchronous{handler}};
    auto const by_future = [&](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) {
            int const x = static_cast<int>(i);
            std::promise<int> promise;
            auto future = promise.get_future();
            asio::post(pool, [x, &promise] { promise.set_value(handler(x)); });
            sum += future.get();
        }
        keep(sum);
    };
    auto const by_isolate = [&](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) {
            int const x = static_cast<int>(i);
            sum += *blocking(x);
        }
        keep(sum);
    };
    auto const [hand, ours] = alternate(21, 1, 5'000, by_future, by_isolate);
    std::printf("synchronous: post and future %.0f ns, isolate %.0f ns: %.2f x\n", hand, ours, ours / hand);

    std::vector<double> hands, isolates;
    auto const hops = [&](int const& x) -> asio::awaitable<int> {
        auto const home = co_await asio::this_coro::executor;
        co_await asio::post(pool, asio::use_awaitable);
        int const y = handler(x);
        co_await asio::post(home, asio::use_awaitable);
        co_return y;
    };
    auto const spawns = [&](int const& x) -> asio::awaitable<int> {
        auto const there = [](int y) -> asio::awaitable<int> { co_return handler(y); };
        co_return co_await asio::co_spawn(pool, there(x), asio::use_awaitable);
    };
    auto const asks = [&](int const& x) -> asio::awaitable<int> {
        weir::result<int> const r = co_await awaiting(x);
        co_return *r;
    };
    std::vector<double> spawned;
    for (int i = 0; i < 21; ++i) {
        hands.push_back(round_of(context, hops, 5'000));
        spawned.push_back(round_of(context, spawns, 5'000));
        isolates.push_back(round_of(context, asks, 5'000));
    }
    std::printf("asynchronous: posts there and back %.0f ns, co_spawn %.0f ns, isolate %.0f ns: %.2f x, %.2f x\n", median(hands),
                median(spawned), median(isolates), median(isolates) / median(hands), median(isolates) / median(spawned));
    pool.join();
}
