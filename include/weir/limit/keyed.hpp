// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/key_shard.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What `keyed` does with a call of a new key when it is full of keys in use.
enum class key_overflow : std::uint8_t {
    refuse,    ///< refuses it
    share_one, ///< lets all such calls share one bucket of the same rate
};

/// How many keys `keyed` may hold, and what comes then.
struct keyed_options {
    required<std::size_t> capacity;                                  ///< keys at most, at least 1
    key_overflow overflow = key_overflow::refuse;                    ///< for keys above that
    std::uint64_t seed = 0;                                          ///< of the hash; 0: drawn at random, as it has to be against attackers
    std::size_t max_bytes = std::numeric_limits<std::size_t>::max(); ///< memory at most, with what keys allocate; default: no such bound
};

/// What `keyed` counted since it was made, and holds now.
struct keyed_stats {
    std::size_t keys;         ///< keys held now
    std::uint64_t evicted;    ///< keys forgotten, as they had all their permits back
    std::uint64_t overflowed; ///< calls whose key found no room: refused, or sent to the shared bucket
    std::size_t bytes;        ///< memory held now
    void each(auto&& field) const
    {
        field("keys", keys);
        field("bytes", bytes);
        field("evicted_total", evicted);
        field("overflowed_total", overflowed);
    }
};

/// A limiter for each key, of one rate and bounded memory: `keyed{gcra{{.permits = 100, .per = 1s}}, by<principal>, {.capacity = 10'000}}`.
/// `KeyOf` says what the key of a call is: it has a `key_type`, and the policy around this calls it.
///
/// A key is forgotten only when it has all its permits back, so that forgetting it changes nothing: nobody gets a fresh burst by filling
/// the memory with other keys. A call of a new key looks at a few others of its shard, in turn, and forgets those that are full. If there
/// is no room even so, by `capacity` or by `max_bytes`, `key_overflow` says what comes.
///
/// Thread-safe if `Threading` is `shared` (default: as the limiter's). A call of a key that is held takes no lock where the limiter's state
/// is a word, as of `gcra` and `token_bucket`: it announces itself on its thread's own line and swaps the word. Other states, new keys and
/// keys that are forgotten take the lock of one of up to 64 shards. Time may go back, but a call counts as no earlier than the latest one
/// at which its shard took in or forgot a key. The hash is keyed by the seed (`detail::seeded_hash`), so that nobody can choose keys which
/// collide. Cost: a known key allocates nothing, about 20 ns. Memory: 1.2 to 2.5 times `sizeof(key_type) + 9` bytes a key, and what the key
/// allocates itself: 10 million 64-bit keys take 256 MiB, and while a shard doubles its table 1/64 more. `max_bytes` counts all of it:
/// tables, the larger one that is filled while they grow, and texts of strings, but not the line of 128 bytes for each thread; a key type
/// of one's own that allocates says how much by `std::size_t weir_heap_bytes(key_type const&)` beside it. The prototype's own state is not
/// used.
template<class Limiter, class KeyOf, threading_model Threading = typename Limiter::threading>
requires requires
{
    typename KeyOf::key_type;
}
class keyed {
    static_assert(detail::is_keyable<Limiter>());

public:
    using options = typename Limiter::options;
    using threading = Threading;
    using key_type = typename KeyOf::key_type;

    /// Throws `std::invalid_argument` for bad options.
    keyed(Limiter const& prototype, KeyOf by, keyed_options const& o)
        : key_of_(std::move(by)),
          hash_(o.seed != 0 ? o.seed : detail::random_seed()),
          capacity_(static_cast<std::int64_t>(*o.capacity)),
          max_bytes_(static_cast<std::int64_t>(std::min<std::size_t>(o.max_bytes, std::numeric_limits<std::int64_t>::max() / 2))),
          overflow_(o.overflow),
          common_(prototype)
    {
        expect(capacity_ >= 1, "capacity", "at least 1");
        expect(o.max_bytes >= least_bytes, "max_bytes", "at least " + std::to_string(least_bytes) + " for keys of this size");
        std::size_t const most = std::min(o.capacity / 64, o.max_bytes / (4 * least_bytes));
        std::size_t const shards = Threading::is_shared ? std::bit_floor(std::clamp<std::size_t>(most, 1, 64)) : 1;
        bytes_.store(static_cast<std::int64_t>(shards * sizeof(shard)));
        shards_.reserve(shards);
        while (shards_.size() < shards) shards_.emplace_back(common_.current, hash_);
    }

    /// Takes `cost` permits of a key if they are there. `key` may be of any type that reads like the key: a `std::string_view` for
    /// a `std::string`. May throw what the key's copy throws, for a new key only, and `std::bad_alloc` when a thread comes for the first
    /// time; then nothing is taken.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] decision try_acquire(Like const& key, time_point now, std::uint64_t cost = 1)
    {
        return call(key, now, [&](rule const& r, state& s, time_point t) {
            if constexpr (requires { r.quick(s, t, cost, s); }) {
                if (state next = s; r.quick(s, t, cost, next)) [[likely]] {
                    s = next;
                    return decision::admitted();
                }
            }
            return r.try_acquire(s, t, cost);
        });
    }

