// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0 {

/// How many calls there were in the last so many seconds, and how many of them were marked (as failures, as retries).
///
/// The window is cut into 8 to 15 slices, each 2^k nanoseconds long; what is counted covers the whole window less a part of its oldest
/// slice. Each thread counts into words of its own, a word a slice, so that counting is a load and a store; `sum` merges
/// them. A word that is full (a million calls in a slice by one thread) is halved: the ratio stays. The number of a slice comes round after
/// 2^24 slices, half an hour for a window of a millisecond, half a year for ten seconds. Thread-safe if `shared`; two
/// cache lines a thread.
template<threading_model Threading = shared>
class call_window {
public:
    struct totals {
        std::uint64_t calls = 0;
        std::uint64_t marked = 0;
    };

    /// `span` is at least one microsecond.
    explicit call_window(duration span) noexcept { resize(span); }

    /// Another span; what was counted before is forgotten.
    void resize(duration span) noexcept
    {
        unsigned shift = 0;
        while ((span.count() >> shift) >= static_cast<std::int64_t>(ring) - 1) ++shift;
        slices_.store(static_cast<std::uint64_t>(span.count() >> shift) + 1);
        shift_.store(shift);
        forget();
    }
    /// Begins anew: what was counted before lies outside the window.
    void forget() noexcept { offset_.add(ring + 1); }

    [[gnu::always_inline]] void count(time_point now, bool marked)
    {
        std::uint64_t const at = slice(now);
        if (stripe* const own = stripes_.own()) [[likely]] {
            std::atomic<std::uint64_t>& word = own->words[at % ring];
            word.store(counted(word.load(std::memory_order_relaxed), at, marked), std::memory_order_relaxed);
        } else
            count_slowly(at, marked);
    }
    [[nodiscard]] totals sum(time_point now) const
    {
        std::uint64_t const newest = slice(now);
        std::uint64_t const slices = slices_.load();
        totals all;
        stripes_.for_each([&](stripe const& s) {
            for (auto const& cell : s.words) {
                std::uint64_t const word = cell.load(std::memory_order_relaxed);
                if (((newest - (word >> epoch_at)) & epoch_mask) >= slices) continue;
                all.calls += word & count_mask;
                all.marked += (word >> marked_at) & count_mask;
            }
        });
        return all;
    }

private:
    static constexpr std::size_t ring = 16;
    static constexpr unsigned marked_at = 20;
    static constexpr unsigned epoch_at = 40;
    static constexpr std::uint64_t count_mask = 0xfffff;
    static constexpr std::uint64_t epoch_mask = 0xffffff;

    struct stripe {
        std::array<std::atomic<std::uint64_t>, ring> words{};
    };

    [[nodiscard]] std::uint64_t slice(time_point now) const noexcept
    {
        return (static_cast<std::uint64_t>(now.time_since_epoch().count()) >> shift_.load()) + offset_.load();
    }
    [[gnu::noinline, gnu::cold]] void count_slowly(std::uint64_t at, bool marked)
    {
        auto const mine = stripes_.local();
        std::atomic<std::uint64_t>& word = mine->words[at % ring];
        std::uint64_t seen = word.load(std::memory_order_relaxed);
        if (mine.alone) [[likely]]
            word.store(counted(seen, at, marked), std::memory_order_relaxed);
        else
            while (!word.compare_exchange_weak(seen, counted(seen, at, marked), std::memory_order_relaxed)) {}
    }
    [[gnu::always_inline]] static std::uint64_t counted(std::uint64_t word, std::uint64_t at, bool marked) noexcept
    {
        if ((word >> epoch_at) != (at & epoch_mask)) word = at << epoch_at;
        if ((word & count_mask) == count_mask) [[unlikely]]
            word = (word & (epoch_mask << epoch_at)) | ((word >> 1) & ((count_mask >> 1) << marked_at)) | ((word & count_mask) >> 1);
        return word + 1 + (std::uint64_t{marked} << marked_at);
    }

    detail::striped<stripe, Threading> stripes_;
    typename Threading::template cell<unsigned> shift_;
    typename Threading::template cell<std::uint64_t> slices_;
    typename Threading::template cell<std::uint64_t> offset_;
};

} // namespace weir::inline v0
