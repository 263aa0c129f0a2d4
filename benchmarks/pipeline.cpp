// SPDX-License-Identifier: BSL-1.0
// Six policies around a synchronous handler, seven around an awaitable one, each beside the same behaviour written by hand.
// usage: pipeline {composed|by_hand|composed_async|by_hand_async} CALLS
// counted.sh counts the instructions a call from two runs with different numbers of calls.
#include "allocations.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct order {
    int amount = 0;
    int account = 0;
};

/// Time stands still: the reading of a clock is the same for both and would hide the difference.
struct frozen {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
    static void sleep_until(weir::time_point) noexcept {}
};

/// Refuses orders out of range.
struct in_range {
    using role = weir::gate;
    static constexpr std::string_view name = "in_range";
    int highest = 1'000'000;

    weir::admission<> admit(auto& call)
    {
        if (call.request().amount <= 0 || call.request().amount > highest) return weir::errc::invalid_request;
        return weir::admitted;
    }
};

struct account_facet {
    int number = 0;
};
/// Tells the policies further in whose account it is.
struct find_account {
    using role = weir::gate;
    using provides = weir::facets<account_facet>;
    static constexpr std::string_view name = "find_account";

    weir::admission<> admit(auto& call)
    {
        call.set(account_facet{call.request().account});
        return weir::admitted;
    }
};

/// The work. The compiler does not see through it.
[[gnu::noinline]] int price(order const& o)
{
    asm volatile("" ::: "memory");
    if (o.amount == 13) throw std::runtime_error("no price");
    return o.amount * 3;
}
[[gnu::noinline]] asio::awaitable<int> price_later(order const& o)
{
    asm volatile("" ::: "memory");
    if (o.amount == 13) throw std::runtime_error("no price");
    co_return o.amount * 3;
}

weir::rate const rate{.permits = 1'000'000'000, .per = 1s, .burst = 1'000'000'000};

// What a programmer writes who knows the algorithms and composes them by hand: guards, a loop, a try; the same counts, the same
// settings that can be changed, the same answers.
class by_hand {
public:
    weir::result<int> operator()(order const& request)
    {
        weir::result<int> outcome = guarded(request);
        if (outcome.has_error()) [[unlikely]] {
            weir::errc const e = outcome.error().kind();
            if (weir::is_fault(e) || e == weir::errc::circuit_open || e == weir::errc::bulkhead_full) {
                fallbacks_.add();
                return answer_;
            }
            if (e == weir::errc::handler_threw) std::rethrow_exception(thrown_);
        }
        return outcome;
    }

    asio::awaitable<weir::result<int>> later(order const& request)
    {
        account_ = account_facet{request.account};
        weir::result<int> outcome{weir::errc::cancelled};
        weir::time_point const now = clock_.now();
        if (weir::decision const d = limiter_.try_acquire(now); !d) [[unlikely]] {
            refused_.add();
            outcome = weir::error(weir::errc::rate_limited, d.retry_after());
        } else {
            admitted_.add();
            if (request.amount <= 0 || request.amount > highest_)
                outcome = weir::errc::invalid_request;
            else if (!take_place())
                outcome = weir::errc::bulkhead_full;
            else {
                place_guard place{*this};
                std::uint64_t const word = word_.load(std::memory_order_acquire);
                if ((word & 3) != 0) [[unlikely]]
                    outcome = weir::error(weir::errc::circuit_open, 1s);
                else {
                    for (unsigned attempt = 1;; ++attempt) {
                        try {
                            outcome = co_await price_later(request);
                        } catch (...) {
                            outcome = weir::errc::handler_threw;
                            thrown_ = std::current_exception();
                        }
                        if (!again(attempt, outcome)) break;
                    }
                    settle(word, outcome);
                }
            }
        }
        if (outcome.has_error()) [[unlikely]] {
            weir::errc const e = outcome.error().kind();
            if (weir::is_fault(e) || e == weir::errc::circuit_open || e == weir::errc::bulkhead_full) {
                fallbacks_.add();
                co_return answer_;
            }
        }
        co_return outcome;
    }

private:
    struct place_guard {
        by_hand& self;
        ~place_guard() { self.give_place(); }
    };

