// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/cached_options.hpp>
#include <weir/cache/cached_stats.hpp>
#include <weir/cache/detail/cache_core.hpp>
#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/detail/load_outcome.hpp>
#include <weir/cache/holding_identity.hpp>
#include <weir/cache/parts.hpp>
#include <weir/cache/single_flight.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/late.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {
struct insides;
}

/// Answers calls from a store, and fills it with what comes back:
/// `cached{store<symbol, quote>{{.capacity = 100'000, .ttl = 30s, .negative_ttl = 5s}}, keyed_by(&quote_request::symbol)}`.
///
/// - **What is kept**: the value of a handler that returns `Value` or `result<Value>`; `errc::not_found` as a negative answer, for
///   `negative_ttl`. A handler of `std::optional<Value>` says "there is none" with an empty one, and is answered so. Failures, refusals and
///   values that the pipeline's classifier calls failures are not kept.
/// - **Single flight**: calls for the same key that find nothing wait for the first one's load and get its outcome, be it a failure, a
///   refusal of a policy further in or an exception. If that call is cancelled, or its own deadline passes, the next one loads. A call beyond
///   `max_flights` loads by itself. In an asynchronous pipeline `within` a `scope` a load runs there, on its own: it outlives the call that
///   asked for it as long as somebody waits and is cancelled when the last leaves; no caller's deadline ends it, a `timeout` further in does.
/// - **Invalidation**: `erase(key)`, `clear()`, and by tag with the part `tagged`. What was loaded before is never kept after it, and who asks
///   after it does not join the old load. `put` writes a newer value that is known.
/// - **Parts** after the key add what more is wanted: a guard such as `bloom_guard`, a refresh ahead, stale answers on errors. `parts.hpp`
///   says what they can do. A key that a guard does not know and that is not in the store is answered `errc::not_found` at once: made-up keys
///   do not reach what stands behind the cache.
/// - **The key** is all that tells answers apart: whatever else they depend on, such as the principal, belongs into it. A call without one,
///   an empty string or optional, passes uncached. Keys with known collisions of their `std::hash` are the store's concern, see there.
/// - **A load that asks** the cache in its turn may do so for other keys. Who asks for its own, in a synchronous pipeline on the same thread,
///   directly or through others, is told `std::errc::resource_deadlock_would_occur` at once: an error and no exception, as it may be the
///   data that go in a circle. Across threads, or in an asynchronous pipeline, it waits for itself until its deadline.
///
/// A hit allocates nothing beyond the copy of the value, and touches neither guard nor flights; a miss makes one `Key`. Store and parts may
/// be given as `std::ref`, to be shared. Thread-safe as the store is.
template<class Store, class KeyOf, class... Part>
class cached {
    using core_type = detail::cache_core<Store, Part...>;
    using store_type = typename core_type::store_type;
    using parts_type = typename core_type::parts_type;
    using flights_type = typename core_type::flights_type;
    using loaded = typename core_type::outcome_type;
    using flight = typename core_type::flight;
    using tally = typename core_type::tally;
    using next = cache_missed::next;

public:
    using key_type = typename core_type::key_type;
    using value_type = typename core_type::value_type;
    using role = source;
    using traits = std::conditional_t<detail::has_identity_in_it<KeyOf>,
                                      typename parts_type::template traits_with<may_answer_alone, keyed_by_identity, waits>,
                                      typename parts_type::template traits_with<may_answer_alone, waits>>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using reports = std::conditional_t<parts_type::may_give_stale, facets<stale>, facets<>>;
    using options = cached_options;
    using stats_type = typename core_type::stats_type;
    static constexpr std::string_view name = "cached";

    class token {
    public:
        token() noexcept {} // NOLINT: leaves the room for the flight as it is, a hit does not use it
        [[nodiscard]] waiter& waiting() noexcept { return flight_->ticket.waiting(); }
        [[nodiscard]] bool abandon() noexcept { return flight_->left = flight_->ticket.abandon(flight_->until != never); }
        void runs_as(work& load) noexcept { return flight_ ? flight_->ticket.runs_as(load) : void(); }
        [[nodiscard]] work const* waits_for() noexcept { return flight_->ticket.waits_for(); }
        [[nodiscard]] time_point until() const noexcept requires(parts_type::has_patience) { return flight_->until; }

    private:
        friend cached;
        detail::late<flight> flight_;
    };

    /// Throws `std::invalid_argument` that names the member.
    cached(Store store, KeyOf key_of, Part... parts, options const& o = {})
        : key_of_(std::move(key_of)), options_(o), core_(std::move(store), checked(o).max_flights, seed_of(o), std::move(parts)...)
    {
    }

