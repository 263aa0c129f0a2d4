// SPDX-License-Identifier: BSL-1.0
//
// What a retry and a hedge cost when all goes well, beside the same written by hand: a retry around a function, with the same budget, and a
// hedge around an awaitable handler that yields once. The hedge by hand spawns the attempt and waits for it or for a timer, which is what one
// writes with Asio.
// usage: repeats [{retried|retried_by_hand|hedged|hedged_by_hand} CALLS]
// counted.sh counts the instructions a call from two runs with different numbers of calls; without arguments it measures time.
#include "allocations.hpp"
#include "rounds.hpp"

#include <weir/asio.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/retry.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// Time stands still: the reading of a clock is the same for both and would hide the difference.
struct frozen {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
    static void sleep_until(weir::time_point) noexcept {}
};

weir::result<int> answer(int x)
{
    asm volatile("" ::: "memory");
    return x + 1;
}
asio::awaitable<int> answer_later(int x)
{
    co_await asio::post(asio::use_awaitable);
    co_return x + 1;
}

long retried(std::size_t calls)
{
    weir::pipeline svc{weir::timed_by{frozen{}}, weir::retry<3>{{.seed = 1}}, weir::idempotent{answer}};
    long sum = 0;
    for (std::size_t i = 0; i < calls; ++i) sum += *svc(static_cast<int>(i));
    return sum;
}

[[gnu::noinline]] bool another_by_hand(weir::budget& budget, int attempt, weir::error)
{
    return attempt < 3 && budget.withdraw(frozen::now());
}
long retried_by_hand(std::size_t calls)
{
    weir::budget budget;
    long sum = 0;
    for (std::size_t i = 0; i < calls; ++i) {
        weir::result<int> r = answer(static_cast<int>(i));
        budget.deposit(frozen::now());
        for (int attempt = 1; r.has_error() && weir::is_fault(r.error().kind()) && another_by_hand(budget, attempt, r.error()); ++attempt)
            r = answer(static_cast<int>(i));
        sum += *r;
    }
    return sum;
}

long run(asio::awaitable<long> work)
{
    asio::io_context context(1);
    long sum = 0;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, long s) {
        if (thrown != nullptr) std::rethrow_exception(thrown);
        sum = s;
    });
    context.run();
    return sum;
}

long hedged(std::size_t calls)
{
    weir::scope jobs;
    weir::pipeline svc{weir::timed_by{frozen{}}, weir::within{jobs}, weir::hedge<2>{{.after = 50ms}}, weir::idempotent{answer_later}};
    auto const loop = [&]() -> asio::awaitable<long> {
        long sum = 0;
        for (std::size_t i = 0; i < calls; ++i) {
            int const n = static_cast<int>(i);
            weir::result<int> const r = co_await svc(n);
            sum += *r;
        }
        co_return sum;
    };
    return run(loop());
}

/// One hedged call: a first attempt, and a second one if the first is not there in time.
struct by_hand {
    explicit by_hand(asio::any_io_executor executor) : timer(executor) {}
    asio::steady_timer timer;
    asio::cancellation_signal stop[2];
    std::optional<int> came;
};
asio::awaitable<void> attempt_by_hand(std::shared_ptr<by_hand> call, int x)
{
    int const r = co_await answer_later(x);
    if (!call->came) call->came = r;
    call->timer.cancel();
}
asio::awaitable<int> hedged_call_by_hand(int x)
{
    auto const executor = co_await asio::this_coro::executor;
    auto const call = std::make_shared<by_hand>(executor);
    for (auto& stop : call->stop) {
        asio::co_spawn(executor, attempt_by_hand(call, x), asio::bind_cancellation_slot(stop.slot(), asio::detached));
        call->timer.expires_after(&stop == call->stop ? 50ms : 1h);
        boost::system::error_code ignored;
        co_await call->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (call->came) break;
    }
    for (auto& stop : call->stop) stop.emit(asio::cancellation_type::terminal);
    co_return *call->came;
}
long hedged_by_hand(std::size_t calls)
{
    auto const loop = [&]() -> asio::awaitable<long> {
        long sum = 0;
        for (std::size_t i = 0; i < calls; ++i) sum += co_await hedged_call_by_hand(static_cast<int>(i));
        co_return sum;
    };
    return run(loop());
}

struct way {
    std::string_view name;
    long (*run)(std::size_t calls);
};
constexpr way ways[] = {{"retried", retried}, {"retried_by_hand", retried_by_hand}, {"hedged", hedged}, {"hedged_by_hand", hedged_by_hand}};

} // namespace

int main(int argc, char** argv)
{
    if (argc == 3) {
        for (way const& each : ways)
            if (each.name == argv[1]) {
                std::size_t const n = std::strtoull(argv[2], nullptr, 10), before = allocations();
                keep(each.run(n));
                std::printf("%.2f allocations a call\n", static_cast<double>(allocations() - before) / static_cast<double>(n));
                return 0;
            }
        std::fprintf(stderr, "no such way: %s\n", argv[1]);
        return 2;
    }
    std::size_t const calls = 20'000;
    for (std::size_t i = 0; i < std::size(ways); i += 2) {
        std::vector<double> a, b;
        for (int round = 0; round < 21; ++round) {
            a.push_back(nanoseconds_each(calls, [&] { keep(ways[i].run(calls)); }));
            b.push_back(nanoseconds_each(calls, [&] { keep(ways[i + 1].run(calls)); }));
        }
        std::printf("%-8s %7.1f ns a call, by hand %7.1f: %.2f x\n", ways[i].name.data(), median(a), median(b), median(a) / median(b));
    }
}
