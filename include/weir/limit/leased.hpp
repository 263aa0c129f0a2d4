// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <mutex>

namespace weir::inline v0 {

/// How `leased` hands permits to threads.
struct lease_options {
    std::uint64_t batch = 32; ///< permits handed to a thread at a time, at least 1
    /// How long they are good for. 0: a quarter of the time that a full burst takes to come back, at most 10 ms; of a limiter that has no
    /// such rate, 1 ms.
    duration life = duration::zero();
};

/// What `leased` counted since it was made.
struct leased_stats {
    std::uint64_t leases = 0;   ///< batches handed out
    std::uint64_t returned = 0; ///< permits that came back unused, when their thread came again after their life or needed more at once
    void each(auto&& field) const
    {
        field("leases_total", leases);
        field("lease_permits_returned_total", returned);
    }
};

/// A limiter for the hottest limits: it hands permits to threads in batches, so that most calls touch nothing that another thread
/// writes: `leased{gcra{{.permits = 1'000'000, .per = 1s, .burst = 10'000}}}`.
///
/// **What is kept.** The limit is never exceeded. A permit may be used up to `life` after it was taken from the limiter inside; so that
/// this does not bring more calls into a span of time than the rate allows, that limiter has a burst smaller by what comes in one `life`:
/// in any span t no more than `burst + permits * t / per` calls pass, by whichever threads. (Of a limiter with other options than a `rate`,
/// nothing is taken off: in any span no more pass than it admits in that span, and one batch a thread that was handed out before.)
///
/// **What is traded.** A full burst is smaller by `permits * life / per`. A call may be refused while other threads have permits that they
/// do not use: at most `batch` a thread, and not longer than `life`, for what a thread holds then is void. Time makes up for it as if it
/// had been used; what time has not made up for when that thread comes again is given back. `retry_after` is that of the limiter inside.
///
/// A thread that ends leaves its batch to the next thread. Above 64 threads at once, the others ask the limiter inside. `refund` gives back
/// to that limiter. New settings hold for the batches that are handed out after them: those before are good for the rest of their life.
///
/// Thread-safe. Cost: 1 to 2 ns with the time given, whatever the number of threads, and once a batch what the limiter costs. Memory: 832
/// bytes, and 128 for each of up to 64 threads that ever came. Not for limits of a few calls a second: a batch would be most of them.
template<limiter Limiter = gcra<>>
class leased {
public:
    using options = typename Limiter::options;
    using threading = typename Limiter::threading;

    /// `limiter` gives the settings; its own state is not used. Throws `std::invalid_argument` for bad options: a batch has to fit into the
    /// burst that is left.
    explicit leased(Limiter const& prototype, lease_options const& o = {}) : leased(prototype.settings(), o) {}
    explicit leased(options const& wanted, lease_options const& o = {}) : leased(wanted, o, check(wanted, o)) {}

    /// Takes `cost` permits if they are there at `now`.
    [[nodiscard, gnu::always_inline]] decision try_acquire(time_point now, std::uint64_t cost = 1)
    {
        if (lease* const mine = leases_.own()) [[likely]]
            if (mine->take(now, cost)) [[likely]]
                return decision::admitted();
        return take_more(now, cost);
    }
    /// Takes `cost` permits, also when they come later, if that is `max_wait` after `now` at the latest.
    [[nodiscard]] reservation reserve(time_point now, std::uint64_t cost, duration max_wait)
    {
        if (lease* const mine = leases_.own(); mine != nullptr && mine->take(now, cost)) return reservation::taken(duration::zero());
        return inside_.reserve(now, cost, max_wait);
    }
    /// Takes the permits that are there for this thread, `most` of them, and says how many they were.
    [[nodiscard]] std::uint64_t drain(time_point now, std::uint64_t most)
    {
        std::uint64_t taken = 0;
        if (lease* const mine = leases_.own())
            if (std::uint64_t const there = std::min(mine->left_at(now), most); mine->take(now, there)) taken = there;
        std::uint64_t const more = std::min(inside_.available(now), most - taken);
        return more > 0 && inside_.try_acquire(now, more) ? taken + more : taken;
    }
    /// Gives permits back that were taken and not used.
    void refund(std::uint64_t cost) { inside_.refund(cost); }
    /// What `try_acquire` would answer this thread; takes nothing.
    [[nodiscard]] decision peek(time_point now, std::uint64_t cost = 1) const requires requires(Limiter const& l) { l.peek(now, cost); }
    {
        if (lease const* const mine = const_cast<leased&>(*this).leases_.own(); mine != nullptr && mine->has(now, cost))
            return decision::admitted();
        return inside_.peek(now, cost);
    }