    template<class Outcome> // inlined: a hit by itself is a third of its call's instructions
    [[gnu::always_inline]] lookup look_up(auto& call, token& t, Outcome& outcome)
    {
        decltype(auto) key = key_of_(call);
        if (detail::is_missing(key)) [[unlikely]]
            return pass_uncached();
        if constexpr (parts_type::judges_hits) {
            auto found = store().find(detail::present(key), call.now());
            detail::hit_is const so = core_.judge(found, detail::present(key), call.now());
            if (so == detail::hit_is::due) [[unlikely]]
                return refresh(call, t, detail::present(key), std::move(found), outcome);
            if (so == detail::hit_is::good && answer<Outcome>::say(outcome, std::move(found))) [[likely]]
                return lookup::answered;
        } else if (answer<Outcome>::say(outcome, store().find(detail::present(key), call.now()))) [[likely]]
            return lookup::answered;
        return load(call, t, detail::present(key), outcome);
    }

    /// Woken: there is the leader's outcome, or this call leads now. Or it has waited long enough.
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        flight& mine = *t.flight_;
        if (auto const result = mine.ticket.take()) {
            if (!core_.still_holds(mine, *result)) return ask_again(call, t, outcome);
            result->copy_to(outcome);
            if (result->thrown != nullptr) call.thrown(result->thrown);
            if (result->fact) report(call, *result->fact);
            return lookup::answered;
        }
        if constexpr (parts_type::has_patience)
            if (mine.left)
                return answer_stale(call, mine.key(), outcome, errc::deadline_exceeded) ? lookup::answered : ask_again(call, t, outcome);
        if (!detail::in_time_left(call)) {
            outcome = detail::out_of_time(call);
            return lookup::answered; // the token's end hands the lead on
        }
        return begin(call, mine);
    }

    /// In a pipeline that can fork, a load that others can join runs on its own: it outlives the call that asked for it.
    [[nodiscard]] split splits(token& t) const noexcept
    {
        if (!t.flight_ || !t.flight_->ticket.leads()) return split::none;
        return t.flight_->refreshes ? split::and_go_on : split::and_wait;
    }
    void fork(token& t, token& load)
    {
        flight& mine = *t.flight_;
        flight& other = load.flight_.emplace(mine.key());
        other.began = mine.began;
        other.lease = mine.lease;
        other.refreshes = mine.refreshes;
        if (mine.refreshes)
            core_.flights().pass_on(mine.ticket, other.ticket);
        else
            core_.flights().hand_over(mine.ticket, other.ticket);
    }

    template<class Outcome>
    void learn(auto& call, token& t, Outcome& outcome)
    {
        if (!t.flight_) return;
        flight& mine = *t.flight_;
        if (detail::gave_up(call, outcome)) { // as if it was cancelled: another call may have more time
            if (mine.refreshes) static_cast<void>(answer_anew(call, mine.key(), outcome));
            return;
        }
        std::optional<stale> fact;
        std::exception_ptr const thrown = detail::thrown_by(call, outcome);
        bool const absent = answer<Outcome>::says_absent(outcome);
        bool const failed = !absent && detail::is_failure(call, outcome);
        core_.ended(mine, call.now(), failed, outcome.has_error() ? outcome.error() : error());
        if (absent) {
            core_.count(&tally::penetrations);
            core_.keep_absent(mine, call.now());
        } else if (!failed)
            core_.keep(mine, answer<Outcome>::value(outcome), call.now());
        else if (!mine.refreshes || !answer_anew(call, mine.key(), outcome))
            fact = rescue(call, mine, outcome);
        core_.flights().settle(mine.ticket, [&] {
            return loaded{loaded::from(outcome), outcome.has_error() ? thrown : nullptr, mine.began, fact};
        });
    }

    /// Forgets the answer of a key: what a load brings that has begun before is not kept, and nobody joins that load any more. Returns
    /// whether there was an answer, or such a load.
    template<detail::key_like<key_type> Like>
    bool erase(Like const& key)
    {
        return core_.erase(key);
    }
    /// The same for every key.
    void clear() { core_.clear(); }
    /// Writes a value that is known to be newer than what loads under way may bring, which is not kept then. With a function only if there
    /// is nothing, or `newer(value, there)`: for several writers, by a version in the value. False: not written.
    bool put(key_type key, value_type value, time_point now) { return core_.put(std::move(key), std::move(value), now); }
    template<class Newer>
    bool put(key_type key, value_type value, time_point now, Newer&& newer)
    {
        return core_.put(std::move(key), std::move(value), now, newer);
    }

    /// The store: what is written or erased there is known to this cache's loads, too, but who comes next may still join one.
    [[nodiscard]] store_type& store() noexcept { return core_.store(); }
    [[nodiscard]] store_type const& store() const noexcept { return const_cast<cached&>(*this).store(); }
    /// The first guard among the parts, to tell it of new keys: `svc.get<weir::cached>().guard().add(symbol)`.
    [[nodiscard]] auto& guard() noexcept requires(parts_type::has_guard) { return core_.parts().template at<parts_type::first_guard>(); }
    /// The first part that was made from a template, `part<refresh_ahead>()`, or is of a type.
    template<template<class...> class Template>
    [[nodiscard]] auto& part() noexcept
    {
        return core_.parts().template find<std::array<bool, sizeof...(Part)>{detail::is_made_from<Template, detail::policy_t<Part>>...}>();
    }
    template<class P>
    [[nodiscard]] auto& part() noexcept
    {
        return core_.parts().template find<std::array<bool, sizeof...(Part)>{std::is_same_v<P, detail::policy_t<Part>>...}>();
    }

    /// Hits, misses and values are those of the store: of all who look into it.
    [[nodiscard]] stats_type stats(time_point = {}) const { return const_cast<core_type&>(core_).stats(); }
    [[nodiscard]] store_settings settings() const { return store().settings(); }
    /// Other settings of the store, for what is written from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(store_settings const& s) { store().reconfigure(s); }
    void describe(auto&& field) const
    {
        store_settings const s = settings();
        field("capacity", store().capacity());
        field("ttl", s.ttl);
        field("jitter", s.jitter);
        field("negative_ttl", s.negative_ttl);
        field("max_flights", options_.max_flights);
        const_cast<core_type&>(core_).parts().each([&]<class P>([[maybe_unused]] P& part) {
            if constexpr (detail::describes_itself<P>) part.describe(field);
        });
    }

