// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace weir::inline v0::detail {

/// Tells when everybody has left who may still read what was replaced: sleepable read-copy-update with two counts for each thread
/// (McKenney, "Sleepable Read-Copy Update", LWN 2006). A reader writes only its own thread's line.
///
/// A reader first enters, then loads the pointer (`seq_cst`). Who replaces stores the new pointer (`seq_cst`), calls `wait_until_left`,
/// and then may free the old one. Cost: 20 cycles to enter, a store to leave.
template<threading_model Threading>
class readers {
    struct counts {
        std::array<count_cell, 2> inside;
    };

public:
    class [[nodiscard]] presence {
    public:
        presence(presence const&) = delete;
        ~presence()
        {
            std::atomic<std::uint64_t>& word = inside_.word();
            if (alone_) [[likely]]
                word.store(word.load(std::memory_order_relaxed) - 1, std::memory_order_release);
            else
                word.fetch_sub(1, std::memory_order_release);
        }

    private:
        friend readers;
        presence(count_cell& inside, bool alone) noexcept : inside_(inside), alone_(alone)
        {
            std::atomic<std::uint64_t>& word = inside_.word();
            if (alone_) [[likely]]
                word.store(word.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
            else
                word.fetch_add(1, std::memory_order_seq_cst);
        }
        count_cell& inside_;
        bool alone_;
    };

    /// Throws `std::bad_alloc` when a thread comes for the first time and there is no memory.
    presence enter()
    {
        auto const mine = stripes_.local();
        return {mine->inside[phase_.load()], mine.alone};
    }

    /// Waits for all who entered before. One at a time. Those who enter meanwhile are not waited for: they count in the other phase.
    void wait_until_left()
    {
        for (int i = 0; i < 2; ++i) {
            std::size_t const old = phase_.load();
            phase_.store(1 - old, std::memory_order_seq_cst);
            stripes_.for_each([&](counts& each) {
                while (each.inside[old].word().load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
            });
        }
    }

private:
    typename shared::template cell<std::size_t> phase_;
    striped<counts, Threading> stripes_;
};

template<>
class readers<confined> {
public:
    struct [[nodiscard]] presence {};
    presence enter() noexcept { return {}; }
    void wait_until_left() noexcept {}
};

} // namespace weir::inline v0::detail