    weir::result<int> guarded(order const& request)
    {
        weir::time_point const now = clock_.now();
        if (weir::decision const d = limiter_.try_acquire(now); !d) [[unlikely]] {
            refused_.add();
            return weir::error(weir::errc::rate_limited, d.retry_after());
        }
        admitted_.add();
        if (request.amount <= 0 || request.amount > highest_) return weir::errc::invalid_request;
        if (!take_place()) [[unlikely]]
            return weir::errc::bulkhead_full;
        place_guard place{*this};
        std::uint64_t const word = word_.load(std::memory_order_acquire);
        if ((word & 3) != 0) [[unlikely]]
            return weir::error(weir::errc::circuit_open, 1s);
        weir::result<int> const outcome = attempts(request);
        settle(word, outcome);
        return outcome;
    }
    weir::result<int> attempts(order const& request)
    {
        for (unsigned attempt = 1;; ++attempt) {
            weir::result<int> const outcome = run(request);
            if (!again(attempt, outcome)) return outcome;
        }
    }
    bool again(unsigned attempt, weir::result<int> const& outcome)
    {
        weir::time_point const now = clock_.now();
        if (attempt == 1) budget_.deposit(now);
        if (!outcome.has_error() || !weir::is_fault(outcome.error().kind())) [[likely]]
            return false;
        return attempt < attempts_.load() && budget_.withdraw(now);
    }
    weir::result<int> run(order const& request)
    {
        try {
            return price(request);
        } catch (...) {
            thrown_ = std::current_exception();
            return weir::errc::handler_threw;
        }
    }
    void settle(std::uint64_t word, weir::result<int> const& outcome)
    {
        if (word_.load() != word) [[unlikely]]
            return late_.add();
        bool const failed = outcome.has_error() && weir::is_fault(outcome.error().kind());
        window_.count(clock_.now(), failed);
        if (failed || near_.load()) [[unlikely]]
            judge();
    }
    [[gnu::noinline, gnu::cold]] void judge()
    {
        auto const seen = window_.sum(clock_.now());
        if (seen.calls >= 20 && seen.marked * 2 >= seen.calls) word_.store((((word_.load() >> 2) + 1) << 2) | 1);
    }
    bool take_place()
    {
        std::uint64_t seen = places_.load();
        while (seen < most_.load())
            if (places_.replace(seen, seen + 1)) [[likely]]
                return true;
        return false;
    }
    void give_place()
    {
        std::uint64_t seen = places_.load();
        while (!places_.replace(seen, seen - 1)) {}
    }

    frozen clock_;
    weir::gcra<> limiter_{rate};
    weir::detail::counter<weir::shared> admitted_, refused_, fallbacks_, late_;
    int highest_ = 1'000'000;
    int answer_ = -1;
    weir::shared::cell<std::uint64_t> places_, most_{64}, word_;
    weir::shared::cell<unsigned> attempts_{3};
    weir::shared::cell<bool> near_;
    weir::call_window<> window_{10s};
    weir::budget budget_;
    std::exception_ptr thrown_;
    account_facet account_;
};

/// Runs the calls and returns the number of allocations that the second half of them made.
template<class Service>
std::size_t run(Service& svc, long calls)
{
    long sum = 0;
    std::size_t before = 0;
    for (long i = 0; i < calls; ++i) {
        if (i == calls / 2) before = allocations();
        order const o{static_cast<int>(i % 10) + 1, 7};
        sum += *svc(o);
    }
    asm volatile("" ::"r"(sum) : "memory");
    return allocations() - before;
}
template<class Call>
std::size_t run_later(Call call, long calls)
{
    asio::io_context context(1);
    std::size_t counted = 0;
    auto const loop = [&]() -> asio::awaitable<void> {
        long sum = 0;
        std::size_t before = 0;
        for (long i = 0; i < calls; ++i) {
            if (i == calls / 2) before = allocations();
            order const o{static_cast<int>(i % 10) + 1, 7};
            weir::result<int> const r = co_await call(o);
            sum += *r;
        }
        asm volatile("" ::"r"(sum) : "memory");
        counted = allocations() - before;
    };
    asio::co_spawn(context, loop(), asio::detached);
    context.run();
    return counted;
}

} // namespace

int main(int argc, char** argv)
{
    std::string_view const what = argc > 1 ? argv[1] : "composed"; // without arguments: does it allocate?
    long const calls = argc > 2 ? std::atol(argv[2]) : 100'000;
    std::size_t made = 0;
    if (what == "composed") {
        weir::pipeline svc{weir::timed_by{frozen{}},
                           weir::fallback{-1},
                           weir::rate_limit{weir::gcra{rate}},
                           in_range{},
                           weir::bulkhead{{.max_concurrent = 64}},
                           weir::circuit_breaker{{}},
                           weir::retry<3>{{}},
                           weir::idempotent{price}};
        made = run(svc, calls);
    } else if (what == "by_hand") {
        by_hand svc;
        made = run(svc, calls);
    } else if (what == "composed_async") {
        weir::pipeline svc{weir::timed_by{frozen{}},           find_account{},     weir::fallback{-1},
                           weir::rate_limit{weir::gcra{rate}}, in_range{},         weir::bulkhead{{.max_concurrent = 64}},
                           weir::circuit_breaker{{}},          weir::retry<3>{{}}, weir::idempotent{price_later}};
        made = run_later([&](order const& o) { return svc(o); }, calls);
    } else if (what == "by_hand_async") {
        by_hand svc;
        made = run_later([&](order const& o) { return svc.later(o); }, calls);
    } else {
        std::fputs("usage: pipeline {composed|by_hand|composed_async|by_hand_async} CALLS\n", stderr);
        return 2;
    }
    std::printf("%.*s: %ld calls, %zu allocations in the second half\n", static_cast<int>(what.size()), what.data(), calls, made);
    return made == 0 ? 0 : 1;
}
