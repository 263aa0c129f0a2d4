// SPDX-License-Identifier: BSL-1.0
// What the border of any_pipeline costs: three policies called directly and through it, synchronous and asynchronous. Medians of 21
// alternating rounds; fails if a call through it allocates.
//   any_pipeline {direct|erased|direct_later|erased_later} CALLS   one way, for counted.sh; its status says whether it allocates
#include "allocations.hpp"
#include "rounds.hpp"

#include <weir/asio.hpp>
#include <weir/core/any_pipeline.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct order {
    int amount = 0;
};

/// Time stands still: reading a clock would hide the difference.
struct frozen {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
};

[[gnu::noinline]] int price(order const& o)
{
    asm volatile("" ::: "memory");
    return o.amount * 3;
}
[[gnu::noinline]] asio::awaitable<int> price_later(order const& o)
{
    asm volatile("" ::: "memory");
    co_return o.amount * 3;
}

weir::rate const rate{.permits = 1'000'000'000, .per = 1s, .burst = 1'000'000'000};

auto around(auto handler)
{
    return weir::pipeline{weir::timed_by{frozen{}}, weir::rate_limit{weir::gcra{rate}}, weir::bulkhead{{.max_concurrent = 64}},
                          weir::circuit_breaker{{}}, handler};
}

template<class Service>
[[gnu::noinline]] void run(Service& svc, long calls)
{
    long sum = 0;
    for (long i = 0; i < calls; ++i) {
        order const o{static_cast<int>(i % 10) + 1};
        sum += *svc(o);
    }
    keep(sum);
}

template<class Service>
asio::awaitable<void> calling(Service& svc, long calls)
{
    long sum = 0;
    for (long i = 0; i < calls; ++i) {
        order const o{static_cast<int>(i % 10) + 1};
        weir::result<int> const r = co_await svc(o);
        sum += *r;
    }
    keep(sum);
}
template<class Service>
[[gnu::noinline]] void run_later(Service& svc, long calls)
{
    asio::io_context context(1);
    asio::co_spawn(context, calling(svc, calls), asio::detached);
    context.run();
}

/// What so many calls allocate more than a thousand do.
template<class Run>
long allocated(Run run, long calls)
{
    run(1'000); // what is made once is made now
    auto const begin = static_cast<long>(allocations());
    run(1'000);
    long const few = static_cast<long>(allocations()) - begin;
    run(calls);
    return static_cast<long>(allocations()) - begin - few - few;
}

template<class Direct, class Any>
bool show(char const* name, Direct direct, Any any)
{
    auto const [plain, erased] = alternate(21, 1, 300'000, direct, any);
    long const made = allocated(any, 100'000);
    std::printf("%-13s direct %5.1f ns, any_pipeline %5.1f ns, %.3f x, %ld allocations in 100,000 calls\n", name, plain, erased,
                erased / plain, made);
    return made == 0;
}

} // namespace

int main(int argc, char** argv)
{
    // The same pipeline both ways, so that it lies at the same place.
    auto svc = around(price);
    weir::any_pipeline_ref<order, int> any(svc);
    auto later = around(price_later);
    weir::any_pipeline_ref<order, asio::awaitable<weir::result<int>>> any_later(later);
    auto const direct = [&](long n) { run(svc, n); };
    auto const erased = [&](long n) { run(any, n); };
    auto const direct_later = [&](long n) { run_later(later, n); };
    auto const erased_later = [&](long n) { run_later(any_later, n); };
    if (argc == 3) {
        std::string_view const way = argv[1];
        long const calls = std::atol(argv[2]);
        if (way == "direct") return allocated(direct, calls) == 0 ? 0 : 1;
        if (way == "erased") return allocated(erased, calls) == 0 ? 0 : 1;
        if (way == "direct_later") return allocated(direct_later, calls) == 0 ? 0 : 1;
        if (way == "erased_later") return allocated(erased_later, calls) == 0 ? 0 : 1;
        std::fputs("usage: any_pipeline {direct|erased|direct_later|erased_later} CALLS\n", stderr);
        return 2;
    }
    bool const synchronous = show("synchronous", direct, erased);
    bool const asynchronous = show("asynchronous", direct_later, erased_later);
    return synchronous && asynchronous ? 0 : 1;
}
