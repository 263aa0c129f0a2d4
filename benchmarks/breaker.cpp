// SPDX-License-Identifier: BSL-1.0
// What keeps calls away from a failing handler, while the handler works: call and settle, the time given, by one thread and by two on one
// object, beside the direct call and beside what one would write by hand. Median of 21 alternating rounds.
#include "rounds.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/resilience/adaptive_throttle.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/keyed_breaker.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>

using namespace std::chrono_literals;

namespace {

[[gnu::noinline]] int work(int x)
{
    asm volatile("" ::: "memory");
    return x + 1;
}
/// One call of ten fails.
[[gnu::noinline]] weir::result<int> work_that_fails(int x)
{
    asm volatile("" ::: "memory");
    if (x % 10 == 0) return weir::errc::unavailable;
    return x + 1;
}

struct given_time {
    static weir::time_point now() noexcept { return weir::time_point{1'000'000s}; }
    static void sleep_until(weir::time_point) noexcept {}
};

/// What a policy sees of a call: the time and what counts as a failure.
struct given_call {
    int key = 0;
    static weir::time_point now() noexcept { return given_time::now(); }
    static bool failed(weir::result<int> const& outcome) noexcept { return weir::default_classifier{}(outcome); }
    [[nodiscard]] int request() const noexcept { return key; }
};

/// The last 100 outcomes as one writes them by hand: a ring behind a lock.
class ring_by_hand {
public:
    [[nodiscard]] bool admit()
    {
        std::lock_guard const lock(mutex_);
        return failures_ < ring_.size() / 2;
    }
    void settle(bool failed)
    {
        std::lock_guard const lock(mutex_);
        failures_ += static_cast<std::size_t>(failed) - static_cast<std::size_t>(ring_[at_]);
        ring_[at_] = failed;
        at_ = at_ + 1 < ring_.size() ? at_ + 1 : 0;
    }

private:
    std::mutex mutex_;
    std::array<bool, 100> ring_{};
    std::size_t at_ = 0;
    std::size_t failures_ = 0;
};

/// The throttle of the SRE book as one writes it by hand: forty buckets behind a lock.
class throttle_by_hand {
public:
    [[nodiscard]] bool admit(weir::time_point now)
    {
        std::lock_guard const lock(mutex_);
        roll(now);
        return static_cast<double>(requests_) <= 2 * static_cast<double>(accepts_) + 1;
    }
    void settle(weir::time_point now, bool failed)
    {
        std::lock_guard const lock(mutex_);
        roll(now);
        ++requests_;
        accepts_ += !failed;
        auto& now_counted = buckets_[static_cast<std::size_t>(at_) % 40];
        ++now_counted.first;
        now_counted.second += !failed;
    }

private:
    void roll(weir::time_point now)
    {
        for (auto const to = now.time_since_epoch() / 250ms; at_ < to; ++at_) {
            auto& oldest = buckets_[static_cast<std::size_t>(at_ + 1) % 40];
            requests_ -= oldest.first;
            accepts_ -= oldest.second;
            oldest = {};
        }
    }
    std::mutex mutex_;
    std::array<std::pair<std::uint64_t, std::uint64_t>, 40> buckets_{};
    std::int64_t at_ = given_time::now().time_since_epoch() / 250ms;
    std::uint64_t requests_ = 0;
    std::uint64_t accepts_ = 0;
};

void direct(long calls)
{
    long sum = 0;
    for (long i = 0; i < calls; ++i) sum += work(static_cast<int>(i & 0xffff));
    keep(sum);
}
auto guarded(auto& policy, auto& handler)
{
    return [&](long calls) {
        given_call call;
        long sum = 0;
        for (long i = 0; i < calls; ++i) {
            call.key = static_cast<int>(i & 1023);
            auto const admission = policy.admit(call);
            if (!admission) continue;
            weir::result<int> const outcome = handler(static_cast<int>(i & 0xffff));
            policy.settle(admission.permit(), outcome, call);
            sum += outcome ? *outcome : 0;
        }
        keep(sum);
    };
}
void beside(char const* what, unsigned threads, auto const& by_hand, auto const& by_weir, double bar)
{
    auto const [hand, weir] = alternate(21, threads, 1'000'000, by_hand, by_weir);
    std::printf("%s, %u thread(s): by hand %.2f ns, weir %.2f ns", what, threads, hand, weir);
    if (bar > 0)
        std::printf("; the bar is %.0f ns: %s\n", bar, weir <= bar ? "holds" : "MISSED");
    else
        std::printf("\n");
}

} // namespace