    /// The permits that are left, those on lease included.
    [[nodiscard]] std::uint64_t available(time_point now) const { return inside_.available(now) + on_lease(now); }
    [[nodiscard]] bool is_full(time_point now) const { return inside_.is_full(now) && on_lease(now) == 0; }
    [[nodiscard]] quota quota_at(time_point now) const
    {
        quota q = inside_.quota_at(now);
        if constexpr (has_rate) q.burst = settings().burst;
        q.remaining += on_lease(now);
        return q;
    }

    /// As they were given.
    [[nodiscard]] options settings() const
    {
        std::lock_guard const lock(mutex_);
        return wanted_;
    }
    /// Changes the rate while others call; throws `std::invalid_argument` for bad options, and then changes nothing.
    void reconfigure(options const& o)
    {
        std::lock_guard const lock(mutex_);
        terms const t = check(o, lease_);
        inside_.reconfigure(t.inside);
        wanted_ = o;
        life_.store(t.life.count());
        interval_.store(t.interval);
    }
    /// How long a batch is good for now.
    [[nodiscard]] duration life() const noexcept { return duration{life_.load()}; }

    [[nodiscard]] leased_stats stats() const
    {
        leased_stats sum;
        leases_.for_each([&](lease const& each) {
            sum.leases += each.leases.load();
            sum.returned += each.returned.load();
        });
        return sum;
    }
    void describe(auto&& field) const
    {
        if constexpr (has_rate) {
            rate const o = settings();
            field("permits", *o.permits);
            field("per", o.per);
            field("burst", o.burst);
        }
        field("batch", lease_.batch);
        field("life", life());
    }

private:
    static constexpr bool has_rate = std::same_as<options, rate>;

    /// The permits of one thread. It alone writes them; others read.
    class lease {
    public:
        [[nodiscard, gnu::always_inline]] bool has(time_point now, std::uint64_t cost) const noexcept
        {
            return cost <= left_.load(std::memory_order_relaxed) && is_good(now);
        }
        [[nodiscard, gnu::always_inline]] bool take(time_point now, std::uint64_t cost) noexcept
        {
            std::uint64_t const left = left_.load(std::memory_order_relaxed);
            if (cost > left || !is_good(now)) [[unlikely]]
                return false;
            left_.store(left - cost, std::memory_order_relaxed);
            return true;
        }
        [[nodiscard]] std::uint64_t left_at(time_point now) const noexcept
        {
            return is_good(now) ? left_.load(std::memory_order_relaxed) : 0;
        }
        /// Voids what is left, and says how much of it may be given back. A permit comes back by time each interval, and where the limiter
        /// inside was full meanwhile, giving it back once more would be a permit too many.
        [[nodiscard]] std::uint64_t give_up(time_point now, std::int64_t interval) noexcept
        {
            std::uint64_t const left = left_.load(std::memory_order_relaxed);
            left_.store(0, std::memory_order_relaxed);
            if (left == 0 || interval == 0 || interval != interval_) return 0;
            auto const since = static_cast<std::uint64_t>(since_.load(std::memory_order_relaxed));
            std::uint64_t const gone = static_cast<std::uint64_t>(now.time_since_epoch().count()) - since;
            auto const each = static_cast<std::uint64_t>(interval);
            std::uint64_t const made_up = gone / each + (gone % each != 0);
            return left - std::min(left, made_up);
        }
        void renew(time_point now, duration life, std::int64_t interval, std::uint64_t permits) noexcept
        {
            interval_ = interval;
            since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
            life_.store(static_cast<std::uint64_t>(life.count()), std::memory_order_relaxed);
            left_.store(permits, std::memory_order_relaxed);
        }
        detail::count_cell leases;
        detail::count_cell returned;

