// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached_stats.hpp>
#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/single_flight.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// The guard of a cache that has none.
struct no_guard {
    static constexpr bool may_exist(auto const&) noexcept { return true; }
};

/// The event that a cache tells the observer of a call for which it kept nothing; a hit is `event::answered`.
struct cache_missed {
    enum class next : std::uint8_t {
        spared, ///< the guard knows that there is nothing
        joined, ///< it waits for another call's load
        loads,  ///< it goes on to what stands behind the cache, also one that has waited and leads now
    };
    next then;
};

struct cached_options {
    /// Loads at a time that other calls may join; a call beyond loads by itself. In [1, 2^24], eight bytes each.
    std::size_t max_flights = 4'096;
};

/// Answers calls from a store, and fills it with what comes back:
/// `cached{store<symbol, quote>{{.capacity = 100'000, .ttl = 30s, .negative_ttl = 5s}}, keyed_by(&quote_request::symbol)}`.
///
/// - **What is kept**: the value of a handler that returns `Value` or `result<Value>`; `errc::not_found` as a negative answer, for
///   `negative_ttl`. A handler of `std::optional<Value>` says "there is none" with an empty one, and is answered so. Failures are not kept.
/// - **Single flight**: calls for the same key that find nothing wait for the first one's load and get its outcome, be it a failure or an
///   exception. If that call is cancelled, or its own deadline passes, the next one loads. A call beyond `max_flights` loads by itself.
///   In an asynchronous pipeline that stands `within` a `scope` a load runs there, on its own: it outlives the call that asked for it as long
///   as somebody waits for it, is cancelled when the last one leaves, and no deadline of a caller reaches it; a `timeout` further in does.
/// - **The guard**, a `bloom_guard` as third argument, knows which keys exist. A key that it does not know and that is not in the
///   store is answered `errc::not_found` at once: made-up keys do not reach what stands behind the cache.
/// - **The key** is all that tells answers apart: whatever else they depend on, such as the principal, belongs into it. A call without one,
///   an empty string or optional, passes uncached. Keys with known collisions of their `std::hash` are the store's concern, see there.
///
/// A hit allocates nothing beyond the copy of the value, and touches neither guard nor flights; a miss makes one `Key`. Answers may be a
/// load older than the last `store().erase(key)`: a load that is under way is not stopped by it. A handler must not ask for its own key: it
/// would wait for itself. Store and guard may be given as `std::ref`, to be shared. Thread-safe as the store is.
template<class Store, class KeyOf, class Guard = no_guard>
class cached {
    using store_type = detail::policy_t<Store>;
    using guard_type = detail::policy_t<Guard>;
    using key_type = typename store_type::key_type;
    using value_type = typename store_type::value_type;
    using threading = typename store_type::threading;
    static_assert(guard_of<guard_type, key_type>, "weir::cached wants a guard that has may_exist(key) for the keys of its store");

    using loaded = detail::loaded<value_type>;
    using flights_type = single_flight<key_type, loaded, threading>;
    using ticket = typename flights_type::ticket;
    using part = typename flights_type::part;

public:
    using role = source;
    using traits = weir::traits<may_answer_alone, waits>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using options = cached_options;
    using stats_type = cached_stats;
    static constexpr std::string_view name = "cached";

    /// What a call has of the cache from a miss until it is settled.
    class token {
    public:
        token() noexcept {} // NOLINT: leaves the room for the ticket as it is, a hit does not use it
        [[nodiscard]] waiter& waiting() noexcept { return ticket_->waiting(); }
        [[nodiscard]] bool abandon() noexcept { return ticket_->abandon(); }
        void runs_as(work& load) noexcept { ticket_->runs_as(load); }

    private:
        friend cached;
        std::optional<ticket> ticket_;
    };

    cached(Store store, KeyOf key_of, options const& o = {}) requires std::same_as<Guard, no_guard>
        : cached(std::move(store), std::move(key_of), no_guard{}, o)
    {
    }
    /// Throws `std::invalid_argument` that names the member.
    cached(Store store, KeyOf key_of, Guard guard, options const& o = {})
        : store_(std::move(store)),
          key_of_(std::move(key_of)),
          guard_(std::move(guard)),
          options_(o),
          flights_({.max_flights = checked(o).max_flights})
    {
    }

    template<class Outcome>
    lookup look_up(auto& call, token& t, Outcome& outcome)
    {
        decltype(auto) key = key_of_(call);
        if (detail::is_missing(key)) [[unlikely]]
            return pass_uncached();
        if (answer<Outcome>::say(outcome, store().find(detail::present(key), call.now()))) [[likely]]
            return lookup::answered;
        return load(call, t, detail::present(key), outcome);
    }

