// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/detail/load_outcome.hpp>
#include <weir/cache/detail/type_mark.hpp>
#include <weir/cache/request_context.hpp>
#include <weir/cache/single_flight.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct request_cache_options {
    /// Calls under way, of all requests together, that others may join; a call beyond is made by itself. In [1, 2^24], eight bytes each.
    std::size_t max_flights = 1'024;
};

struct request_cache_stats {
    std::uint64_t made = 0;     ///< calls that went on
    std::uint64_t repeated = 0; ///< answered with what the same request was told before
    std::uint64_t joined = 0;   ///< waited for the same call of the same request
    std::uint64_t uncached = 0; ///< calls without a context, or without a key
    void each(auto&& field) const
    {
        field("made_total", made);
        field("repeated_total", repeated);
        field("joined_total", joined);
        field("uncached_total", uncached);
    }
};

namespace detail {

/// What a request was told, and what for.
template<class Key, class Outcome>
struct told_answer {
    Key key;
    Outcome outcome;
    std::exception_ptr thrown;
};
} // namespace detail

/// Makes the same call once while one request is answered, however many parts of the program ask (the request cache of Netflix's Hystrix):
/// ```cpp
/// struct price_query { std::string symbol; weir::request_context* context; };
/// weir::pipeline prices{weir::request_cache{weir::keyed_by(&price_query::symbol), weir::keyed_by(&price_query::context)}, ask_the_market};
/// weir::request_context context;   // of the request that is being answered
/// ```
/// The first argument tells the key, all on which the answer depends; the second the context of a call, a `request_context*`, from the
/// call's request or a facet. Values and `errc::not_found` are kept, in the context; failures are not, but those who wait for the same call
/// get its failure, too. A leader that is cancelled or out of time leaves the call to the next that waits. A call without a context or a
/// key passes.
///
/// All parts of a request then see the same answer, even if it changes meanwhile; `context.clear()` after a write. To make the same call
/// once in a short time, whatever the request, take `cached` with a short `ttl`:
/// `cached{store<std::string, double>{{.capacity = 1'000, .ttl = 100ms, .jitter = 0}}, keyed_by(&price_query::symbol)}`.
///
/// An answer that is kept costs an allocation; one that is found a walk over the context. Thread-safe if `shared`.
template<class KeyOf, class ContextOf, threading_model Threading = shared>
class request_cache {
    using key_type = typename KeyOf::key_type;
    using flight_key = std::tuple<request_context*, void const*, key_type>;
    using answer_pointer = std::shared_ptr<void const>;
    using flights_type = single_flight<flight_key, answer_pointer, Threading>;
    using ticket = typename flights_type::ticket;
    using part = typename flights_type::part;
    template<class Outcome>
    using told = detail::told_answer<key_type, Outcome>;

public:
    using role = source;
    using traits = weir::traits<may_answer_alone, waits>;
    using needs = typename detail::facet_union<typename detail::needs_of<KeyOf>::type, typename detail::needs_of<ContextOf>::type>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using options = request_cache_options;
    using stats_type = request_cache_stats;
    static constexpr std::string_view name = "request_cache";

    class token {
    public:
        token() noexcept {} // NOLINT: leaves the room for the ticket as it is
        [[nodiscard]] waiter& waiting() noexcept { return ticket_->waiting(); }
        [[nodiscard]] bool abandon() noexcept { return ticket_->abandon(); }
        void runs_as(work& call) noexcept { return ticket_ ? ticket_->runs_as(call) : void(); }
        [[nodiscard]] work const* waits_for() noexcept { return ticket_->waits_for(); }

    private:
        friend request_cache;
        std::optional<ticket> ticket_;
    };

    /// Throws `std::invalid_argument` that names the member.
    explicit request_cache(KeyOf key_of, ContextOf context_of, options const& o = {})
        : key_of_(std::move(key_of)), context_of_(std::move(context_of)), options_(checked(o)), flights_({.max_flights = o.max_flights})
    {
    }

