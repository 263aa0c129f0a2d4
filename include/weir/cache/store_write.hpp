// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>

namespace weir::inline v0 {

/// What `store::lease` gives before a load and `store::put` asks for after it: a write is refused if the key was erased, or written by
/// somebody without a lease, or the store cleared in between, so that an old value never overwrites an invalidation (Nishtala and others,
/// "Scaling Memcache at Facebook", NSDI 2013, 3.2.1). It belongs to its store and key. One made by default is refused.
class store_lease {
public:
    store_lease() noexcept = default;
    friend bool operator==(store_lease const&, store_lease const&) = default;

    /// For stores: the number of a lease, never zero.
    explicit store_lease(std::uint64_t stamp) noexcept : stamp_(stamp) {}
    [[nodiscard]] std::uint64_t stamp() const noexcept { return stamp_; }

private:
    std::uint64_t stamp_ = 0;
};
static_assert(std::is_trivially_copyable_v<store_lease> && sizeof(store_lease) == 8);

/// How to write an answer into a `store`, beyond what its settings say: `quotes.put(key, quote, now, {.lease = mine, .took = 3ms})`.
struct store_write {
    std::optional<store_lease> lease{}; ///< refuse the write if this is outdated
    duration ttl{};  ///< how long it is good for, at most: the jitter takes off as always; zero: as the store's settings or hook say
    duration left{}; ///< how long it is good for, exactly: what a snapshot said, say; zero: as above
    duration took{}; ///< how long its load took, for `finding::took`; zero: nobody knows
};

/// Why a value left a `store`.
enum class removal : std::uint8_t {
    replaced, ///< another answer for its key took its place
    erased,   ///< `erase` or `erase_if`
    expired,  ///< its time was up
    evicted,  ///< its room was needed, or the store shrank
    cleared,  ///< `clear`
};

/// One value that a `store` holds, as `for_each` tells it.
template<class Key, class Value>
struct store_entry {
    Key key;
    Value value;
    duration left; ///< until it goes out of date: what to `put` it back with
    duration took; ///< how long its load took; zero: nobody knows
};

/// What a `store` asks and tells its owner. Each may be left out and then costs nothing.
template<class Key, class Value>
struct store_hooks {
    /// What a value weighs, against `store_options::max_weight`. Asked once a write, before the lock.
    std::function<std::uint32_t(Key const&, Value const&)> weigh = {};
    /// How long a value is good for, at most, in the place of `store_settings::ttl`; above zero. Asked once a write, before the lock.
    std::function<duration(Key const&, Value const&)> time_to_live = {};
    /// Told of each value that left, once, by the call that made it leave, after it has let go of the lock: it may use the store. Of
    /// several threads' calls the order is not kept. What it throws reaches that call's caller. Not told: negative answers, and the end of
    /// the store. Keys have to be copyable.
    std::function<void(Key const&, Value const&, removal)> on_removal = {};
};

} // namespace weir::inline v0
