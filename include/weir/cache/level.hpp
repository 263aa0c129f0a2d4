// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/awaitable.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/result.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// What a second level gives to who may load a key and write it: a write with it is refused if the key was deleted, or written, since.
/// (Nishtala and others, "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.)
struct level_lease {
    std::uint64_t number = 0; ///< zero: none, somebody else has it

    explicit operator bool() const noexcept { return number != 0; }
    friend bool operator==(level_lease const&, level_lease const&) = default;
};

/// What a second level has of a key: a value, "there is none", or nothing; and in the last case a lease, unless somebody else has it.
template<class Value>
struct level_finding {
    std::optional<Value> value{};
    bool absent = false;
    level_lease lease{};
};

/// What a second level keeps of a key: a value, or that there is none, and for how long.
template<class Value>
struct level_entry {
    std::optional<Value> value{}; ///< empty: there is none
    duration ttl{};               ///< above zero
};

/// What one instance tells the others: the key is not what it was. Numbered by the second level from 1, without a gap, so that who listens
/// notices that a message was lost.
template<class Key>
struct invalidation {
    std::uint64_t number = 0;
    Key key{};
};

namespace detail {
/// What an operation of a second level gives, at once or when it is awaited.
template<class T>
struct told_by_level {
    using type = T;
};
template<awaitable T>
struct told_by_level<T> {
    using type = typename awaitable_traits<T>::value_type;
};
template<class T, class Told>
concept tells = std::same_as<typename told_by_level<std::remove_cvref_t<T>>::type, result<Told>>;
} // namespace detail

/// A cache that several instances share, behind the one that each has for itself: Redis, say, or `memory_level` in tests. Each operation
/// gives a `result`, or an awaitable of one; all of them the same way. An error means that the level does not answer: nothing is known of
/// what came of the operation. They do not throw, unless their coroutine is cancelled, and take what they are given by reference only until
/// they have ended.
///
/// - `look_up(key, now)`: what is there. A lease that is not used goes back by itself, after a time that the level knows.
/// - `put(key, entry, lease, now)`: how many answers were written, 1 or 0; none if the lease does not hold any more.
/// - `lease(key, now)`: a new lease for a writer, which outdates any other: `lease`, change the source, `put`.
/// - `erase(key, now)`: deletes the answer and outdates the lease. How many answers there were, 1 or 0.
/// - `publish(key)`: tells all instances that listen that the key is not what it was, the own among them. Returns the message's number.
///
/// The laws that every model obeys are in `tests/law/second_level.cpp`.
template<class L, class Key, class Value>
concept second_level_of = requires(L& level, Key const& key, level_entry<Value> const& entry, level_lease lease, time_point now)
{
    {
        level.look_up(key, now)
        } -> detail::tells<level_finding<Value>>;
    {
        level.put(key, entry, lease, now)
        } -> detail::tells<std::uint64_t>;
    {
        level.lease(key, now)
        } -> detail::tells<level_lease>;
    {
        level.erase(key, now)
        } -> detail::tells<std::uint64_t>;
    {
        level.publish(key)
        } -> detail::tells<std::uint64_t>;
};

/// Lets a cache follow what other instances tell: `level.listen(weir::follow{quotes.get<weir::cached>()})`. A message erases its key; one
/// before which another was lost clears the cache. Called by one thread at a time. The cache outlives it.
template<class Cache>
class follow {
public:
    /// `last`: the number of the last message that need not be heard.
    explicit follow(Cache& cache, std::uint64_t last = 0) noexcept : cache_(&cache), last_(last) {}

    template<class Key>
    void operator()(invalidation<Key> const& told)
    {
        if (told.number <= last_) return; // told again
        bool const in_order = told.number == last_ + 1;
        last_ = told.number;
        if (in_order)
            cache_->erase(told.key);
        else
            lost();
    }
    /// For who knows that messages may have been lost: a connection was down.
    void lost()
    {
        cache_->clear();
        ++losses_;
    }
    /// How often the cache was cleared.
    [[nodiscard]] std::uint64_t losses() const noexcept { return losses_; }

private:
    Cache* cache_;
    std::uint64_t last_;
    std::uint64_t losses_ = 0;
};

} // namespace weir::inline v0
