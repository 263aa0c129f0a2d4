// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/borrowed.hpp>
#include <weir/cache/detail/store_parts.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/cache/store_write.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// A cache in memory, bounded by entries: `store<symbol, quote>{{.capacity = 100'000, .ttl = 30s, .negative_ttl = 5s}}`; by weight, too:
/// `store<path, page>{{.capacity = 100'000, .max_weight = 64 << 20}, {.weigh = bytes_of}}`.
///
/// - **Time.** It reads no clock: each call is told the time. What is out of date is never handed out by `find`. Every write draws its
///   time to live uniformly from `[ttl * (1 - jitter), ttl]`, so that what was loaded together is not reloaded together. The ttl is that of
///   the settings, of a hook, or of the write; with `idle` it also ends when nobody asks for the value.
/// - **Bounds.** At most `capacity` values; SIEVE behind the admission of W-TinyLFU (`detail/gated_sieve.hpp`) chooses what goes. Negative
///   answers have room of their own, a tenth of the capacity, so that a flood of keys that do not exist pushes no value out. What is out
///   of date goes as others are written: each write looks at two entries more. All memory is taken at construction and by `resize`: an
///   entry, and at most 40 bytes beside it; 4 more if weighed, 8 more with `idle`.
/// - **Shards.** From 2,048 values on it is split by bits of the hash into up to 64 parts with a lock each; one part may be full a
///   little before the whole is, and a value heavier than a part's share of the weight is not kept. `confined` has one part. The hash is
///   seeded: see `detail::seeded_hash` for what that protects.
/// - **Copies.** A hit hands out a copy; `visit` shows the value where it is, which for a `std::shared_ptr` spares the count. `Value` has to
///   be copyable; `Key` and `Value` must move without throwing. Their destructors and copies may run under a part's lock: they must not
///   come back to the store. A value that was replaced or evicted may live on until a few others of its part were.
/// - **Look-up** takes a `Key`, or any string for a string, without making a `Key` of it.
/// - **Leases.** `lease` before a load and the write with it after: what was erased or written meanwhile is not overwritten.
///
/// Thread-safety: `shared`: any thread, any time. A hit takes no lock. Where key and value are plain bits (at most 128 bytes, the key
/// no string view) it copies beside the writers and checks that there was none; else it announces itself in a word of its thread's own,
/// and writers wait for it before they destroy what it may look at. The 65th thread and those after it take the lock.
/// Cost of a hit: three multiplications and three cache lines, one of them its part's; announcing itself costs two stores, or a locked
/// instruction where the system has no membarrier(2), and the copy of a `std::shared_ptr` two of these on a line that all its readers
/// share: `visit` and `borrow` take half as long. For that each `erase` of what is not plain, and one other write in some (four in the
/// smallest store, hundreds in a large one), calls membarrier: 0.4 to 3 microseconds. A filter for system calls that forbids it has to be there before the first
/// store is read.
/// The destructor, `clear`, `erase_if`, `for_each`, `resize` and `reconfigure` visit every part.
///
/// For values whose loss matters use a database; for one value, a `std::atomic` or a `shared_ptr` under a lock.
template<class Key, class Value, threading_model Threading = shared>
class store : detail::store_parts<Key, Value, Threading> {
    static_assert(std::copy_constructible<Value>,
                  "a store hands out copies: for a value that is not copyable use std::shared_ptr<T const>");
    static_assert(std::is_nothrow_move_constructible_v<Key> && std::is_nothrow_move_constructible_v<Value>,
                  "a store moves keys and values under a lock: their move constructors must be noexcept");

    using base = detail::store_parts<Key, Value, Threading>;
    using base::find_at_length, base::half, base::index_of, base::look_up, base::shard_of, base::share;
    using base::hash_, base::shards_, base::tallies_;
    using typename base::announced, typename base::shard, typename base::tally;

public:
    using key_type = Key;
    using value_type = Value;
    using threading = Threading;
    using options = store_options;
    using settings_type = store_settings;
    using stats_type = store_stats;
    using hooks = store_hooks<Key, Value>;
    using entry = store_entry<Key, Value>;

    /// Throws `std::invalid_argument` that names the member.
    explicit store(options const& o, hooks h = {}) : store(o, std::move(h), o.seed.value_or(detail::random_seed())) {}