    private:
        // A time before the batch was taken is none of its life either.
        [[nodiscard, gnu::always_inline]] bool is_good(time_point now) const noexcept
        {
            auto const since = static_cast<std::uint64_t>(since_.load(std::memory_order_relaxed));
            return static_cast<std::uint64_t>(now.time_since_epoch().count()) - since < life_.load(std::memory_order_relaxed);
        }
        std::atomic<std::uint64_t> left_{0};
        std::atomic<std::int64_t> since_{0};
        std::atomic<std::uint64_t> life_{0};
        std::int64_t interval_ = 0; // for its thread alone
    };

    /// What the options come to: the settings of the limiter inside, and the life of a batch.
    struct terms {
        options inside;
        duration life;
        std::int64_t interval; // in which one permit comes; 0: not known
    };
    leased(options const& wanted, lease_options const& o, terms const& t)
        : wanted_(wanted), lease_(o), life_(t.life.count()), interval_(t.interval), inside_(t.inside)
    {
    }
    static terms check(options const& wanted, lease_options const& o)
    {
        expect(o.batch >= 1, "batch", "at least 1");
        expect(o.life.count() >= 0, "life", "0 or more");
        if constexpr (has_rate) {
            pace const p(wanted);
            duration const life = o.life.count() != 0
                                      ? o.life
                                      : std::clamp<duration>(duration{p.tolerance() / 4}, duration{1}, std::chrono::milliseconds(10));
            // What comes in one life, and the permit that is on its way.
            std::uint64_t const less = static_cast<std::uint64_t>((life.count() - 1) / p.interval()) + 1;
            expect(less < p.burst() && o.batch <= p.burst() - less, "batch", "at most burst - permits x life / per");
            return {{.permits = wanted.permits, .per = wanted.per, .burst = p.burst() - less}, life, p.interval()};
        } else {
            return {wanted, o.life.count() != 0 ? o.life : std::chrono::milliseconds(1), 0};
        }
    }

    [[nodiscard]] std::uint64_t on_lease(time_point now) const
    {
        std::uint64_t sum = 0;
        leases_.for_each([&](lease const& each) { sum += each.left_at(now); });
        return sum;
    }

    [[gnu::noinline]] decision take_more(time_point now, std::uint64_t cost)
    {
        auto const mine = leases_.local();
        if (!mine.alone || cost >= lease_.batch || cost == 0) return inside_.try_acquire(now, cost);
        if (std::uint64_t const rest = mine->give_up(now, interval_.load()); rest != 0) {
            inside_.refund(rest);
            mine->returned.add(rest, true);
        }
        if (inside_.try_acquire(now, lease_.batch)) [[likely]] {
            mine->renew(now, life(), interval_.load(), lease_.batch - cost);
            mine->leases.add(1, true);
            return decision::admitted();
        }
        return inside_.try_acquire(now, cost);
    }

    mutable typename threading::mutex mutex_;
    options wanted_;
    lease_options lease_;
    shared::cell<std::int64_t> life_;
    shared::cell<std::int64_t> interval_;
    // What each batch writes is apart from what each call reads, and from what lies before and behind this.
    alignas(64) Limiter inside_;
    alignas(64) detail::striped<lease, threading> leases_;
};

template<class Limiter>
leased(Limiter const&, lease_options = {}) -> leased<Limiter>;

} // namespace weir::inline v0
