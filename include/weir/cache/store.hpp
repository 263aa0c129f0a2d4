// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/store_shard.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// A cache in memory, bounded by entries: `store<symbol, quote>{{.capacity = 100'000, .ttl = 30s, .negative_ttl = 5s}}`.
///
/// - **Time.** It reads no clock: each call is told the time. What is out of date is never handed out by `find`. Every write draws its
///   time to live uniformly from `[ttl * (1 - jitter), ttl]`, so that what was loaded together is not reloaded together.
/// - **Bounds.** At most `capacity` values; SIEVE (`sieve.hpp`) chooses what goes. Negative answers have room of their own, a tenth of
///   the capacity, so that a flood of keys that do not exist pushes no value out. What is out of date goes as others are written: each
///   write looks at two entries more. All memory is taken at construction: an entry, and about 40 bytes beside it.
/// - **Shards.** From 2,048 values on it is split by bits of the hash into up to 64 parts with a lock each; one part may be full a
///   little before the whole is. `confined` has one part. The hash is seeded: see `detail::seeded_hash` for what that protects.
/// - **Copies.** A hit hands out a copy. For big values keep a `std::shared_ptr<T const>`. `Value` has to be copyable; `Key` and `Value`
///   must move without throwing. Their destructors may run under a part's lock: they must not come back to the store.
/// - **Look-up** takes a `Key`, or any string for a string, without making a `Key` of it.
///
/// Thread-safety: `shared`: any thread, any time. Where key and value are plain bits (at most 128 bytes, the key no string view), a hit
/// takes no lock: it copies beside the writers, checks that there was none, and takes the lock only if there was.
/// Cost: two multiplications, and three cache lines for a hit. The destructor, `clear` and `reconfigure` visit every part.
///
/// For values whose loss matters use a database; for one value, a `std::atomic` or a `shared_ptr` under a lock.
template<class Key, class Value, threading_model Threading = shared>
class store {
    static_assert(std::copy_constructible<Value>,
                  "a store hands out copies: for a value that is not copyable use std::shared_ptr<T const>");
    static_assert(std::is_nothrow_move_constructible_v<Key> && std::is_nothrow_move_constructible_v<Value>,
                  "a store moves keys and values under a lock: their move constructors must be noexcept");

public:
    using key_type = Key;
    using value_type = Value;
    using threading = Threading;
    using options = store_options;
    using settings_type = store_settings;

    /// Throws `std::invalid_argument` that names the member.
    explicit store(options const& o) : store(o, o.seed.value_or(detail::random_seed())) {}

