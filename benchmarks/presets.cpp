// SPDX-License-Identifier: BSL-1.0
// The presets beside the same policies written into the pipeline one by one, in one run: a preset is a function that returns a stack, and the
// pipeline takes it apart, so both are to cost the same. Medians of 21 alternating rounds; a handler that answers at once.
#include "rounds.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/presets.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <type_traits>
#include <vector>

namespace asio = boost::asio;

namespace {

asio::awaitable<int> handler(int const& x)
{
    asm volatile("" ::: "memory");
    co_return x + 1;
}

template<class Service>
double round_of(Service& svc)
{
    constexpr int calls = 20'000;
    asio::io_context context(1);
    double took = 0;
    auto const loop = [&]() -> asio::awaitable<void> {
        long sum = 0;
        for (int i = 0; i < calls / 10; ++i) sum += *(co_await svc(i));
        auto const start = std::chrono::steady_clock::now();
        for (int i = 0; i < calls; ++i) sum += *(co_await svc(i));
        took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / calls;
        keep(sum);
    };
    asio::co_spawn(context, loop(), asio::detached);
    context.run();
    return took;
}
template<class A, class B>
void compare(char const* name, A& preset, B& by_hand)
{
    static_assert(std::is_same_v<A, B>); // the very same pipeline: what differs below is the machine's noise
    std::vector<double> a, b;
    for (int i = 0; i < 21; ++i) {
        a.push_back(round_of(preset));
        b.push_back(round_of(by_hand));
    }
    std::printf("%-16s %.0f ns, policy by policy %.0f ns: %.2f x\n", name, median(a), median(b), median(a) / median(b));
}

} // namespace

int main()
{
    {
        weir::client_standard_options const o;
        weir::pipeline preset{weir::client_standard(o), weir::idempotent{handler}};
        weir::pipeline by_hand{weir::bulkhead{{.max_concurrent = o.max_concurrent}},
                               weir::timeout{o.timeout},
                               weir::retry<3>{o.retry},
                               weir::circuit_breaker{o.breaker},
                               weir::attempt_timeout{o.attempt_timeout},
                               weir::idempotent{handler}};
        compare("client_standard", preset, by_hand);
    }
    {
        weir::scope work;
        weir::hedged_read_options const o;
        weir::pipeline preset{weir::hedged_read(work, o), weir::idempotent{handler}};
        weir::pipeline by_hand{weir::within{work},       weir::bulkhead{{.max_concurrent = o.max_concurrent}},
                               weir::timeout{o.timeout}, weir::circuit_breaker{o.breaker},
                               weir::hedge<2>{o.hedge},  weir::attempt_timeout{o.attempt_timeout},
                               weir::idempotent{handler}};
        compare("hedged_read", preset, by_hand);
    }
    {
        weir::load_gauge gauge;
        weir::server_edge_options const o;
        weir::pipeline preset{weir::server_edge(gauge, o), handler};
        weir::pipeline by_hand{weir::load_shed{gauge, o.shed}, weir::timeout{o.timeout}, weir::adaptive_limit{weir::gradient2{}, o.limit},
                               handler};
        compare("server_edge", preset, by_hand);
    }
    {
        weir::queue_worker_options const o;
        weir::pipeline preset{weir::queue_worker(o), weir::idempotent{handler}};
        weir::pipeline by_hand{
            weir::bulkhead{{.max_concurrent = o.max_concurrent, .max_wait = weir::duration::max(), .max_waiting = o.max_waiting}},
            weir::retry<5>{o.retry}, weir::circuit_breaker{o.breaker}, weir::attempt_timeout{o.attempt_timeout}, weir::idempotent{handler}};
        compare("queue_worker", preset, by_hand);
    }
}
