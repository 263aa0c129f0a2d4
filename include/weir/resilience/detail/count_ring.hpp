// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// What a place of the ring says of the call that took it: nothing yet, or that there was one, and how it went.
struct ring_mark {
    static constexpr std::uint8_t call = 1, failed = 2, slow = 4;
    [[nodiscard]] static constexpr std::uint8_t of(bool failure, bool slowness) noexcept
    {
        return static_cast<std::uint8_t>(call | (failure ? failed : 0) | (slowness ? slow : 0));
    }
};

/// How many of the calls in a window failed, and how many were slow.
struct breaker_totals {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    std::uint64_t slow = 0;
};

/// The outcomes of the last calls, a byte each, and their sum.
///
/// A thread takes places in batches of a sixteenth of the ring, eight at most, and fills them as its calls end: one contended
/// instruction a batch. A place that has the right byte already is not written, so a service that works has all threads reading the same
/// lines. What is written is exchanged, and the difference goes into the sum, which is therefore that of the ring at any time.
///
/// Exact with one thread, and with any number while batches are of one place (rings below 32). With more threads each may hold
/// batch - 1 places that still tell of the call a ring ago: at most a sixteenth of the window a thread.
template<threading_model Threading>
class count_ring {
public:
    explicit count_ring(std::uint32_t size) { resize(size); }

    [[gnu::always_inline]] void count(bool failed, bool slow)
    {
        batch* const own = batches_.own();
        std::uint32_t const era = era_.load(std::memory_order_relaxed);
        if (own != nullptr && own->left != 0 && own->era == era) [[likely]] {
            --own->left;
            put(*block_.load(std::memory_order_acquire), own->next++, ring_mark::of(failed, slow), era);
        } else
            count_in_a_new_batch(failed, slow);
    }
    [[nodiscard]] breaker_totals sum() const noexcept
    {
        auto packed = static_cast<std::int64_t>(block_.load(std::memory_order_acquire)->sum.load(std::memory_order_acquire));
        // Three signed fields: while two threads change one place their differences may come in the other order.
        auto const take = [&packed] {
            std::int64_t const field = packed << (64 - bits) >> (64 - bits);
            packed = (packed - field) >> bits;
            return static_cast<std::uint64_t>(std::max(field, std::int64_t{0}));
        };
        std::uint64_t const calls = take();
        std::uint64_t const failures = take();
        return {calls, failures, take()};
    }

    /// Empties the ring. One thread at a time, as the following.
    void forget() noexcept
    {
        block& b = *block_.load(std::memory_order_relaxed);
        std::uint32_t const era = era_.add(1, std::memory_order_seq_cst) + 1;
        b.head.store(std::uint64_t{era} << 32, std::memory_order_release);
        for (std::uint32_t i = 0; i < b.capacity; ++i) change(b, i, 0);
    }
    /// Another number of places. Memory grows to twice the largest number there ever was; the smaller rings are kept, as calls may be in
    /// them.
    void resize(std::uint32_t size)
    {
        if (blocks_.empty() || blocks_.back()->capacity < size) {
            blocks_.reserve(blocks_.size() + 1);
            blocks_.push_back(owner<block>(new block(std::bit_ceil(size))));
            block_.store(blocks_.back().get(), std::memory_order_release);
        }
        blocks_.back()->size.store(size, std::memory_order_release);
        forget();
    }

private:
    static constexpr unsigned bits = 21;

    /// Places that a thread has taken and not filled yet. Its own alone.
    struct batch {
        std::uint32_t next = 0;
        std::uint32_t left = 0;
        std::uint32_t era = 0;
    };
    struct alignas(64) block {
        explicit block(std::uint32_t places) : capacity(places), cells(new std::atomic<std::uint8_t>[places]()) {}
        std::uint32_t const capacity;
        owner<std::atomic<std::uint8_t>[]> const cells;
        std::atomic<std::uint32_t> size{0};
        alignas(64) std::atomic<std::uint64_t> head{0}; // the era, and the next place
        alignas(64) std::atomic<std::uint64_t> sum{0};
    };