    template<class Outcome>
    lookup look_up(auto& call, token& t, Outcome& outcome)
    {
        request_context* const context = context_of_(call);
        decltype(auto) key = key_of_(call);
        if (context == nullptr || detail::is_missing(key)) {
            uncached_.add();
            return lookup::missed;
        }
        ticket& mine =
            t.ticket_.emplace(flight_key(context, &detail::type_mark<Outcome>, key_type(detail::as_key<key_type>(detail::present(key)))));
        if (say_again(call, mine, outcome)) return lookup::answered;
        part const found = flights_.join(mine);
        if (found == part::waits) {
            joined_.add();
            return lookup::parked;
        }
        // Another flight may have ended between the look and the start of this one.
        if (found == part::leads && say_again(call, mine, outcome)) {
            flights_.settle(mine, [&] { return kept(mine, outcome, nullptr); });
            return lookup::answered;
        }
        made_.add();
        return lookup::missed;
    }

    /// Woken: there is the leader's outcome, or this call leads now.
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        if (auto const result = t.ticket_->take()) {
            auto const& answer = *static_cast<told<Outcome> const*>(result->get());
            outcome = answer.outcome;
            if (answer.thrown != nullptr) call.thrown(answer.thrown);
            return lookup::answered;
        }
        if (!detail::in_time_left(call)) {
            outcome = detail::out_of_time(call);
            return lookup::answered; // the token's end hands the lead on
        }
        made_.add();
        return lookup::missed;
    }

    template<class Outcome>
    void learn(auto& call, token& t, Outcome& outcome)
    {
        if (!t.ticket_) return;
        ticket& mine = *t.ticket_;
        if (detail::gave_up(call, outcome)) return; // as if it was cancelled: another call may have more time
        std::exception_ptr const thrown = detail::thrown_by(call, outcome);
        answer_pointer answer;
        if (outcome.has_value() || outcome.error() == errc::not_found) {
            answer = kept(mine, outcome, nullptr);
            context_of(mine).keep(label_of(mine), call.now(), answer, same<Outcome>(mine));
        }
        flights_.settle(mine, [&] { return answer != nullptr ? answer : kept(mine, outcome, thrown); });
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {made_.sum(), repeated_.sum(), joined_.sum(), uncached_.sum()}; }
    void describe(auto&& field) const { field("max_flights", options_.max_flights); }

private:
    static options const& checked(options const& o)
    {
        expect(o.max_flights >= 1 && o.max_flights <= flights_type::most, "request_cache.max_flights", "a number in [1, 2^24]");
        return o;
    }
    static std::uint64_t next_owner() noexcept
    {
        static constinit std::atomic<std::uint64_t> last{0};
        return last.fetch_add(1, std::memory_order_relaxed) + 1;
    }
    static request_context& context_of(ticket const& t) noexcept { return *std::get<0>(t.key()); }
    static key_type const& key_of(ticket const& t) noexcept { return std::get<2>(t.key()); }
    /// A policy that is shared by pipelines may have answers of several types.
    request_context::label label_of(ticket const& t) const { return {owner_, std::get<1>(t.key()), hash_(key_of(t))}; }
    template<class Outcome>
    static auto same(ticket const& t) noexcept
    {
        return [&key = key_of(t)](void const* answer) { return static_cast<told<Outcome> const*>(answer)->key == key; };
    }
    template<class Outcome>
    static answer_pointer kept(ticket const& t, Outcome const& outcome, std::exception_ptr thrown)
    {
        return std::make_shared<told<Outcome> const>(told<Outcome>{key_of(t), outcome, std::move(thrown)});
    }
    template<class Outcome>
    bool say_again(auto& call, ticket const& mine, Outcome& outcome)
    {
        auto const found = context_of(mine).find(label_of(mine), call.now(), same<Outcome>(mine));
        if (found == nullptr) return false;
        outcome = static_cast<told<Outcome> const*>(found.get())->outcome;
        repeated_.add();
        return true;
    }
    [[no_unique_address]] KeyOf key_of_;
    [[no_unique_address]] ContextOf context_of_;
    options options_;
    std::uint64_t owner_ = next_owner();
    detail::seeded_hash hash_{detail::random_seed()};
    flights_type flights_;
    detail::counter<Threading> made_, repeated_, joined_, uncached_;
};
template<class KeyOf, class ContextOf>
request_cache(KeyOf, ContextOf) -> request_cache<KeyOf, ContextOf>;
template<class KeyOf, class ContextOf>
request_cache(KeyOf, ContextOf, request_cache_options) -> request_cache<KeyOf, ContextOf>;

} // namespace weir::inline v0