    /// Looks `key` up. Counted in the stats.
    template<detail::key_like<Key> Like>
    [[nodiscard, gnu::always_inline]] finding<Value> find(Like const& key, time_point now)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        if constexpr (Threading::is_shared)
            if (tally* const own = tallies_.own(); own != nullptr) [[likely]]
                if (announced const here(own->reading); here) [[likely]] {
                    shard& part = shard_of(hash);
                    auto const seen = part.glance(wanted, half(hash), now);
                    if (seen.what == shard::sight::hit) [[likely]] {
                        own->hits.add(1, true);
                        return finding<Value>(part.value(seen), seen.times);
                    }
                    if (seen.what == shard::sight::miss) {
                        own->misses.add(1, true);
                        return finding<Value>();
                    }
                }
        return find_at_length(wanted, hash, now);
    }

    /// Looks `key` up and calls `f(value, times)` with the value where it lies: `f` must be short and must not come back to the store, as writers may
    /// wait for it. Counted in the stats. Returns whether there was a value.
    template<detail::key_like<Key> Like, class F>
    bool visit(Like const& key, time_point now, F&& f)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        if constexpr (Threading::is_shared)
            if (tally* const own = tallies_.own(); own != nullptr) [[likely]]
                if (announced const here(own->reading); here) [[likely]] {
                    shard& part = shard_of(hash);
                    auto const seen = part.glance(wanted, half(hash), now);
                    if (seen.what == shard::sight::hit) [[likely]] {
                        own->hits.add(1, true);
                        f(part.value(seen), seen.times);
                        return true;
                    }
                }
        return visit_at_length(wanted, hash, now, f);
    }

    /// Looks `key` up and lends what its `std::shared_ptr` points to: nearly as cheap as `visit`, and may be held. A thread holds up to
    /// four at a time in this way; beyond that, for the 65th thread on and on a thread's first look-up it is a copy, for which it
    /// allocates. What a loan outlived is destroyed by a later write, or with the store, which must outlive its loans. Counted in the
    /// stats. `confined` always copies.
    template<detail::key_like<Key> Like>
    [[nodiscard, gnu::always_inline]] auto borrow(Like const& key, time_point now) requires(detail::lent_by<Value>::can)
    {
        using handle = borrowed<typename detail::lent_by<Value>::element>;
        if constexpr (base::lends)
            if (tally* const own = tallies_.own(); own != nullptr) [[likely]]
                if (announced const here(own->reading); here) [[likely]] {
                    auto&& wanted = detail::as_key<Key>(key);
                    std::uint64_t const hash = hash_(wanted);
                    shard& part = shard_of(hash);
                    auto const seen = part.glance(wanted, half(hash), now);
                    if (seen.what == shard::sight::hit) [[likely]] {
                        Value const& value = part.value(seen);
                        if (auto* const cell = value != nullptr ? own->loans.take(value.get()) : nullptr) [[likely]] {
                            own->hits.add(1, true);
                            return handle(value.get(), *cell);
                        }
                    }
                }
        return this->template borrow_at_length<handle>(key, now);
    }

    /// Looks `key` up, and finds also what is out of date, for as long as `keep_stale`: better than an error, perhaps.
    template<detail::key_like<Key> Like>
    [[nodiscard]] finding<Value> find_stale(Like const& key, time_point now)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        shard& part = shard_of(hash);
        finding<Value> found;
        {
            std::scoped_lock const lock(part.mutex);
            part.find(wanted, half(hash), now, part.settings.keep_stale, [&](auto const&... what) { found.set(what...); });
        }
        auto const mine = tallies_.local();
        (found.hit() ? mine->hits : found.negative() ? mine->negative_hits : mine->misses).add(1, mine.alone);
        if (found.stale_for().count() > 0) mine->stale_hits.add(1, mine.alone);
        return found;
    }

    /// To be taken before a load, for the write after it. Never refuses wrongly in a store that nobody erases from or writes to
    /// without a lease; otherwise an erased or written key outdates the leases of one key in 64 of its part, and `clear` and `erase_if`
    /// those of all. Takes no lock.
    template<detail::key_like<Key> Like>
    [[nodiscard]] store_lease lease(Like const& key) const
    {
        std::uint64_t const hash = hash_(detail::as_key<Key>(key));
        return shards_[index_of(hash)].lease(half(hash));
    }

    /// Keeps `value`, in the place of whatever answer `key` had. False: it is not kept, as its lease is outdated, and whatever was there
    /// stays; or as it is heavier than its part may be or has no time to live, and whatever was there is forgotten.
    bool put(Key key, Value value, time_point now, store_write const& how = {})
    {
        std::uint64_t const hash = hash_(key);
        detail::planned_write planned(half(hash), how);
        if (hooks_.weigh) planned.weight = hooks_.weigh(key, value);
        if (hooks_.time_to_live && planned.ttl.count() == 0) {
            planned.ttl = hooks_.time_to_live(key, value);
            planned.kept = planned.ttl.count() > 0;
        }
        return this->write(hooks_.on_removal, shard_of(hash), [&](shard& part, auto&& wait, auto&& gone) {
            return part.put(std::move(key), std::move(value), planned, now, wait, gone);
        });
    }
    /// The same, if the lease still holds.
    bool put(Key key, Value value, time_point now, store_lease lease)
    {
        return put(std::move(key), std::move(value), now, store_write{.lease = lease});
    }

    /// Keeps that there is no such thing as `key`, in the place of whatever answer it had. With a `negative_ttl` of zero it only
    /// forgets that answer. False: it is not kept.
    bool put_absent(Key key, time_point now, store_write const& how = {})
    {
        std::uint64_t const hash = hash_(key);
        detail::planned_write const planned(half(hash), how);
        return this->write(hooks_.on_removal, shard_of(hash), [&](shard& part, auto&& wait, auto&& gone) {
            return part.put_absent(std::move(key), planned, now, wait, gone);
        });
    }
    bool put_absent(Key key, time_point now, store_lease lease) { return put_absent(std::move(key), now, store_write{.lease = lease}); }

    /// Forgets the answer of `key`, and outdates its leases. Returns whether there was one.
    template<detail::key_like<Key> Like>
    bool erase(Like const& key)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        return this->change(hooks_.on_removal, shard_of(hash),
                            [&](shard& part, auto&& wait, auto&& gone) { return part.erase(wanted, half(hash), wait, gone); });
    }

    /// Forgets each value for which `which(key, value)` holds, part by part, and outdates all leases. `which` is asked under a part's
    /// lock: it must not come back to the store. Returns how many went.
    template<class Which>
    std::size_t erase_if(Which&& which)
    {
        std::size_t erased = 0;
        for (shard& each : shards_)
            erased += this->change(hooks_.on_removal, each, [&](shard& part, auto&& wait, auto&& gone) {
                return part.erase_if(which, false, removal::erased, wait, gone);
            });
        return erased;
    }

    /// Forgets every answer, part by part, and outdates all leases.
    void clear()
    {
        for (shard& each : shards_)
            this->change(hooks_.on_removal, each, [&](shard& part, auto&& wait, auto&& gone) {
                return part.erase_if([](auto const&...) { return true; }, true, removal::cleared, wait, gone);
            });
    }

    /// Calls `f(entry const&)` for each value that is good at `now`, part by part: a part is copied under its lock, and `f` called after that,
    /// so that it may use the store. What is in the store all the while is told exactly once; what is written or goes meanwhile is told
    /// once or not at all, as it was when its part was copied. Costs the copies of one part at a time. Keys have to be copyable.
    template<class F>
    void for_each(time_point now, F&& f) const
    {
        std::vector<entry> copies;
        for (shard const& part : shards_) {
            copies.clear();
            copies.reserve(part.values());
            {
                std::scoped_lock const lock(part.mutex);
                part.for_each(now, [&](Key const& key, Value const& value, answer_times const& times) {
                    copies.push_back({key, value, times.left, times.took()});
                });
            }
            for (entry const& each : copies) f(each);
        }
    }

    /// Calls `f(key, left)` for each negative answer that is good at `now`, in the same way.
    template<class F>
    void for_each_absent(time_point now, F&& f) const
    {
        std::vector<std::pair<Key, duration>> copies;
        for (shard const& part : shards_) {
            copies.clear();
            copies.reserve(part.absences());
            {
                std::scoped_lock const lock(part.mutex);
                part.for_each_absent(now, [&](Key const& key, duration left) { copies.emplace_back(key, left); });
            }
            for (auto const& [key, left] : copies) f(key, left);
        }
    }

    /// Values held, those out of date but not yet dropped among them. Exact when nobody writes.
    [[nodiscard]] std::size_t size() const noexcept
    {
        std::size_t all = 0;
        for (shard const& part : shards_) all += part.values();
        return all;
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_.load(); }

    [[nodiscard]] store_stats stats() const
    {
        store_stats s{};
        tallies_.for_each([&](tally const& each) { each.add_to(s); });
        for (shard const& part : shards_) {
            s.values += part.values();
            s.negative_answers += part.absences();
            s.weight += part.weight();
        }
        s.capacity = capacity();
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
        for (std::size_t i = 0; i < shards_.size(); ++i)
            this->change(hooks_.on_removal, shards_[i], [&](shard& part, auto&& wait, auto&& gone) {
                bool const first = part.settings.negative_ttl.count() == 0 && s.negative_ttl.count() != 0;
                part.settings = s;
                if (first) part.resize(share(capacity(), i), share(max_weight_, i), time_point::min(), wait, gone);
                return true;
            });
    }

    /// Takes another capacity, and `max_weight` if the values are weighed, part by part; `now` tells what is out of date from what is
    /// evicted. The number of parts stays. A store that shrinks drops what is too much and keeps its memory. One that grows beyond what
    /// it ever was takes at least twice as many places as before; where readers may still be looking at them it keeps those of before, so
    /// that all together take at most four times what the largest capacity needs. Throws `std::invalid_argument` that names the member.
    void resize(std::size_t capacity, time_point now, std::uint64_t max_weight = 0)
    {
        expect_room(capacity, max_weight);
        std::scoped_lock const one_at_a_time(reconfiguring_);
        capacity_.store(capacity);
        max_weight_ = max_weight;
        for (std::size_t i = 0; i < shards_.size(); ++i)
            this->change(hooks_.on_removal, shards_[i], [&](shard& part, auto&& wait, auto&& gone) {
                part.resize(share(capacity, i), share(max_weight, i), now, wait, gone);
                return true;
            });
    }

