// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::inline v0::detail {

/// A number of this thread's own, below `exclusive`, until the thread ends; `exclusive` itself for all threads beyond so many.
class thread_number {
public:
    static constexpr unsigned exclusive = 16;

    static unsigned get() noexcept
    {
        if (number == unknown) [[unlikely]]
            take();
        return number;
    }

private:
    static constexpr unsigned unknown = ~0u;
    static inline constinit thread_local unsigned number = unknown;
    static inline constinit std::atomic<std::uint32_t> taken{0};

    // Apart from `number`, which so needs no guard when it is read.
    struct giver_back {
        unsigned owned;
        ~giver_back()
        {
            number = exclusive;
            taken.fetch_and(~(1u << owned), std::memory_order_release);
        }
    };

    static void take() noexcept
    {
        std::uint32_t seen = taken.load(std::memory_order_relaxed);
        do {
            number = static_cast<unsigned>(std::countr_one(seen));
            if (number >= exclusive) {
                number = exclusive;
                return;
            }
        } while (!taken.compare_exchange_weak(seen, seen | 1u << number, std::memory_order_acquire, std::memory_order_relaxed));
        static thread_local giver_back const at_the_end{number};
    }
};

/// `Count` counters that many threads add to at the cost of one: each of the first 16 threads has a cache line of its own, which it alone
/// writes, with a load and a store; the others share one. Reading adds the lines up. `confined` has one plain line.
/// Thread-safety: any. Memory: 17 cache lines, or one.
template<std::size_t Count, threading_model Threading>
class tally {
public:
    tally() : lines_(Threading::is_shared ? thread_number::exclusive + 1 : 1) {}

    void add(std::size_t counter, std::uint64_t n = 1) noexcept
    {
        if constexpr (Threading::is_shared) {
            unsigned const mine = thread_number::get();
            auto& count = lines_[mine].counts[counter];
            if (mine == thread_number::exclusive)
                count.add(n);
            else
                count.store(count.load() + n);
        } else {
            lines_.front().counts[counter].add(n);
        }
    }
    [[nodiscard]] std::uint64_t sum(std::size_t counter) const noexcept
    {
        std::uint64_t all = 0;
        for (line const& each : lines_) all += each.counts[counter].load();
        return all;
    }

private:
    struct alignas(64) line {
        std::array<typename Threading::template cell<std::uint64_t>, Count> counts;
    };
    std::vector<line> lines_;
};

} // namespace weir::inline v0::detail
