// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace weir::inline v0::detail {

/// Time from a counter that ticks evenly, held to a reference clock. `Source` has `ticks()`, which is cheap, `ordered_ticks()`, which is
/// not read before what stands above it, and `reference()`, a clock that never goes back and is dear to read.
///
/// Time is a function of the ticks alone, made of straight pieces that follow each other upwards. A piece begins where counter and
/// reference were read together, ends after as long a time as was measured to find its slope, 10 ms at most, and is never changed before.
/// Whoever reads a tick past its end (or, if the counter was set back, before its beginning) lays the next piece, under a lock. So all
/// threads make the same time of a tick, and a piece begins no earlier than the last one ended. Where the counter had run ahead of the
/// reference, the next piece is less steep, so that both meet at its end; where it lags behind, the next piece begins with a step
/// forward.
///
/// A rate that differs from the last one by more than 2 parts in a thousand is no drift: the counter jumped. Then, as in the beginning, the
/// reference itself is read for a millisecond until a new rate is known.
template<class Source>
class counter_map {
public:
    static constexpr duration longest_piece = std::chrono::milliseconds(10);
    static constexpr duration shortest_piece = std::chrono::milliseconds(1);

    constexpr counter_map() noexcept = default;
    constexpr explicit counter_map(Source source) noexcept : source_(source) {}

    /// The time of the tick of this moment.
    template<bool Ordered>
    [[nodiscard, gnu::always_inline]] time_point now() noexcept
    {
        std::uint32_t const version = version_.load(std::memory_order_acquire);
        std::uint64_t const start = start_.load(std::memory_order_acquire);
        std::uint64_t const length = length_.load(std::memory_order_acquire);
        std::uint64_t const slope = slope_.load(std::memory_order_acquire);
        std::int64_t const base = base_.load(std::memory_order_acquire);
        bool const torn = (version & 1) != 0 || version_.load(std::memory_order_relaxed) != version;
        std::uint64_t const gone = (Ordered ? source_.ordered_ticks() : source_.ticks()) - start;
        if (gone < length && !torn) [[likely]]
            return time_point{duration{base + static_cast<std::int64_t>(gone * slope >> 32)}};
        return next_piece();
    }

    [[nodiscard]] Source& source() noexcept { return source_; }

private:
    struct mark {
        std::uint64_t ticks = 0;
        time_point at = time_point::min();
    };

    [[gnu::noinline, gnu::cold]] time_point next_piece() noexcept
    {
        std::lock_guard const lock(mutex_);
        std::uint64_t const length = length_.load(std::memory_order_relaxed);
        if (std::uint64_t const gone = source_.ordered_ticks() - start_.load(std::memory_order_relaxed); gone < length)
            return on_piece(gone); // another thread has laid it
        if (length != 0) last_ = std::max(last_, on_piece(length));

        mark const here = read_both();
        duration const measured = from_.at == time_point::min() ? duration::zero() : here.at - from_.at;
        if (from_.at != time_point::min() && measured < shortest_piece && rate_ == 0) return last_ = std::max(last_, here.at);
        double const rate = here.ticks <= from_.ticks || measured.count() <= 0
                                ? 0
                                : static_cast<double>(measured.count()) / static_cast<double>(here.ticks - from_.ticks);
        from_ = here;
        bool const jumped = rate == 0 || (rate_ != 0 && (rate > rate_ * 1.002 || rate < rate_ * 0.998));
        rate_ = jumped ? 0 : rate;
        if (last_ < here.at) last_ = here.at;
        if (jumped)
            lay({here.ticks, last_}, 0, 0);
        else {
            auto const span = static_cast<double>(std::min(std::max(measured, shortest_piece), longest_piece).count());
            double const ahead = static_cast<double>((last_ - here.at).count());
            lay({here.ticks, last_}, span / rate, rate * std::max(0.5, 1 - ahead / span));
        }
        return last_;
    }

    [[nodiscard]] time_point on_piece(std::uint64_t gone) const noexcept
    {
        return time_point{duration{base_.load(std::memory_order_relaxed) +
                                   static_cast<std::int64_t>(gone * slope_.load(std::memory_order_relaxed) >> 32)}};
    }

    /// Counter and reference at the same moment: the reading of the reference that took the fewest ticks of four, so that one at which
    /// the thread was interrupted does not count.
    [[nodiscard]] mark read_both() noexcept
    {
        mark best;
        std::uint64_t least = ~std::uint64_t{0};
        for (int i = 0; i < 4; ++i) {
            std::uint64_t const before = source_.ordered_ticks();
            time_point const at = source_.reference();
            std::uint64_t const took = source_.ordered_ticks() - before;
            if (took >= least && i != 0) continue;
            least = took;
            best = {before + took / 2, at};
        }
        return best;
    }

    void lay(mark begin, double length, double slope) noexcept
    {
        // The version is odd meanwhile: who sees one of the new words sees it, or a newer one, when it looks again.
        std::uint32_t const version = version_.load(std::memory_order_relaxed);
        version_.store(version + 1, std::memory_order_relaxed);
        start_.store(begin.ticks, std::memory_order_release);
        length_.store(static_cast<std::uint64_t>(length), std::memory_order_release);
        slope_.store(static_cast<std::uint64_t>(slope * 4294967296.0), std::memory_order_release);
        base_.store(begin.at.time_since_epoch().count(), std::memory_order_release);
        version_.store(version + 2, std::memory_order_release);
    }

    // The piece: a version that is even when it is whole, where it begins, how long it is, nanoseconds a tick times 2^32.
    alignas(64) std::atomic<std::uint32_t> version_{0};
    std::atomic<std::uint64_t> start_{0};
    std::atomic<std::uint64_t> length_{0};
    std::atomic<std::uint64_t> slope_{0};
    std::atomic<std::int64_t> base_{0};
    [[no_unique_address]] Source source_{};
    // Under the lock, away from what all threads read:
    alignas(64) std::mutex mutex_;
    mark from_;                           // where the slope of the next piece is measured from
    double rate_ = 0;                     // nanoseconds a tick; 0: not known
    time_point last_ = time_point::min(); // nobody was told a later time
};

} // namespace weir::inline v0::detail
