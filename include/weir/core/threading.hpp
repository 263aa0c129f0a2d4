// SPDX-License-Identifier: BSL-1.0
#pragma once

#ifndef NDEBUG
#include <weir/core/detail/confined_watch.hpp>
#endif

#include <atomic>
#include <concepts>
#include <mutex>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// An atomic that can be moved while nobody else sees it: a policy moves into its pipeline once, before its first call.
template<class T>
class atomic_cell {
public:
    constexpr atomic_cell() noexcept = default;
    constexpr explicit atomic_cell(T value) noexcept : value_(value) {}
    atomic_cell(atomic_cell&& other) noexcept : value_(other.value_.load(std::memory_order_relaxed)) {}
    atomic_cell& operator=(atomic_cell&& other) noexcept
    {
        store(other.load());
        return *this;
    }

    T load(std::memory_order order = std::memory_order_relaxed) const noexcept { return value_.load(order); }
    void store(T value, std::memory_order order = std::memory_order_relaxed) noexcept { value_.store(value, order); }
    T exchange(T value, std::memory_order order = std::memory_order_acq_rel) noexcept { return value_.exchange(value, order); }
    T add(T value, std::memory_order order = std::memory_order_relaxed) noexcept { return value_.fetch_add(value, order); }
    bool replace(T& expected, T desired, std::memory_order order = std::memory_order_acq_rel) noexcept
    {
        return value_.compare_exchange_weak(expected, desired, order, std::memory_order_relaxed);
    }

private:
    std::atomic<T> value_{};
};

#ifndef NDEBUG
using use_place = std::source_location; // who uses what is confined, to be named if that is wrong
#else
struct use_place {
    static constexpr use_place current() noexcept { return {}; }
};
constexpr void check_confined(void const*, use_place) noexcept {}
#endif

/// The same words for one thread: plain loads and stores, so that an algorithm is written once for both. A debug build checks that
/// no two threads use one at once.
template<class T>
class plain_cell {
public:
    constexpr plain_cell() noexcept = default;
    constexpr explicit plain_cell(T value) noexcept : value_(value) {}
    plain_cell(plain_cell&&) noexcept = default;
    plain_cell& operator=(plain_cell&&) noexcept = default;

    T load(std::memory_order = std::memory_order_relaxed, use_place where = use_place::current()) const noexcept
    {
        check_confined(this, where);
        return value_;
    }
    void store(T value, std::memory_order = std::memory_order_relaxed, use_place where = use_place::current()) noexcept
    {
        check_confined(this, where);
        value_ = value;
    }
    T exchange(T value, std::memory_order = std::memory_order_relaxed, use_place where = use_place::current()) noexcept
    {
        check_confined(this, where);
        return std::exchange(value_, value);
    }
    T add(T value, std::memory_order = std::memory_order_relaxed, use_place where = use_place::current()) noexcept
    {
        check_confined(this, where);
        return std::exchange(value_, static_cast<T>(value_ + value));
    }
    bool replace([[maybe_unused]] T& expected, T desired, std::memory_order = std::memory_order_relaxed,
                 use_place where = use_place::current()) noexcept
    {
        check_confined(this, where);
#ifndef NDEBUG
        if (!(value_ == expected)) used_by_two_threads(where);
#endif
        value_ = desired; // nobody else writes: what was expected is what is there
        return true;
    }

private:
    T value_{};
};

/// A mutex that can be moved while nobody holds it.
class movable_mutex {
public:
    movable_mutex() = default;
    movable_mutex(movable_mutex&&) noexcept {}
    movable_mutex& operator=(movable_mutex&&) noexcept { return *this; }
    void lock() { mutex_.lock(); }
    bool try_lock() { return mutex_.try_lock(); }
    void unlock() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

/// What a confined policy has for a mutex: nothing in release, in debug a check that nobody else is inside.
class confined_mutex {
#ifndef NDEBUG
public:
    explicit(false) confined_mutex(use_place where = use_place::current()) noexcept : where_(where) {}
    confined_mutex(confined_mutex&& other) noexcept : where_(other.where_) {}
    confined_mutex& operator=(confined_mutex&&) noexcept
    {
        return *this;
    }
    void lock() noexcept
    {
        if (inside_.exchange(true, std::memory_order_acquire)) used_by_two_threads(where_);
    }
    bool try_lock() noexcept
    {
        lock();
        return true;
    }
    void unlock() noexcept
    {
        inside_.store(false, std::memory_order_release);
    }

private:
    use_place where_; // it was made: the constructor of what is confined
    std::atomic<bool> inside_{false};
#else
public:
    void lock() noexcept {}
    bool try_lock() noexcept
    {
        return true;
    }
    void unlock() noexcept {}
#endif
};

} // namespace detail

/// The threading model of a policy or algorithm that any thread may use at any time. The default.
struct shared {
    template<class T>
    using cell = detail::atomic_cell<T>;
    using mutex = detail::movable_mutex;
    static constexpr bool is_shared = true;
};

/// The threading model of a policy or algorithm that is used by one thread, or one strand, only: no atomic instruction, no lock. Use has
/// to be serial, not on the same thread for ever: who makes it may hand it to another thread, and the threads of a strand take turns.
///
/// A debug build (`NDEBUG` is not defined) ends the program when it finds that two threads use it at once, with a sentence that names
/// what was used. It sees that when one thread writes between another's reading and writing, when both are under its lock, or when both
/// touch the same word within a moment; it does not see every overlap, and never takes turns for one. Programs are built with `NDEBUG`
/// everywhere or nowhere.
struct confined {
    template<class T>
    using cell = detail::plain_cell<T>;
    using mutex = detail::confined_mutex;
    static constexpr bool is_shared = false;
};

/// `shared` or `confined`.
template<class T>
concept threading_model = requires
{
    typename T::template cell<int>;
    typename T::mutex;
    {
        T::is_shared
        } -> std::same_as<bool const&>;
};

static_assert(threading_model<shared> && threading_model<confined>);

} // namespace weir::inline v0