    /// Looks `key` up. Counted in the stats.
    template<detail::key_like<Key> Like>
    [[nodiscard]] finding<Value> find(Like const& key, time_point now)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        shard& part = shard_of(hash);
        finding<Value> found;
        if constexpr (shard::readable) {
            if (part.peek(wanted, half(hash), now, found)) {
                count(found);
                return found;
            }
        }
        std::scoped_lock const lock(part.mutex);
        found = part.find(wanted, half(hash), now);
        count(found);
        return found;
    }

    /// Looks `key` up, and finds also what is out of date, for as long as `keep_stale`: better than an error, perhaps.
    template<detail::key_like<Key> Like>
    [[nodiscard]] finding<Value> find_stale(Like const& key, time_point now)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        shard& part = shard_of(hash);
        std::scoped_lock const lock(part.mutex);
        finding<Value> found = part.find(wanted, half(hash), now, part.settings.keep_stale);
        count(found);
        return found;
    }

    /// Keeps `value`, in the place of whatever answer `key` had.
    void put(Key key, Value value, time_point now)
    {
        std::uint64_t const hash = hash_(key);
        shard& part = shard_of(hash);
        typename shard::writing const guard(part);
        count(part.put(std::move(key), std::move(value), half(hash), now));
    }

    /// Keeps that there is no such thing as `key`, in the place of whatever answer it had. With a `negative_ttl` of zero it only
    /// forgets that answer.
    void put_absent(Key key, time_point now)
    {
        std::uint64_t const hash = hash_(key);
        shard& part = shard_of(hash);
        typename shard::writing const guard(part);
        if (part.settings.negative_ttl == duration::zero())
            part.erase(key, half(hash));
        else
            count(part.put_absent(std::move(key), half(hash), now));
    }

    /// Forgets the answer of `key`. Returns whether there was one.
    template<detail::key_like<Key> Like>
    bool erase(Like const& key)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        shard& part = shard_of(hash);
        typename shard::writing const guard(part);
        return part.erase(wanted, half(hash));
    }

    /// Forgets every answer, part by part.
    void clear()
    {
        for (shard& part : shards_) {
            typename shard::writing const guard(part);
            part.clear();
        }
    }

    /// Values held, those out of date but not yet dropped among them. Exact when nobody writes.
    [[nodiscard]] std::size_t size() const noexcept
    {
        std::size_t all = 0;
        for (shard const& part : shards_) all += part.values();
        return all;
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    [[nodiscard]] store_stats stats() const
    {
        store_stats s{};
        tallies_.for_each([&](tally const& each) {
            s.hits += each.hits.load();
            s.stale_hits += each.stale_hits.load();
            s.negative_hits += each.negative_hits.load();
            s.misses += each.misses.load();
            s.writes += each.writes.load();
            s.evicted += each.evicted.load();
            s.expired += each.expired.load();
        });
        for (shard const& part : shards_) {
            s.values += part.values();
            s.negative_answers += part.absences();
        }
        return s;
    }

    [[nodiscard]] store_settings settings() const
    {
        std::scoped_lock const lock(shards_.front().mutex);
        return shards_.front().settings;
    }

    /// Takes new settings and keeps the entries, each with the time to live that it was written with.
    /// Throws `std::invalid_argument` that names the member, and then changes nothing.
    void reconfigure(store_settings const& s)
    {
        check(s);
        std::scoped_lock const one_at_a_time(reconfiguring_);
        for (shard& part : shards_) {
            std::scoped_lock const lock(part.mutex);
            part.settings = s;
        }
    }

private:
    struct tally {
        detail::count_cell hits, stale_hits, negative_hits, misses, writes, evicted, expired;
    };

    using shard = detail::store_shard<Key, Value, Threading>;

    store(options const& o, std::uint64_t seed) : hash_(detail::splitmix64(seed)), capacity_(o.capacity)
    {
        expect(capacity_ >= 1 && capacity_ <= (std::size_t{1} << 31), "store.capacity", "a number of values in [1, 2^31]");
        store_settings const settings{.ttl = o.ttl, .jitter = o.jitter, .negative_ttl = o.negative_ttl, .keep_stale = o.keep_stale};
        check(settings);

        std::size_t const parts = Threading::is_shared ? std::bit_floor(std::clamp<std::size_t>(capacity_ / 1'024, 1, 64)) : 1;
        shard_bits_ = static_cast<unsigned>(std::countr_zero(parts));
        shards_.reserve(parts);
        for (std::size_t i = 0; i < parts; ++i)
            shards_.emplace_back(capacity_ / parts + (i < capacity_ % parts), settings, detail::splitmix64(seed));
    }

    // A part is chosen by the highest bits of the hash, a place in it by the lower half.
    static std::uint32_t half(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash); }
    shard& shard_of(std::uint64_t hash) noexcept { return shards_[hash >> 1 >> (63 - shard_bits_)]; }

    void count(finding<Value> const& found)
    {
        auto const mine = tallies_.local();
        (found.hit() ? mine->hits : found.negative() ? mine->negative_hits : mine->misses).add(1, mine.alone);
        if (found.stale_for() > duration::zero()) mine->stale_hits.add(1, mine.alone);
    }
    void count(detail::drops const& out)
    {
        auto const mine = tallies_.local();
        mine->writes.add(1, mine.alone);
        if (out.for_room != 0) mine->evicted.add(out.for_room, mine.alone);
        if (out.expired != 0) mine->expired.add(out.expired, mine.alone);
    }

    detail::seeded_hash hash_;
    std::size_t capacity_;
    unsigned shard_bits_ = 0;
    std::vector<shard> shards_;
    detail::striped<tally, Threading> tallies_;
    typename Threading::mutex reconfiguring_;
};

} // namespace weir::inline v0