    /// Takes `cost` permits of a key, also when they come later, if that is `max_wait` after `now` at the latest.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] reservation reserve(Like const& key, time_point now, std::uint64_t cost, duration max_wait)
    {
        return call(key, now, [&](rule const& r, state& s, time_point t) { return r.reserve(s, t, cost, max_wait); });
    }

    /// Gives back permits that were taken for a key and not used. Nothing happens if the key is not held: it is full already, or
    /// its calls went to the shared bucket.
    template<detail::key_like<key_type> Like>
    void refund(Like const& key, std::uint64_t cost)
    {
        visit(key, [&](shard& home, state& s) {
            auto const give_back = [&](rule const& r, state& taken, time_point) {
                r.refund(taken, cost);
                return true;
            };
            if constexpr (shard::has_readers)
                home.swap_word(s, home.latest, give_back);
            else
                give_back(home.current, s, home.latest);
        });
    }

    /// Where a key stands. A key that is not held is full.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] std::uint64_t available(Like const& key, time_point now)
    {
        std::uint64_t permits = 0;
        if (!visit(key, [&](shard& home, state& s) { permits = home.current.available(shard::look_at(s), std::max(now, home.latest)); })) {
            std::lock_guard const lock(common_.mutex);
            permits = common_.current.available(rule::fresh, now);
        }
        return permits;
    }

    /// What the `RateLimit` fields say of a key. One that is not held is full, or shares the bucket of those that found no room.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] quota quota_at(Like const& key, time_point now)
    {
        options const o = settings();
        quota q{};
        if (!visit(key,
                   [&](shard& home, state& s) { q = detail::quota_of(home.current, o, shard::look_at(s), std::max(now, home.latest)); })) {
            std::lock_guard const lock(common_.mutex);
            q = detail::quota_of(common_.current, o, rule::fresh, now);
        }
        return q;
    }

    /// What `try_acquire` would answer; takes nothing. A key that is not held is taken to find room.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] decision peek(Like const& key, time_point now, std::uint64_t cost = 1)
    {
        decision answer = decision::admitted();
        auto const ask = [&](rule const& r, state s, time_point t) { answer = r.try_acquire(s, t, cost); };
        if (!visit(key, [&](shard& home, state& s) { ask(home.current, shard::look_at(s), std::max(now, home.latest)); })) {
            std::lock_guard const lock(common_.mutex);
            ask(common_.current, rule::fresh, now);
        }
        return answer;
    }

    /// What tells the key of a call.
    [[nodiscard]] KeyOf const& key_of() const noexcept { return key_of_; }

    [[nodiscard]] keyed_stats stats() const
    {
        keyed_stats sum{};
        for (shard const& each : shards_) {
            std::lock_guard const lock(each.mutex);
            sum.keys += each.size();
            sum.evicted += each.evicted;
        }
        std::lock_guard const lock(common_.mutex);
        sum.overflowed = common_.overflowed;
        sum.bytes = static_cast<std::size_t>(bytes_.load());
        return sum;
    }

    [[nodiscard]] options settings() const
    {
        std::lock_guard const lock(common_.mutex);
        return common_.settings;
    }

    /// Throws what `reconfigure` would throw.
    static void check(options const& o) { static_cast<void>(rule(o)); }
    /// Changes the rate of all keys, shard by shard, while others call; permits in use stay so. Cost: a visit to each key.
    /// Throws `std::invalid_argument` for bad options, and then changes nothing.
    void reconfigure(options const& o)
    {
        rule const wanted(o);
        {
            std::lock_guard const lock(common_.mutex);
            common_.settings = o;
            common_.shared = wanted.adopt(common_.shared, common_.current, common_.latest);
            common_.current = wanted;
        }
        for (shard& each : shards_) {
            changing changes(each, readers_);
            std::lock_guard const lock(changes);
            each.adopt(wanted);
        }
    }

private:
    using rule = typename Limiter::rule_type;
    using state = typename rule::state;

    using shard = detail::key_shard<key_type, rule, Threading>;
    using changing = typename shard::changing_lock;
    template<class View>
    using probe = typename shard::template probe<View>;

    // A shard, its first table, and the second while the first is still there.
    static constexpr std::size_t least_bytes = sizeof(shard) + 3 * shard::first_table_bytes;

    // What belongs to no shard, under a lock of its own.
    struct common {
        explicit common(Limiter const& prototype) : settings(prototype.settings()), current(prototype.rule()) {}
        mutable typename Threading::mutex mutex;
        options settings;
        rule current;
        state shared = rule::fresh;
        time_point latest = time_point::min();
        std::uint64_t overflowed = 0;
    };

