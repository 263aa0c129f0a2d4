// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/announcer.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/key.hpp>
#include <weir/core/striped.hpp>
#include <weir/resilience/breaker_transition.hpp>
#include <weir/resilience/breaker_window.hpp>
#include <weir/resilience/detail/breaker_shard.hpp>
#include <weir/resilience/verdict.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What `keyed_breaker` does with a call of a new key when it is full of keys in use.
enum class breaker_overflow : std::uint8_t {
    pass,   ///< lets it through without a breaker: nobody is kept away for lack of room
    refuse, ///< refuses it with `errc::overloaded`
};

/// How many keys `keyed_breaker` may hold, and what comes then.
struct keyed_breaker_options {
    /// Keys at most; at least 1.
    required<std::size_t> capacity;
    /// For calls of keys above that.
    breaker_overflow overflow = breaker_overflow::pass;
    /// A key that nobody called for so long may make room for another, unless it is open or somebody's hand is on it; above 0.
    duration forget_after = std::chrono::minutes(1);
    /// Of the hash; 0: drawn at random, as it has to be against attackers.
    std::uint64_t seed = 0;
};

/// A `circuit_breaker` for each key, host, tenant or route, of the same settings and in bounded memory:
/// `keyed_breaker{circuit_breaker_options{.window = 10s}, by_header<"host">, {.capacity = 1'000}}`. The settings choose the window, as
/// there.
///
/// A call of a new key looks at a few others of its shard, in turn, and forgets those that nobody has called for `forget_after`. A breaker
/// whose open time runs, one with probes out, and one set by hand are never forgotten. If there is no room even so, `breaker_overflow` says
/// what comes. Results that come when their key was forgotten are late.
///
/// The transitions of each key are told in order (`listen`), with the key. Thread-safe if `shared`: up to 64 shards, each with its lock.
/// The hash is keyed by the seed, so that nobody can choose keys which collide. Cost: a look-up and two short locks of a shard, about
/// 100 ns. Memory: about 600 bytes a key with a window of time, and what the key allocates, twice.
template<class KeyOf, breaker_window Window = time_window, threading_model Threading = shared, class Classifier = pipeline_verdict>
requires requires
{
    typename KeyOf::key_type;
}
class keyed_breaker {
    using shard = detail::breaker_shard<typename KeyOf::key_type, Window, Threading>;
    using entry = typename shard::entry;

public:
    using role = gate;
    using traits = weir::traits<counts_failures>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using key_type = typename KeyOf::key_type;
    using options = typename Window::options;
    using transition = keyed_breaker_transition<key_type>;
    static constexpr std::string_view name = "keyed_breaker";

    /// A call's place among the keys.
    struct permit_type {
        std::uint32_t shard = nowhere;
        std::uint32_t place = 0;
        std::uint64_t tenant = 0; ///< of the place: it may go to another key meanwhile
        std::uint64_t inner = 0;
    };
    struct stats_type {
        std::uint64_t keys = 0;       ///< held now, each shard as it is when it is looked at
        std::uint64_t not_closed = 0; ///< of these
        std::uint64_t refused = 0;    ///< since the start, as the following
        std::uint64_t tripped = 0;    ///< times that a breaker opened by itself
        std::uint64_t late = 0;       ///< results that arrived after their state, or their key, had gone
        std::uint64_t forgotten = 0;  ///< keys
        std::uint64_t overflowed = 0; ///< calls whose key found no room
        std::uint64_t untold = 0;     ///< transitions that found 64 others waiting for a listener
        void each(auto&& field) const
        {
            field("keys", keys);
            field("not_closed", not_closed);
            field("refused_total", refused);
            field("tripped_total", tripped);
            field("late_total", late);
            field("forgotten_total", forgotten);
            field("overflowed_total", overflowed);
            field("untold_total", untold);
        }
    };

    /// Throws `std::invalid_argument` for bad options.
    keyed_breaker(options const& o, KeyOf by, keyed_breaker_options const& k, Classifier classifier = {})
        : key_of_(std::move(by)), classifier_(std::move(classifier)), bounds_(k), hash_(k.seed != 0 ? k.seed : detail::random_seed())
    {
        detail::expect_breaker(o);
        expect(*k.capacity >= 1 && *k.capacity <= nowhere, "keyed_breaker.capacity", "at least 1");
        expect(k.forget_after.count() > 0, "keyed_breaker.forget_after", "more than 0");
        std::size_t const shards = Threading::is_shared ? std::bit_floor(std::clamp<std::size_t>(*k.capacity / 64, 1, 64)) : 1;
        std::uint64_t seed = o.seed != 0 ? o.seed : detail::random_seed();
        shards_.reserve(shards);
        while (shards_.size() < shards) shards_.emplace_back(o, hash_, detail::splitmix64(seed));
    }

