// SPDX-License-Identifier: BSL-1.0
// What it costs to be asked elsewhere: a gate that decides by itself, one that could ask and does not have to, and one whose `admit_later` is
// ready at once, each in the same asynchronous pipeline. Medians of 21 alternating rounds; fails if a call allocates.
//   pending {locally|able|asks} CALLS   one way, for counted.sh; its status says whether it allocates
#include "allocations.hpp"
#include "rounds.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace asio = boost::asio;

namespace {

struct order {
    int amount = 0;
};

/// Time stands still: reading a clock would hide the difference.
struct frozen {
    static weir::time_point now() noexcept { return weir::time_point{std::chrono::seconds(1'000'000)}; }
};

[[gnu::noinline]] asio::awaitable<int> price(order const& o)
{
    asm volatile("" ::: "memory");
    co_return o.amount * 3;
}

struct local_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "local_gate";
    int highest = 1'000;
    weir::admission<> admit(auto& call)
    {
        if (call.request().amount > highest) return weir::errc::rate_limited;
        return weir::admitted;
    }
};
template<bool Asks>
struct remote_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "remote_gate";
    int known = Asks ? 0 : 1'000;
    int highest = 1'000;
    weir::admission<> admit(auto& call)
    {
        if (call.request().amount > known) return weir::pending;
        return weir::admitted;
    }
    asio::awaitable<weir::admission<>> admit_later(auto& call)
    {
        if (call.request().amount > highest) co_return weir::errc::rate_limited;
        co_return weir::admitted;
    }
};

template<class Gate>
auto around()
{
    return weir::pipeline{weir::timed_by{frozen{}}, Gate{}, weir::bulkhead{{.max_concurrent = 64}}, weir::circuit_breaker{{}}, price};
}

template<class Service>
[[gnu::noinline]] void run(Service& svc, long calls)
{
    asio::io_context context(1);
    auto const loop = [&]() -> asio::awaitable<void> {
        long sum = 0;
        for (long i = 0; i < calls; ++i) {
            order const o{static_cast<int>(i % 10) + 1};
            sum += *co_await svc(o);
        }
        keep(sum);
    };
    asio::co_spawn(context, loop(), asio::detached);
    context.run();
}

/// The allocations that calls make, beyond those that a run makes whatever it calls.
template<class Service>
std::size_t allocated(Service& svc, long calls)
{
    run(svc, 100);
    std::size_t const start = allocations();
    run(svc, 100);
    std::size_t const few = allocations();
    run(svc, calls);
    return allocations() - few - (few - start);
}

} // namespace

int main(int argc, char** argv)
{
    auto locally = around<local_gate>();
    auto able = around<remote_gate<false>>();
    auto asks = around<remote_gate<true>>();
    if (argc == 3) {
        std::string_view const way = argv[1];
        long const calls = std::atol(argv[2]);
        if (way == "locally") return allocated(locally, calls) == 0 ? 0 : 1;
        if (way == "able") return allocated(able, calls) == 0 ? 0 : 1;
        if (way == "asks") return allocated(asks, calls) == 0 ? 0 : 1;
        std::fputs("usage: pending [{locally|able|asks} CALLS]\n", stderr);
        return 2;
    }
    auto const a = [&](long calls) { run(locally, calls); };
    auto const [plain, unused] = alternate(21, 1, 400'000, a, [&](long calls) { run(able, calls); });
    std::printf("decides by itself: %.1f ns, could ask: %.1f ns\n", plain, unused);
    auto const [again, asking] = alternate(21, 1, 400'000, a, [&](long calls) { run(asks, calls); });
    std::printf("decides by itself: %.1f ns, asks and is answered at once: %.1f ns: %+.1f ns; the bar is +40: %s\n", again, asking,
                asking - again, asking - again <= 40 ? "holds" : "MISSED");
    std::size_t const made = allocated(locally, 100'000) + allocated(able, 100'000) + allocated(asks, 100'000);
    std::printf("%zu allocations in 300000 calls\n", made);
    return made == 0 ? 0 : 1;
}