    static constexpr std::size_t few = 4;
    static constexpr std::size_t more = 16;

    // The map takes its slot from the topmost bits and a mark from the lowest eight.
    shard& home_of(std::uint64_t hash) noexcept { return shards_[(hash >> 8) & (shards_.size() - 1)]; }

    template<class Like, class Act>
    auto call(Like const& like, time_point now, Act act)
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        std::uint64_t const hash = hash_(key);
        shard& home = home_of(hash);
        probe<std::remove_cvref_t<decltype(key)>> const p{key, hash};
        if constexpr (shard::has_readers) {
            if (detail::reader_word* const mine = readers_.own()) [[likely]] {
                detail::reading_now const inside(*mine);
                if (!home.changing.load(std::memory_order_acquire)) [[likely]]
                    if (state* const found = home.find(p)) [[likely]]
                        return home.swap_word(*found, std::max(now, home.latest), act);
            } else {
                readers_.join(); // from its next call on
            }
        } else {
            std::lock_guard const lock(home.mutex);
            home.latest = std::max(home.latest, now);
            if (state* const found = home.find(p)) [[likely]]
                return act(home.current, *found, home.latest);
        }
        return call_under_lock(p, home, now, act);
    }

    /// Of a new key, most likely.
    template<class View, class Act>
    [[gnu::noinline]] auto call_under_lock(probe<View> const& p, shard& home, time_point told, Act act)
    {
        changing changes(home, readers_);
        std::unique_lock lock(changes);
        home.latest = std::max(home.latest, told);
        for (bool again = false;; again = true) {
            if (state* const found = home.find(p)) // another call of the same key may have been quicker
                return act(home.current, *found, home.latest);
            state s = rule::fresh;
            auto const answer = act(home.current, s, home.latest);
            if (!answer || home.current.is_full(s, home.latest)) return answer; // nothing to remember
            give_room(home.sweep(few));
            if (detail::key_room const room = home.needs(p.key); take_room(room)) {
                keep(p.key, home, s, room);
                return answer;
            }
            time_point const now = home.latest;
            duration const soon = home.current.until_full(s, now);
            lock.unlock();
            if (again || !sweep_elsewhere(now)) return call_without_room(now, soon, act);
            lock.lock();
        }
    }

    template<class View>
    void keep(View const& key, shard& home, state s, detail::key_room room)
    {
        try {
            bytes_.add(-home.insert(key, s));
        } catch (...) {
            give_room(room);
            throw;
        }
    }

    bool take_room(detail::key_room room) noexcept
    {
        bool const fits = keys_.add(room.keys) < capacity_;
        if (bytes_.add(room.bytes) + room.bytes <= max_bytes_ && fits) return true;
        give_room(room);
        return false;
    }
    void give_room(detail::key_room room) noexcept
    {
        if (room.keys == 0) return;
        keys_.add(-room.keys);
        bytes_.add(-room.bytes);
    }

    // The keys that are full may be in another shard: one more of them is looked at, each time another.
    bool sweep_elsewhere(time_point now)
    {
        shard& other = shards_[hand_.add(1) & (shards_.size() - 1)];
        changing changes(other, readers_);
        std::lock_guard const lock(changes);
        other.latest = std::max(other.latest, now);
        detail::key_room const freed = other.sweep(more);
        give_room(freed);
        return freed.keys > 0;
    }

    template<class Act>
    auto call_without_room(time_point now, duration soon, Act act)
    {
        using answer = decltype(act(common_.current, common_.shared, now));
        std::lock_guard const lock(common_.mutex);
        ++common_.overflowed;
        common_.latest = std::max(common_.latest, now);
        if (overflow_ == key_overflow::share_one) return act(common_.current, common_.shared, common_.latest);
        if constexpr (std::same_as<answer, reservation>)
            return reservation::refused(decision::refused(soon));
        else
            return decision::refused(soon);
    }

    template<class Like, class Visit>
    bool visit(Like const& like, Visit act)
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        std::uint64_t const hash = hash_(key);
        shard& home = home_of(hash);
        std::lock_guard const lock(home.mutex);
        state* const found = home.find(probe<std::remove_cvref_t<decltype(key)>>{key, hash});
        if (found == nullptr) return false;
        act(home, *found);
        return true;
    }

    [[no_unique_address]] KeyOf key_of_;
    detail::seeded_hash hash_;
    std::int64_t capacity_;
    std::int64_t max_bytes_;
    key_overflow overflow_;
    std::vector<shard> shards_;
    [[no_unique_address]] typename shard::readers readers_;
    typename Threading::template cell<std::int64_t> keys_{0};
    typename Threading::template cell<std::int64_t> bytes_{0};
    typename Threading::template cell<std::size_t> hand_{0};
    common common_;
};

template<class Limiter, class KeyOf>
keyed(Limiter const&, KeyOf, keyed_options) -> keyed<Limiter, KeyOf>;

} // namespace weir::inline v0
