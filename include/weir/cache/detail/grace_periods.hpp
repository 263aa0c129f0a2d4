// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/process_barrier.hpp>
#include <weir/core/detail/reader_word.hpp>
#include <weir/core/threading.hpp>

#include <atomic>
#include <cstdint>

namespace weir::inline v0::detail {

/// Numbers the grace periods of a store: one ends when all have left who were reading when it began. What was taken out before it began
/// nobody looks at when it is over, whichever part of the store it came from: so one period serves all parts (McKenney and Slingwine,
/// "Read-Copy Update: Using Execution History to Solve Concurrency Problems", PDCS 1998).
///
/// Readers enter by a plain store where the system has a `process_barrier`; then a period costs one.
class grace_periods {
public:
    /// For a thread that has never read here, before it enters.
    void join(reader_word& its) noexcept
    {
        begun_.add(0, std::memory_order_acq_rel); // either its stripe is seen by the next period, or it sees what came before that
        if (process_barrier::available()) its.excuse();
    }

    /// The number of the last period that began, told who has just taken something out.
    [[nodiscard]] std::uint64_t latest() noexcept
    {
        if (!process_barrier::available()) return begun_.add(0, std::memory_order_acq_rel);
        std::atomic_signal_fence(std::memory_order_seq_cst); // the next period's barrier does the rest
        return begun_.load(std::memory_order_acquire);
    }
    /// Whether a period is over that began after the one of this number.
    [[nodiscard]] bool over_since(std::uint64_t number) const noexcept { return over_.load(std::memory_order_acquire) > number; }

    /// Lets a period pass. `for_each(f)` calls `f(word)` for each reader's word.
    template<class ForEach>
    void pass(ForEach&& for_each) noexcept
    {
        std::uint64_t const mine = begun_.add(1, std::memory_order_acq_rel) + 1;
        if (process_barrier::available()) process_barrier::pass();
        for_each([](reader_word& each) { each.wait(); });
        std::uint64_t last = over_.load();
        while (last < mine && !over_.replace(last, mine, std::memory_order_acq_rel)) {}
    }

private:
    shared::cell<std::uint64_t> begun_;
    shared::cell<std::uint64_t> over_;
};

} // namespace weir::inline v0::detail
