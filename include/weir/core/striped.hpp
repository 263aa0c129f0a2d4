// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>
#include <weir/core/threading.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace weir::inline v0::detail {

/// How many threads at a time have a stripe to themselves; what further threads count goes into one stripe that they share.
inline constexpr unsigned stripes = 64;

/// Lends each thread a number below `stripes` that no other living thread has, or `stripes` when all are lent. A thread that ends gives its
/// number back.
class thread_number {
public:
    [[nodiscard]] static unsigned current() noexcept
    {
        unsigned const number = number_;
        return number != none ? number : lend();
    }

    /// The same, or a number above `stripes` if the thread has none yet.
    [[nodiscard]] static unsigned if_lent() noexcept { return number_; }

private:
    static constexpr unsigned none = ~0u;

    struct holder {
        unsigned held = none;
        ~holder()
        {
            if (held < stripes) taken().fetch_and(~(std::uint64_t{1} << held), std::memory_order_release);
            number_ = stripes; // counts that other destructors make later go into the shared stripe
        }
    };
    static std::atomic<std::uint64_t>& taken() noexcept
    {
        static constinit std::atomic<std::uint64_t> bits{0};
        return bits;
    }
    [[gnu::noinline, gnu::cold]] static unsigned lend() noexcept
    {
        thread_local holder mine;
        std::uint64_t bits = taken().load(std::memory_order_relaxed);
        do {
            if (~bits == 0) return number_ = stripes;
            mine.held = static_cast<unsigned>(std::countr_one(bits));
        } while (!taken().compare_exchange_weak(bits, bits | (std::uint64_t{1} << mine.held), std::memory_order_acquire,
                                                std::memory_order_relaxed));
        return number_ = mine.held;
    }
    static constinit inline thread_local unsigned number_ = none;
};

/// A word that one thread writes and all may read: adding needs no locked instruction. Where several threads write it, they say so.
class count_cell {
public:
    [[gnu::always_inline]] void add(std::uint64_t n, bool alone) noexcept
    {
        if (alone) [[likely]]
            value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
        else
            value_.fetch_add(n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t load() const noexcept { return value_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::atomic<std::uint64_t>& word() noexcept { return value_; }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A `Stripe` for each thread, made when the thread first comes and merged when it is read. `Stripe` holds `count_cell`s or
/// words that are written likewise. Under `confined` there is one, in place.
template<class Stripe, threading_model Threading>
class striped {
public:
    struct mine {
        Stripe& stripe;
        bool alone; ///< nobody else writes this stripe
        Stripe* operator->() const noexcept { return &stripe; }
    };

    striped() = default;
    striped(striped&& other) noexcept
    {
        for (std::size_t i = 0; i < parts_.size(); ++i)
            parts_[i].store(other.parts_[i].exchange(nullptr, std::memory_order_relaxed), std::memory_order_relaxed);
    }
    striped& operator=(striped&& other) noexcept
    {
        for (std::size_t i = 0; i < parts_.size(); ++i)
            delete parts_[i].exchange(other.parts_[i].exchange(nullptr, std::memory_order_relaxed), std::memory_order_relaxed);
        return *this;
    }
    ~striped()
    {
        for (auto& part : parts_) delete part.load(std::memory_order_relaxed);
    }

    /// The calling thread's own, if it has come before and nobody else writes it; else null, and `local` has to be asked. The short way:
    /// three loads and two comparisons.
    [[nodiscard, gnu::always_inline]] Stripe* own() noexcept
    {
        unsigned const number = thread_number::if_lent();
        if (number >= stripes) [[unlikely]]
            return nullptr;
        padded* const part = parts_[number].load(std::memory_order_acquire);
        return part != nullptr ? &part->value : nullptr;
    }
    /// The calling thread's own. Throws `std::bad_alloc` when a thread comes for the first time and there is no memory.
    [[nodiscard]] mine local()
    {
        unsigned const number = thread_number::current();
        padded* const part = parts_[number].load(std::memory_order_acquire);
        return {part != nullptr ? part->value : make(number), number < stripes};
    }
    template<class F>
    void for_each(F&& f) const
    {
        for (auto const& part : parts_)
            if (padded* const p = part.load(std::memory_order_acquire)) f(std::as_const(p->value));
    }
    template<class F>
    void for_each(F&& f)
    {
        for (auto& part : parts_)
            if (padded* const p = part.load(std::memory_order_acquire)) f(p->value);
    }

private:
    struct alignas(128) padded {
        Stripe value{};
    };
    [[gnu::noinline, gnu::cold]] Stripe& make(unsigned number)
    {
        owner<padded> fresh(new padded);
        padded* expected = nullptr;
        if (parts_[number].compare_exchange_strong(expected, fresh.get(), std::memory_order_acq_rel)) return fresh.release()->value;
        return expected->value;
    }
    std::array<std::atomic<padded*>, stripes + 1> parts_{};
};

template<class Stripe>
class striped<Stripe, confined> {
public:
    struct mine {
        Stripe& stripe;
        static constexpr bool alone = true;
        Stripe* operator->() const noexcept { return &stripe; }
    };
    striped() : part_(new Stripe()) {}
    [[nodiscard]] Stripe* own() noexcept { return part_.get(); }
    [[nodiscard]] mine local() noexcept { return {*part_}; }
    template<class F>
    void for_each(F&& f) const
    {
        f(std::as_const(*part_));
    }
    template<class F>
    void for_each(F&& f)
    {
        f(*part_);
    }

private:
    owner<Stripe> part_;
};

/// A counter for statistics: adding costs a load and a store, reading sums over the threads.
template<threading_model Threading>
class counter {
public:
    [[gnu::always_inline]] void add(std::uint64_t n = 1)
    {
        if (count_cell* const own = cells_.own()) [[likely]]
            own->add(n, true);
        else
            add_slowly(n);
    }
    [[nodiscard]] std::uint64_t sum() const
    {
        std::uint64_t total = 0;
        cells_.for_each([&](count_cell const& cell) { total += cell.load(); });
        return total;
    }

private:
    [[gnu::noinline, gnu::cold]] void add_slowly(std::uint64_t n)
    {
        auto const mine = cells_.local();
        mine->add(n, mine.alone);
    }
    striped<count_cell, Threading> cells_;
};

} // namespace weir::inline v0::detail
