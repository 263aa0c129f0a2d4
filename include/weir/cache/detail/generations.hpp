// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/readers.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/threading.hpp>

#include <atomic>
#include <mutex>
#include <utility>

namespace weir::inline v0::detail {

/// A thing that all read, and at times its successor, which is being built: then what is written goes into both. Readers see the one or
/// the other whole. Nobody takes a lock but who begins and ends the building; the old one is freed when its last reader has left.
template<class Thing, threading_model Threading>
class generations {
public:
    explicit generations(owner<Thing> first) : now_(first.release()) {}
    generations(generations const&) = delete;
    ~generations()
    {
        delete now_.load();
        delete next_.load();
    }

    /// Returns `f(thing)` of the one that is read.
    template<class F>
    decltype(auto) read(F&& f) const
    {
        [[maybe_unused]] auto const inside = readers_.enter();
        return std::forward<F>(f)(std::as_const(*now_.load(std::memory_order_seq_cst)));
    }
    /// Returns `f(thing, successor)`; the successor is null if there is none.
    /// It is looked for first: between the two looks it may only become the one that is read.
    template<class F>
    decltype(auto) write(F&& f)
    {
        [[maybe_unused]] auto const inside = readers_.enter();
        Thing* const next = next_.load(std::memory_order_seq_cst);
        Thing* const now = now_.load(std::memory_order_seq_cst);
        return std::forward<F>(f)(*now, next != now ? next : nullptr);
    }

    /// From now on what is written goes into the successor, too, and whatever did not is there already. False, and nothing happens, if
    /// there is one already.
    [[nodiscard]] bool begin(owner<Thing>& successor)
    {
        std::scoped_lock const lock(mutex_);
        if (next_.load() != nullptr) return false;
        next_.store(successor.release(), std::memory_order_seq_cst);
        readers_.wait_until_left(); // for writers that have not seen it
        return true;
    }
    [[nodiscard]] bool building() const noexcept { return next_.load() != nullptr; }
    /// For whoever began.
    [[nodiscard]] Thing& successor() noexcept { return *next_.load(); }
    void commit()
    {
        std::scoped_lock const lock(mutex_);
        owner<Thing> const old(now_.exchange(next_.load(), std::memory_order_seq_cst));
        next_.store(nullptr, std::memory_order_seq_cst);
        readers_.wait_until_left();
    }
    void abandon()
    {
        std::scoped_lock const lock(mutex_);
        owner<Thing> const never(next_.exchange(nullptr, std::memory_order_seq_cst));
        readers_.wait_until_left();
    }

private:
    typename Threading::template cell<Thing*> now_;
    typename Threading::template cell<Thing*> next_;
    mutable typename Threading::mutex mutex_;
    mutable readers<Threading> readers_;
};

} // namespace weir::inline v0::detail