    [[nodiscard]] admission<permit_type> admit(auto& call) { return ask(key_of_(call), call.now(), detail::teller_of(call)); }
    void settle(permit_type const& permit, auto const& outcome, auto& call)
    {
        if (permit.shard == nowhere) return;
        settled(permit, detail::verdict_of(classifier_, outcome, call), call.now(), detail::teller_of(call));
    }
    void cancel(permit_type const& permit) noexcept
    {
        if (permit.shard == nowhere || detail::breaker_word::state(permit.inner) != breaker_state::half_open) return;
        shard& home = shards_[permit.shard];
        std::lock_guard const lock(home.mutex);
        if (entry* const e = home.find(permit.place, permit.tenant)) e->breaker.drop(permit.inner);
    }

    /// Tells `f` of each transition of any key from now on; see `circuit_breaker::listen`. Those of one key come in order.
    template<std::invocable<transition const&> Listener>
    void listen(Listener f)
    {
        std::lock_guard const lock(telling_);
        listeners_.add(std::move(f));
        listened_.store(true, std::memory_order_release);
    }

    /// By hand, for one key, as of `circuit_breaker`. False if there is no room for a key that was not held.
    template<detail::key_like<key_type> Like>
    bool force_open(Like const& key, time_point now)
    {
        return set(key, breaker_state::forced_open, now);
    }
    template<detail::key_like<key_type> Like>
    bool disable(Like const& key, time_point now)
    {
        return set(key, breaker_state::disabled, now);
    }
    template<detail::key_like<key_type> Like>
    bool metrics_only(Like const& key, time_point now)
    {
        return set(key, breaker_state::metrics_only, now);
    }
    template<detail::key_like<key_type> Like>
    bool reset(Like const& key, time_point now)
    {
        return set(key, breaker_state::closed, now);
    }

    /// The state of a key; one that is not held is closed.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] breaker_state state_of(Like const& like) const
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        shard const& home = shards_[shard_of(key)];
        std::lock_guard const lock(home.mutex);
        auto const found = home.places.find(key);
        return found == home.places.end() ? breaker_state::closed : home.entries[found->second]->breaker.now();
    }
    /// As of `circuit_breaker`.
    void labelled(std::string_view label) noexcept { label_ = detail::name_within_bounds(label); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        stats_type s;
        for (shard const& each : shards_) {
            std::lock_guard const lock(each.mutex);
            s.keys += each.places.size();
            for (auto const& [key, place] : each.places) s.not_closed += each.entries[place]->breaker.now() != breaker_state::closed;
            s.tripped += each.tripped;
            s.forgotten += each.forgotten;
        }
        s.refused = refused_.sum();
        s.late = late_.sum();
        s.overflowed = overflowed_.sum();
        std::lock_guard const lock(telling_);
        s.untold = listeners_.untold();
        return s;
    }
    [[nodiscard]] options settings() const
    {
        std::lock_guard const lock(shards_.front().mutex);
        return shards_.front().current;
    }
    /// Other settings for all keys, shard by shard, while others call; as of `circuit_breaker`. Cost: a visit to each key.
    void reconfigure(options const& o)
    {
        detail::expect_breaker(o);
        for (shard& each : shards_) {
            std::lock_guard const lock(each.mutex);
            for (auto const& [key, place] : each.places) each.entries[place]->breaker.adopt(o, each.current);
            each.current = o;
        }
    }
    void describe(auto&& field) const
    {
        detail::describe_breaker(settings(), field);
        field("capacity", *bounds_.capacity);
        field("refuses_overflow", bounds_.overflow == breaker_overflow::refuse);
        field("forget_after", bounds_.forget_after);
    }