int main()
{
    weir::circuit_breaker breaker{{.window = 10s}};
    weir::pipeline svc{weir::timed_by{given_time{}}, std::ref(breaker), work};
    auto const in_pipeline = [&](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) sum += *svc(static_cast<int>(i & 0xffff));
        keep(sum);
    };
    weir::circuit_breaker timed{{.window = 10s, .slow_call = 1s}};
    weir::circuit_breaker row{weir::row_breaker_options{}};
    weir::circuit_breaker count{weir::count_breaker_options{.window = 100}};
    weir::circuit_breaker small{weir::count_breaker_options{.window = 20}};
    weir::circuit_breaker failing{weir::count_breaker_options{.window = 100}};
    weir::keyed_breaker keyed{weir::circuit_breaker_options{}, weir::keyed_by<int>([](int k) { return k; }), {.capacity = 2'000}};
    weir::adaptive_throttle throttle{{.window = 10s}};
    ring_by_hand ring;
    throttle_by_hand buckets;
    auto const ring_guards = [&](auto& handler) {
        return [&](long calls) {
            long sum = 0;
            for (long i = 0; i < calls; ++i) {
                if (!ring.admit()) continue;
                weir::result<int> const outcome = handler(static_cast<int>(i & 0xffff));
                ring.settle(outcome.has_error());
                sum += outcome ? *outcome : 0;
            }
            keep(sum);
        };
    };
    auto const buckets_guard = [&](long calls) {
        long sum = 0;
        for (long i = 0; i < calls; ++i) {
            if (!buckets.admit(given_time::now())) continue;
            sum += work(static_cast<int>(i & 0xffff));
            buckets.settle(given_time::now(), false);
        }
        keep(sum);
    };
    for (unsigned threads : {1u, 2u}) {
        auto const [plain, broken] = alternate(21, threads, 2'000'000, direct, guarded(breaker, work));
        std::printf("breaker, closed, %u thread(s): direct %.2f ns, with breaker %.2f ns; the bar, 2 x direct + 2 ns, is %.2f: %s\n",
                    threads, plain, broken, 2 * plain + 2, broken <= 2 * plain + 2 ? "holds" : "MISSED");
        auto const [again, composed] = alternate(21, threads, 2'000'000, direct, in_pipeline);
        std::printf("  as the one policy of a pipeline: direct %.2f ns, composed %.2f ns\n", again, composed);
        auto const [with_time, in_a_row] = alternate(21, threads, 1'000'000, guarded(timed, work), guarded(row, work));
        std::printf("  watching slow calls, too: %.2f ns; failures in a row: %.2f ns\n", with_time, in_a_row);
        double const bar = threads == 1 ? 12 : 20;
        beside("the last 100 calls", threads, ring_guards(work), guarded(count, work), bar);
        beside("the last 100 calls, one of ten fails", threads, ring_guards(work_that_fails), guarded(failing, work_that_fails), 0);
        beside("the last 20 calls, exact", threads, ring_guards(work), guarded(small, work), 0);
        beside("adaptive throttle", threads, buckets_guard, guarded(throttle, work), 0);
        beside("a breaker a key, 1,024 keys (by hand: one for all)", threads, ring_guards(work), guarded(keyed, work), 0);
    }
}