    /// Woken: there is the leader's outcome, or this call leads now.
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        if (auto const result = t.ticket_->take()) {
            result->copy_to(outcome);
            if (result->thrown != nullptr) call.thrown(result->thrown);
            return lookup::answered;
        }
        if (!detail::in_time_left(call)) {
            outcome = detail::out_of_time(call);
            return lookup::answered; // the token's end hands the lead on
        }
        count(&tally::loads);
        call.tell(cache_missed{cache_missed::next::loads});
        return lookup::missed;
    }

    /// In a pipeline that can fork, a load that others can join runs on its own: it outlives the call that asked for it.
    [[nodiscard]] split splits(token& t) const noexcept { return t.ticket_ && t.ticket_->leads() ? split::and_wait : split::none; }
    void fork(token& t, token& load) { flights_.hand_over(*t.ticket_, load.ticket_.emplace(t.ticket_->key())); }

    template<class Outcome>
    void learn(auto& call, token& t, Outcome& outcome)
    {
        if (!t.ticket_) return;
        ticket& mine = *t.ticket_;
        if (gave_up(call, outcome)) return; // as if it was cancelled: another call may have more time
        if (answer<Outcome>::says_absent(outcome)) {
            count(&tally::penetrations);
            store().put_absent(mine.key(), call.now());
        } else if (outcome.has_value())
            store().put(mine.key(), answer<Outcome>::value(outcome), call.now());
        flights_.settle(mine, [&] { return loaded{loaded::from(outcome), thrown_by(call, outcome)}; });
    }

    /// The store, to forget a key: `svc.get<weir::cached>().store().erase(symbol)`.
    [[nodiscard]] store_type& store() noexcept { return detail::unwrapped<Store>::of(store_); }
    [[nodiscard]] store_type const& store() const noexcept { return const_cast<cached&>(*this).store(); }
    /// The guard, to tell it of new keys: `svc.get<weir::cached>().guard().add(symbol)`.
    [[nodiscard]] guard_type& guard() noexcept { return detail::unwrapped<Guard>::of(guard_); }
    [[nodiscard]] guard_type const& guard() const noexcept { return const_cast<cached&>(*this).guard(); }

    /// Hits, misses and values are those of the store: of all who look into it.
    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        stats_type s;
        std::uint64_t second_looks = 0; // the store counts both looks of such a call: read before the store, never ahead of it
        tallies_.for_each([&](tally const& each) {
            second_looks += each.second_looks.load();
            s.spared += each.spared.load();
            s.loads += each.loads.load();
            s.joined += each.joined.load();
            s.penetrations += each.penetrations.load();
            s.uncached += each.uncached.load();
        });
        store_stats const kept = store().stats();
        s.hits = kept.hits;
        s.negative_hits = kept.negative_hits;
        s.misses = kept.misses - std::min(kept.misses, second_looks);
        s.values = kept.values;
        if constexpr (requires { guard().population(); }) s.population = guard().population();
        return s;
    }
    [[nodiscard]] store_settings settings() const { return store().settings(); }
    /// Other times to live for what is written from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(store_settings const& s) { store().reconfigure(s); }
    void describe(auto&& field) const
    {
        store_settings const s = settings();
        field("capacity", store().capacity());
        field("ttl", s.ttl);
        field("jitter", s.jitter);
        field("negative_ttl", s.negative_ttl);
        field("max_flights", options_.max_flights);
    }

private:
    template<class Outcome>
    using answer = detail::kept_answer<value_type, Outcome>;
    struct tally {
        detail::count_cell spared, loads, joined, penetrations, uncached, second_looks;
    };

    static options const& checked(options const& o)
    {
        expect(o.max_flights >= 1 && o.max_flights <= flights_type::most, "cached.max_flights", "a number in [1, 2^24]");
        return o;
    }
    void count(detail::count_cell tally::*what)
    {
        auto const mine = tallies_.local();
        (mine.stripe.*what).add(1, mine.alone);
    }
    [[gnu::noinline, gnu::cold]] lookup pass_uncached()
    {
        count(&tally::uncached);
        return lookup::missed;
    }

    template<class Outcome>
    [[gnu::noinline]] lookup load(auto& call, token& t, auto const& key, Outcome& outcome)
    {
        if (!guard().may_exist(key)) {
            count(&tally::spared);
            call.tell(cache_missed{cache_missed::next::spared});
            answer<Outcome>::say_absent(outcome);
            return lookup::answered;
        }
        ticket& mine = t.ticket_.emplace(key_type(detail::as_key<key_type>(key)));
        part const found = flights_.join(mine);
        if (found == part::waits) {
            count(&tally::joined);
            call.tell(cache_missed{cache_missed::next::joined});
            return lookup::parked;
        }
        if constexpr (threading::is_shared)
            if (found == part::leads && look_twice(call, mine, outcome)) return lookup::answered;
        count(&tally::loads);
        call.tell(cache_missed{cache_missed::next::loads});
        return lookup::missed;
    }

    /// Another flight may have ended between the miss and the start of this one.
    template<class Outcome>
    bool look_twice(auto& call, ticket& mine, Outcome& outcome)
    {
        count(&tally::second_looks);
        if (!answer<Outcome>::say(outcome, store().find(mine.key(), call.now()))) return false;
        flights_.settle(mine, [&] { return loaded{loaded::from(outcome), nullptr}; });
        return true;
    }

    static bool gave_up(auto& call, auto const& outcome)
    {
        if (outcome.has_value()) [[likely]]
            return false;
        return outcome.error() == errc::cancelled || (outcome.error() == errc::deadline_exceeded && !detail::in_time_left(call));
    }
    static std::exception_ptr thrown_by(auto& call, auto const& outcome)
    {
        return outcome.has_error() && outcome.error() == errc::handler_threw ? call.thrown() : nullptr;
    }

    Store store_;
    [[no_unique_address]] KeyOf key_of_;
    [[no_unique_address]] Guard guard_;
    options options_;
    flights_type flights_;
    detail::striped<tally, threading> tallies_;
};

template<class Store, class KeyOf>
cached(Store, KeyOf) -> cached<Store, KeyOf>;
template<class Store, class KeyOf>
cached(Store, KeyOf, cached_options) -> cached<Store, KeyOf>;
template<class Store, class KeyOf, class Guard>
cached(Store, KeyOf, Guard) -> cached<Store, KeyOf, Guard>;
template<class Store, class KeyOf, class Guard>
cached(Store, KeyOf, Guard, cached_options) -> cached<Store, KeyOf, Guard>;

} // namespace weir::inline v0
