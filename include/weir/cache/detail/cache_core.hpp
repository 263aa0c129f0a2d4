// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/cached_stats.hpp>
#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/detail/part_list.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/parts.hpp>
#include <weir/cache/single_flight.hpp>
#include <weir/cache/store_write.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/result.hpp>
#include <weir/core/striped.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// What has become of a hit.
enum class hit_is : std::uint8_t { good, due, none };

/// The store of a cache, the loads under way and the parts, and what they do together: all of a `cached` that does not depend on a call's
/// types. Thread-safe as the store is.
template<class Store, class... Part>
class cache_core {
public:
    using store_type = policy_t<Store>;
    using key_type = typename store_type::key_type;
    using value_type = typename store_type::value_type;
    using threading = typename store_type::threading;
    using parts_type = part_list<key_type, value_type, std::index_sequence_for<Part...>, Part...>;
    using outcome_type = loaded<value_type>;
    using flights_type = single_flight<key_type, outcome_type, threading>;
    using stats_type = typename parts_type::template stats_with<cached_stats>;

    /// What a call has of the cache from a miss until it is settled.
    struct flight {
        explicit flight(key_type key) : ticket(std::move(key)) {}
        flight(flight const&) = delete;
        flight& operator=(flight const&) = delete;
        [[gnu::noinline]] ~flight() {} // a hit has none
        [[nodiscard]] key_type const& key() const noexcept { return ticket.key(); }

        typename flights_type::ticket ticket;
        time_point began{};
        store_lease lease{};
        bool refreshes = false; // there is a value meanwhile
        bool left = false;      // has waited long enough
        time_point until = never;
    };
    struct tally {
        count_cell spared, loads, joined, penetrations, uncached, refreshes, failed, stale_answers, invalid, outdated, ended, load_time,
            draws;
        count_cell more_hits, more_absent, more_misses; // look-ups that the store counted beyond one a call
    };

    cache_core(Store store, std::size_t max_flights, std::uint64_t seed, Part&&... parts)
        : store_(std::move(store)), parts_(std::move(parts)...), seed_(seed), flights_({.max_flights = max_flights})
    {
    }

    [[nodiscard]] store_type& store() noexcept { return unwrapped<Store>::of(store_); }
    [[nodiscard]] parts_type& parts() noexcept { return parts_; }
    [[nodiscard]] flights_type& flights() noexcept { return flights_; }
    void count(count_cell tally::*what, std::uint64_t n = 1)
    {
        auto const mine = tallies_.local();
        (mine.stripe.*what).add(n, mine.alone);
    }

    /// What is to be done with what was found.
    template<class Like>
    [[nodiscard]] hit_is judge(finding<value_type> const& found, Like const& key, time_point now)
    {
        if (!found.hit()) return hit_is::good;
        if constexpr (parts_type::validates)
            if (!parts_.is_valid(key, *found, written_at(found, now))) {
                count(&tally::invalid);
                return hit_is::none;
            }
        if constexpr (parts_type::refreshes) {
            asked<Like> whom{*this, key};
            hit_facts hit(&whom, &asked<Like>::answer);
            hit.now = now;
            hit.age = found.age();
            hit.time_left = found.left();
            hit.load_time = found.took();
            if (parts_.wants_refresh(hit)) return hit_is::due;
        }
        return hit_is::good;
    }
    /// The same for what was looked up beside the call's own way.
    template<class Like>
    [[nodiscard]] finding<value_type> find_again(Like const& key, time_point now)
    {
        finding<value_type> found = store().find(key, now);
        uncount(found);
        return holds(found, key, now) ? std::move(found) : finding<value_type>();
    }
    /// A call's own look, without what a freshness strategy has to say.
    [[nodiscard]] finding<value_type> find_valid(key_type const& key, time_point now)
    {
        finding<value_type> found = store().find(key, now);
        if (holds(found, key, now)) return found;
        count(&tally::invalid);
        return {};
    }
    /// A second look of the same call: only one of the two counts, and of those the one that found something.
    [[nodiscard]] finding<value_type> look_twice(key_type const& key, time_point now)
    {
        finding<value_type> found = store().find(key, now);
        if (found.miss() || !holds(found, key, now)) {
            uncount(found);
            return {};
        }
        count(&tally::more_misses);
        return found;
    }
    [[nodiscard]] finding<value_type> find_stale(key_type const& key, time_point now)
    {
        finding<value_type> found = store().find_stale(key, now);
        uncount(found);
        return holds(found, key, now) ? std::move(found) : finding<value_type>();
    }