    static constexpr std::uint64_t packed(std::uint8_t mark) noexcept
    {
        return std::uint64_t{mark & 1u} | std::uint64_t{(mark >> 1) & 1u} << bits | std::uint64_t{(mark >> 2) & 1u} << (2 * bits);
    }
    static void change(block& b, std::uint32_t at, std::uint8_t mark) noexcept
    {
        std::uint8_t const before = b.cells[at].exchange(mark, std::memory_order_seq_cst);
        if (before != mark) b.sum.fetch_add(packed(mark) - packed(before), std::memory_order_release);
    }
    [[gnu::always_inline]] void put(block& b, std::uint32_t at, std::uint8_t mark, std::uint32_t era) noexcept
    {
        if (b.cells[at].load(std::memory_order_relaxed) != mark) [[unlikely]]
            write(b, at, mark, era);
    }
    [[gnu::noinline]] void write(block& b, std::uint32_t at, std::uint8_t mark, std::uint32_t era) noexcept
    {
        change(b, at, mark);
        // Either `forget` comes to this place later and empties it, or this sees that it has begun: nothing of an older era stays.
        if (era_.load(std::memory_order_seq_cst) != era) change(b, at, 0);
    }
    [[gnu::noinline, gnu::cold]] void count_in_a_new_batch(bool failed, bool slow)
    {
        auto const mine = batches_.local();
        block& b = *block_.load(std::memory_order_acquire);
        std::uint32_t const size = b.size.load(std::memory_order_acquire);
        std::uint32_t const most = mine.alone ? std::clamp<std::uint32_t>(size / 16, 1, 8) : 1;
        std::uint64_t head = b.head.load(std::memory_order_acquire);
        std::uint32_t at = 0, taken = 0;
        do {
            at = static_cast<std::uint32_t>(head);
            if (at >= size) at = 0;
            taken = std::min(most, size - at);
        } while (
            !b.head.compare_exchange_weak(head, (head >> 32 << 32) | (at + taken), std::memory_order_acq_rel, std::memory_order_acquire));
        auto const era = static_cast<std::uint32_t>(head >> 32);
        if (mine.alone) mine.stripe = {at + 1, taken - 1, era};
        if (era == era_.load(std::memory_order_acquire)) put(b, at, ring_mark::of(failed, slow), era);
    }

    striped<batch, Threading> batches_;
    typename Threading::template cell<block*> block_;
    typename Threading::template cell<std::uint32_t> era_;
    std::vector<owner<block>> blocks_;
};

/// The same for one thread: exact.
template<>
class count_ring<confined> {
public:
    explicit count_ring(std::uint32_t size) { resize(size); }

    [[gnu::always_inline]] void count(bool failed, bool slow) noexcept
    {
        std::uint8_t& place = places_[at_];
        if (++at_ == size_) at_ = 0;
        std::uint8_t const mark = ring_mark::of(failed, slow);
        if (place == mark) [[likely]]
            return;
        sum_.calls += 1u - (place & 1u);
        sum_.failures += static_cast<std::uint64_t>(failed) - ((place >> 1) & 1u);
        sum_.slow += static_cast<std::uint64_t>(slow) - ((place >> 2) & 1u);
        place = mark;
    }
    [[nodiscard]] breaker_totals sum() const noexcept { return sum_; }
    void forget() noexcept
    {
        for (std::uint32_t i = 0; i < size_; ++i) places_[i] = 0;
        at_ = 0;
        sum_ = {};
    }
    void resize(std::uint32_t size)
    {
        places_ = owner<std::uint8_t[]>(new std::uint8_t[size]);
        size_ = size;
        forget();
    }

private:
    owner<std::uint8_t[]> places_;
    std::uint32_t size_ = 0;
    std::uint32_t at_ = 0;
    breaker_totals sum_;
};

} // namespace weir::inline v0::detail