private:
    template<class Like, class F>
    [[gnu::noinline]] bool visit_at_length(Like const& wanted, std::uint64_t hash, time_point now, F& f)
    {
        bool hit = false;
        look_up(wanted, hash, now, [&](auto const&... what) {
            if constexpr (sizeof...(what) == 2) {
                hit = true;
                f(what...);
            }
        });
        return hit;
    }
    /// A copy, for who cannot borrow now.
    template<class Handle, class Like>
    [[gnu::noinline]] Handle borrow_at_length(Like const& key, time_point now)
    {
        auto&& wanted = detail::as_key<Key>(key);
        Handle found;
        look_up(wanted, hash_(wanted), now, [&]([[maybe_unused]] auto const& what, auto const&... times) {
            if constexpr (sizeof...(times) == 1) found = Handle(what);
        });
        return found;
    }

    store(options const& o, hooks h, std::uint64_t seed) : base(detail::splitmix64(seed)), capacity_(o.capacity), hooks_(std::move(h))
    {
        expect_room(o.capacity, o.max_weight);
        expect(o.idle.count() >= 0, "store.idle", "a duration, or zero for values that stay good though nobody asks for them");
        if constexpr (!std::copy_constructible<Key>)
            expect(!hooks_.on_removal, "store.on_removal", "nothing, for keys that are not copyable");
        max_weight_ = o.max_weight;
        store_settings const settings{.ttl = o.ttl, .jitter = o.jitter, .negative_ttl = o.negative_ttl, .keep_stale = o.keep_stale};
        check(settings);

        this->make({.entries = *o.capacity, .weighed = o.max_weight != 0, .weight = o.max_weight, .idle = o.idle}, settings,
                   detail::splitmix64(seed));
    }

    void expect_room(std::size_t capacity, std::uint64_t max_weight) const
    {
        expect(capacity >= 1 && capacity <= (std::size_t{1} << 30), "store.capacity", "a number of values in [1, 2^30]");
        expect(capacity >= shards_.size(), "store.capacity", "a value at least for each part that the store was made with");
        if (hooks_.weigh)
            expect(max_weight >= std::max<std::size_t>(shards_.size(), 1) && max_weight <= (std::uint64_t{1} << 62), "store.max_weight",
                   "a weight in [1, 2^62] for values that are weighed, at least 1 for each part");
        else
            expect(max_weight == 0, "store.max_weight", "zero for a store without store_hooks::weigh");
    }

    typename Threading::template cell<std::size_t> capacity_;
    std::uint64_t max_weight_ = 0;
    hooks hooks_;
    typename Threading::mutex reconfiguring_;
};

} // namespace weir::inline v0