    /// The call that leads, or flies alone, begins to load.
    void begin(flight& mine, time_point now)
    {
        mine.began = now;
        mine.lease = store().lease(mine.key());
        count(&tally::loads);
        if (mine.refreshes) count(&tally::refreshes);
    }
    /// Keeps what was loaded, unless it was erased or invalidated meanwhile.
    void keep(flight& mine, value_type const& value, time_point now)
    {
        if (!parts_.keeps(value)) return;
        if (!parts_.is_valid(mine.key(), value, mine.began)) return count(&tally::outdated);
        // What may be invalidated by its age is as old as its load: a change of the source just after the load began is seen.
        time_point const written_at = parts_type::validates ? mine.began : now;
        if (!store().put(mine.key(), value, written_at, {.lease = mine.lease, .took = now - mine.began})) count_if_outdated(mine);
    }
    void keep_absent(flight& mine, time_point now)
    {
        if (!store().put_absent(mine.key(), now, mine.lease)) count_if_outdated(mine);
    }
    /// A load has ended.
    void ended(flight const& mine, time_point now, bool failed, error why)
    {
        duration const took = now - mine.began;
        count(&tally::ended);
        count(&tally::load_time, static_cast<std::uint64_t>(std::max(took, duration::zero()).count()));
        if (failed) count(&tally::failed);
        if constexpr (parts_type::watches_loads)
            parts_.load_ended(
                {.now = now, .took = took, .key = mine.ticket.hash(), .failed = failed, .refresh = mine.refreshes, .why = why});
    }
    /// Whether what another call has loaded holds for one that waited: nothing was invalidated by tag since the load began.
    [[nodiscard]] bool still_holds(flight const& mine, outcome_type const& what)
    {
        if constexpr (parts_type::validates)
            return !what.outcome.has_value() || what.fact || parts_.is_valid(mine.key(), *what.outcome, what.began);
        else
            return true;
    }

    template<class Like>
    bool erase(Like const& key)
    {
        bool const was_there = store().erase(key);
        return flights_.forget(key) || was_there;
    }
    bool put(key_type&& key, value_type&& value, time_point now)
    {
        return put(std::move(key), std::move(value), now, [](auto const&, auto const&) { return true; });
    }
    template<class Newer>
    bool put(key_type&& key, value_type&& value, time_point now, Newer&& newer)
    {
        std::scoped_lock const lock(writing_);
        if (finding<value_type> const there = find_again(key, now); there.hit() && !newer(std::as_const(value), *there)) return false;
        key_type const same(key);
        bool const kept = store().put(std::move(key), std::move(value), now);
        flights_.forget(same);
        return kept;
    }
    void clear()
    {
        store().clear();
        flights_.forget_all();
    }

    [[nodiscard]] stats_type stats()
    {
        stats_type s;
        std::uint64_t hits = 0;
        std::uint64_t absent = 0;
        std::uint64_t misses = 0; // beyond one a call: read before the store's, never ahead of them
        std::uint64_t load_time = 0;
        tallies_.for_each([&](tally const& each) {
            hits += each.more_hits.load();
            absent += each.more_absent.load();
            misses += each.more_misses.load();
            s.spared += each.spared.load();
            s.loads += each.loads.load();
            s.joined += each.joined.load();
            s.penetrations += each.penetrations.load();
            s.uncached += each.uncached.load();
            s.refreshes += each.refreshes.load();
            s.failed_loads += each.failed.load();
            s.stale_answers += each.stale_answers.load();
            s.invalid += each.invalid.load();
            s.outdated += each.outdated.load();
            s.ended_loads += each.ended.load();
            load_time += each.load_time.load();
        });
        s.load_time = duration(static_cast<duration::rep>(load_time));
        auto const kept = store().stats();
        hits += s.invalid;
        s.hits = kept.hits - std::min(kept.hits, hits);
        s.negative_hits = kept.negative_hits - std::min(kept.negative_hits, absent);
        s.misses = s.invalid + kept.misses - std::min(kept.misses, misses);
        s.values = kept.values;
        if constexpr (parts_type::knows_population) s.population = parts_.template at<parts_type::counting_guard>().population();
        parts_.fill(s);
        return s;
    }

private:
    /// Who answers what a freshness strategy asks beyond the times.
    template<class Like>
    struct asked {
        cache_core& self;
        Like const& key;
        static std::uint64_t answer(void* whom, hit_facts::question q)
        {
            auto& me = *static_cast<asked*>(whom);
            return q == hit_facts::question::key ? me.self.flights_.hash_of(me.key) : me.self.draw();
        }
    };
    std::uint64_t draw()
    {
        auto const mine = tallies_.local();
        mine->draws.add(1, mine.alone);
        std::uint64_t state = seed_ + std::rotl(std::uint64_t{thread_number::current()}, 56) + mine->draws.load() * 0x9e3779b97f4a7c15u;
        return splitmix64(state);
    }
    /// The earliest time at which it can have been written: a store knows the age to within a thousandth of the time to live.
    static time_point written_at(finding<value_type> const& found, time_point now)
    {
        return now - found.age() - (found.age() + found.left()) / 512 - duration(1);
    }
    template<class Like>
    [[nodiscard]] bool holds(finding<value_type> const& found, Like const& key, time_point now)
    {
        if constexpr (parts_type::validates)
            return !found.hit() || parts_.is_valid(key, *found, written_at(found, now));
        else
            return true;
    }
    void uncount(finding<value_type> const& found)
    {
        count(found.hit() ? &tally::more_hits : found.negative() ? &tally::more_absent : &tally::more_misses);
    }
    void count_if_outdated(flight const& mine)
    {
        if (!(store().lease(mine.key()) == mine.lease)) count(&tally::outdated);
    }

    Store store_;
    [[no_unique_address]] parts_type parts_;
    std::uint64_t seed_;
    flights_type flights_;
    striped<tally, threading> tallies_;
    typename threading::mutex writing_;
};

} // namespace weir::inline v0::detail