private:
    static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
    static constexpr std::size_t few = 4;
    static constexpr std::size_t more = 16;

    using lock_type = std::unique_lock<typename Threading::mutex>;

    // The map takes its slot from the topmost bits and a mark from the lowest eight.
    template<class View>
    [[nodiscard]] std::uint32_t shard_of(View const& key) const
    {
        return static_cast<std::uint32_t>((hash_(key) >> 8) & (shards_.size() - 1));
    }
    /// The place of a key in its shard, a new one if need be; `nowhere` if there is no room. The lock may be given up meanwhile.
    template<class View>
    std::uint32_t place_of(View const& key, shard& home, lock_type& lock, time_point now)
    {
        if (auto const found = home.places.find(key); found != home.places.end()) [[likely]]
            return found->second;
        for (int turn = 0;; ++turn) {
            keys_.add(-home.sweep(few, now, bounds_.forget_after));
            if (keys_.add(1) < static_cast<std::int64_t>(*bounds_.capacity)) {
                try {
                    return home.add(key, now);
                } catch (...) {
                    keys_.add(-1);
                    throw;
                }
            }
            keys_.add(-1);
            if (turn != 0) return nowhere;
            lock.unlock(); // the keys that may go may be in another shard: one more is looked at, each time another
            {
                shard& other = shards_[hand_.add(1) & (shards_.size() - 1)];
                std::lock_guard const theirs(other.mutex);
                keys_.add(-other.sweep(more, now, bounds_.forget_after));
            }
            lock.lock();
            if (auto const found = home.places.find(key); found != home.places.end()) return found->second; // somebody was quicker
        }
    }
    template<class Like, class Tell>
    [[gnu::noinline]] admission<permit_type> ask(Like const& like, time_point now, Tell tell)
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        permit_type permit{shard_of(key)};
        shard& home = shards_[permit.shard];
        lock_type lock(home.mutex);
        permit.place = place_of(key, home, lock, now);
        if (permit.place == nowhere) {
            lock.unlock();
            overflowed_.add();
            if (bounds_.overflow == breaker_overflow::refuse) return errc::overloaded;
            return permit_type{};
        }
        entry& e = *home.entries[permit.place];
        e.used = std::max(e.used, now);
        permit.tenant = e.tenant;
        auto const answer = e.breaker.enter(home.current, now, detail::splitmix64(home.random), permit.inner);
        announce(lock, home, e, answer.change, now, tell);
        if (answer.passes) [[likely]]
            return permit;
        refused_.add();
        return error(errc::circuit_open, answer.retry_after);
    }
    template<class Tell>
    [[gnu::noinline]] void settled(permit_type const& permit, verdict v, time_point now, Tell tell)
    {
        shard& home = shards_[permit.shard];
        lock_type lock(home.mutex);
        bool late = true;
        if (entry* const e = home.find(permit.place, permit.tenant)) {
            e->used = std::max(e->used, now);
            auto const c = e->breaker.settle(permit.inner, v, home.current, now, detail::splitmix64(home.random), late);
            announce(lock, home, *e, c, now, tell);
        }
        if (late) late_.add();
    }
    template<class Like>
    bool set(Like const& like, breaker_state to, time_point now)
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        shard& home = shards_[shard_of(key)];
        lock_type lock(home.mutex);
        if (to == breaker_state::closed && home.places.find(key) == home.places.end()) return true;
        std::uint32_t const place = place_of(key, home, lock, now);
        if (place == nowhere) return false;
        entry& e = *home.entries[place];
        auto const c = e.breaker.set(to);
        announce(lock, home, e, c, now, detail::tells_nobody{});
        return true;
    }
    /// Puts what changed into the line while the shard is locked, so that a key's transitions stay in order; tells when nothing is.
    template<class Tell>
    void announce(lock_type& lock, shard& home, entry const& e, detail::breaker_change const& c, time_point now, Tell tell)
    {
        if (!c) [[likely]]
            return lock.unlock();
        home.tripped += c.to == breaker_state::open;
        if constexpr (std::is_same_v<Tell, detail::tells_nobody>)
            if (!listened_.load(std::memory_order_acquire)) return lock.unlock();
        transition told{{home.current.name.view().empty() ? label_ : home.current.name, c.from, c.to, c.why, now, c.number}, e.key};
        {
            std::lock_guard const line(telling_);
            listeners_.put(transition(told));
        }
        lock.unlock();
        std::unique_lock line(telling_);
        listeners_.tell(line);
        tell(told);
    }

    [[no_unique_address]] KeyOf key_of_;
    [[no_unique_address]] Classifier classifier_;
    keyed_breaker_options bounds_;
    detail::seeded_hash hash_;
    std::vector<shard> shards_;
    typename Threading::template cell<std::int64_t> keys_{0};
    typename Threading::template cell<std::size_t> hand_{0};
    typename Threading::template cell<bool> listened_{false};
    detail::counter<Threading> refused_;
    detail::counter<Threading> late_;
    detail::counter<Threading> overflowed_;
    mutable typename Threading::mutex telling_; ///< guards what follows; taken within a shard's lock, never around it
    detail::announcer<transition> listeners_;
    breaker_name label_{};
};
template<class Window, class Length, class KeyOf>
keyed_breaker(breaker_rates<Window, Length>, KeyOf, keyed_breaker_options) -> keyed_breaker<KeyOf, Window>;
template<std::same_as<row_breaker_options> Options, class KeyOf>
keyed_breaker(Options, KeyOf, keyed_breaker_options) -> keyed_breaker<KeyOf, failures_in_a_row>;
template<class Window, class Length, class KeyOf, class Classifier>
keyed_breaker(breaker_rates<Window, Length>, KeyOf, keyed_breaker_options, Classifier) -> keyed_breaker<KeyOf, Window, shared, Classifier>;
template<std::same_as<row_breaker_options> Options, class KeyOf, class Classifier>
keyed_breaker(Options, KeyOf, keyed_breaker_options, Classifier) -> keyed_breaker<KeyOf, failures_in_a_row, shared, Classifier>;

} // namespace weir::inline v0