private:
    friend struct detail::insides;
    template<class Outcome>
    using answer = detail::kept_answer<value_type, Outcome>;

    static options const& checked(options const& o)
    {
        expect(o.max_flights >= 1 && o.max_flights <= flights_type::most, "cached.max_flights", "a number in [1, 2^24]");
        return o;
    }
    static std::uint64_t seed_of(options const& o)
    {
        if (o.seed) return *o.seed;
        if constexpr (parts_type::refreshes)
            return detail::random_seed();
        else
            return 0;
    }
    [[gnu::noinline, gnu::cold]] lookup pass_uncached() { return core_.count(&tally::uncached), lookup::missed; }

    template<class Outcome>
    [[gnu::noinline]] lookup load(auto& call, token& t, auto const& key, Outcome& outcome)
    {
        if constexpr (parts_type::watches_misses)
            core_.parts().missed(
                call.now(), [this] { return cached_stats(stats()); }, [&](auto const& event) { call.tell(event); });
        if constexpr (parts_type::has_guard)
            if (!core_.parts().may_exist(key)) {
                core_.count(&tally::spared);
                call.tell(cache_missed{next::spared});
                answer<Outcome>::say_absent(outcome);
                return lookup::answered;
            }
        flight& mine = t.flight_.emplace(key_type(detail::as_key<key_type>(key)));
        if constexpr (parts_type::throttles)
            if (std::uint64_t const number = core_.flights().hash_of(mine.key());
                core_.parts().spares_load({.now = call.now(), .key = number}) &&
                answer_stale(call, mine.key(), outcome, errc::unavailable, most_stale(call, number)))
                return lookup::answered;
        if constexpr (parts_type::has_patience)
            if (!core_.find_stale(mine.key(), call.now()).miss()) mine.until = after(call.now(), core_.parts().patience());
        auto const found = core_.flights().join(mine.ticket);
        if (found == flights_type::part::waits) {
            core_.count(&tally::joined);
            call.tell(cache_missed{next::joined});
            return lookup::parked;
        }
        if constexpr (store_type::threading::is_shared)
            if (found == flights_type::part::leads && look_twice(call, mine, outcome)) return lookup::answered;
        return begin(call, mine);
    }
    lookup begin(auto& call, flight& mine)
    {
        core_.begin(mine, call.now());
        call.tell(cache_missed{next::loads});
        return lookup::missed;
    }
    /// What this call waited for is of no use to it.
    template<class Outcome>
    [[gnu::noinline, gnu::cold]] lookup ask_again(auto& call, token& t, Outcome& outcome)
    {
        key_type const key = t.flight_->key();
        t.flight_.reset();
        return load(call, t, key, outcome);
    }
    /// A hit that is to be loaded anew: a fork does it, and the call goes up with the value; without forks this call does.
    template<class Outcome>
    [[gnu::noinline, gnu::cold]] lookup refresh(auto& call, token& t, auto const& key, finding<value_type>&& found, Outcome& outcome)
    {
        flight& mine = t.flight_.emplace(key_type(detail::as_key<key_type>(key)));
        bool leads = core_.flights().lead(mine.ticket);
        if constexpr (store_type::threading::is_shared) // another refresh may have ended since the value was found
            if (leads)
                if (auto again = core_.find_again(mine.key(), call.now()); again.hit() && again.age() < found.age()) {
                    found = std::move(again);
                    leads = false;
                }
        if constexpr (parts_type::throttles_refreshes)
            leads = leads && core_.parts().may_refresh({.now = call.now(), .key = mine.ticket.hash()});
        static_cast<void>(answer<Outcome>::say(outcome, std::move(found)));
        if (!leads) {
            t.flight_.reset();
            return lookup::answered;
        }
        mine.refreshes = true;
        core_.begin(mine, call.now());
        call.tell(cache_refreshes{});
        return lookup::missed;
    }
    /// Another flight may have ended between the miss and the start of this one.
    template<class Outcome>
    bool look_twice(auto& call, flight& mine, Outcome& outcome)
    {
        if (!answer<Outcome>::say(outcome, core_.look_twice(mine.key(), call.now()))) return false;
        core_.flights().settle(mine.ticket, [&] { return loaded{loaded::from(outcome), nullptr, call.now(), {}}; });
        return true;
    }

    /// The value that a refresh left in place.
    template<class Outcome>
    bool answer_anew(auto& call, key_type const& key, Outcome& outcome)
    {
        return answer<Outcome>::say(outcome, core_.find_again(key, call.now()));
    }
    template<class Outcome>
    std::optional<stale> rescue([[maybe_unused]] auto& call, [[maybe_unused]] flight& mine, [[maybe_unused]] Outcome& outcome)
    {
        if constexpr (parts_type::rescues) {
            // A value that the classifier calls a failure has no error to tell.
            error const why = outcome.has_error() ? outcome.error() : error(errc::upstream_failed);
            duration const most = core_.parts().stale_for({.why = why, .now = call.now(), .key = mine.ticket.hash()});
            if (most.count() > 0) return answer_stale(call, mine.key(), outcome, why.kind(), most);
        }
        return {};
    }
    template<class Outcome>
    std::optional<stale> answer_stale(auto& call, key_type const& key, Outcome& outcome, errc why, duration most = duration::max())
    {
        finding<value_type> found = core_.find_stale(key, call.now());
        stale const fact{.by = found.stale_for(), .why = why};
        if (fact.by > most || !answer<Outcome>::say(outcome, std::move(found))) return {};
        core_.count(&tally::stale_answers);
        report(call, fact);
        return fact;
    }
    /// How old an answer may be that spares a load: no older than in place of one that fails.
    duration most_stale([[maybe_unused]] auto& call, [[maybe_unused]] std::uint64_t number)
    {
        if constexpr (parts_type::rescues)
            return core_.parts().stale_for({.why = errc::unavailable, .now = call.now(), .key = number});
        else
            return duration::max();
    }
    static void report([[maybe_unused]] auto& call, [[maybe_unused]] stale fact)
    {
        if constexpr (parts_type::may_give_stale && requires { call.report(std::move(fact)); }) call.report(std::move(fact));
    }

    [[no_unique_address]] KeyOf key_of_;
    options options_;
    core_type core_;
};

template<class Store, class KeyOf, class... Part>
cached(Store, KeyOf, Part...) -> cached<Store, KeyOf, Part...>;
template<class Store, class KeyOf>
cached(Store, KeyOf, cached_options) -> cached<Store, KeyOf>;
template<class Store, class KeyOf, class P1>
cached(Store, KeyOf, P1, cached_options) -> cached<Store, KeyOf, P1>;
template<class Store, class KeyOf, class P1, class P2>
cached(Store, KeyOf, P1, P2, cached_options) -> cached<Store, KeyOf, P1, P2>;
template<class Store, class KeyOf, class P1, class P2, class P3>
cached(Store, KeyOf, P1, P2, P3, cached_options) -> cached<Store, KeyOf, P1, P2, P3>;
template<class Store, class KeyOf, class P1, class P2, class P3, class P4>
cached(Store, KeyOf, P1, P2, P3, P4, cached_options) -> cached<Store, KeyOf, P1, P2, P3, P4>;
template<class Store, class KeyOf, class P1, class P2, class P3, class P4, class P5>
cached(Store, KeyOf, P1, P2, P3, P4, P5, cached_options) -> cached<Store, KeyOf, P1, P2, P3, P4, P5>;

} // namespace weir::inline v0
