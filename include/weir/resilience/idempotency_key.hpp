// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/key.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/resilience/answer_store.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Value>
struct answers_of {
    template<class Returned>
    struct cannot_keep_what_the_handler_returns;
};
} // namespace advice

/// Reported when a call was answered with what the same request was answered before.
struct answered_before {};

/// What tells one request from another under the same key: method, target and body.
struct whole_request {
    using reads = reads_request<customisation::method_fn, customisation::target_fn, customisation::body_fn>;
    auto operator()(auto const& call) const
    {
        return std::tuple(std::string_view(method(call.request())), std::string_view(target(call.request())),
                          std::string_view(body(call.request())));
    }
};
/// One space of keys for all callers.
struct one_scope {
    std::string_view operator()(auto const&) const noexcept { return {}; }
};

struct idempotency_key_options {
    /// Whether a call without a key is refused with `errc::invalid_request`; else it passes, and a repeat of it runs again.
    bool required = false;
    /// Whether a repeat of what is under way waits for its answer; else it is refused with `errc::conflict`.
    bool wait = true;
    /// Whether the answer is kept also if it is a fault (see `is_fault`); else a repeat runs again.
    bool keep_faults = false;
    /// Longer keys are refused with `errc::invalid_request`. From 1 to 4,096.
    std::size_t max_key_bytes = 255;
};

/// Answers a request that comes again with the answer that it got the first time, and runs it once: the server's side of the
/// `Idempotency-Key` field (draft-ietf-httpapi-idempotency-key-header-07).
/// `idempotency_key{answer_store<http::response>{{.capacity = 100'000}}, by<principal>}`.
///
/// - **The key** is the field `Idempotency-Key`, with or without the quotation marks of a structured field, or what `KeyOf` says. Keys are the
///   clients' own: `ScopeOf`, `by<principal>` say, keeps those of one from meeting those of another. Leave it out only if all callers are one.
/// - **A repeat** of what is under way waits for it, within its own deadline, or is refused with `errc::conflict` (409). The same key with
///   another request, by `FingerprintOf`, which is method, target and body, is `errc::key_reused` (422).
/// - **What is kept**: values, and errors which say something about the request. Not kept: faults (unless asked for), refusals by policies
///   further in for want of room or time, cancelled calls; then the next repeat runs, one at a time.
///
/// Inside of a retry or a hedge it makes repeats safe: what it answered is not run again. It has to stand inside of what proves identity.
/// A look-up takes the store's lock and makes one string. The store may be shared by `std::ref`. Thread-safe as the store is.
template<class Store, class ScopeOf = one_scope, class KeyOf = by_header_field<"Idempotency-Key">, class FingerprintOf = whole_request>
class idempotency_key {
    using store_type = detail::policy_t<Store>;
    using claim = typename store_type::claim;

public:
    using role = source;
    using traits = weir::traits<may_answer_alone, makes_repeats_safe, waits>;
    using needs = typename detail::facet_union<typename detail::needs_of<ScopeOf>::type, typename detail::needs_of<KeyOf>::type>::type;
    using reports = facets<answered_before>;
    using options = idempotency_key_options;
    using token = typename store_type::ticket;
    static constexpr std::string_view name = "idempotency_key";
    struct stats_type {
        std::uint64_t first = 0;     ///< requests that ran
        std::uint64_t repeated = 0;  ///< answered as before
        std::uint64_t conflicts = 0; ///< refused: under way
        std::uint64_t reused = 0;    ///< refused: another request under the same key
        std::uint64_t unnamed = 0;   ///< calls without a key
        std::uint64_t full = 0;      ///< refused: no room
        std::uint64_t evicted = 0;   ///< answers forgotten before their time
        std::size_t names = 0;       ///< keys that are known
        std::size_t bytes = 0;       ///< that keys and answers take
        void each(auto&& field) const
        {
            field("first_total", first);
            field("repeated_total", repeated);
            field("conflicts_total", conflicts);
            field("reused_total", reused);
            field("unnamed_total", unnamed);
            field("full_total", full);
            field("evicted_total", evicted);
            field("names", names);
            field("bytes", bytes);
        }
    };

    explicit idempotency_key(Store store, options const& o = {}) : idempotency_key(std::move(store), {}, {}, {}, o) {}
    idempotency_key(Store store, ScopeOf scope_of, options const& o = {})
        : idempotency_key(std::move(store), std::move(scope_of), {}, {}, o)
    {
    }
    idempotency_key(Store store, ScopeOf scope_of, KeyOf key_of, FingerprintOf fingerprint_of, options const& o = {})
        : store_(std::move(store)),
          scope_of_(std::move(scope_of)),
          key_of_(std::move(key_of)),
          fingerprint_of_(std::move(fingerprint_of)),
          settings_(checked(o)),
          hash_(detail::random_seed())
    {
    }

    template<class Outcome>
    lookup look_up(auto& call, token& t, Outcome& outcome)
    {
        check_value<Outcome>();
        options const o = settings_.load();
        std::string_view const key = key_in(call);
        if (key.empty()) {
            unnamed_.add(1);
            if (!o.required) return lookup::missed;
            return refuse(outcome, errc::invalid_request);
        }
        if (key.size() > o.max_key_bytes) return refuse(outcome, errc::invalid_request);
        return follow(call, t, outcome, key, o);
    }
    /// Woken: what it waited for has ended.
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        return follow(call, t, outcome, key_in(call), settings_.load());
    }
    template<class Outcome>
    void learn(auto& call, token& t, Outcome& outcome)
    {
        if (!t.is_mine()) return;
        if (outcome.has_value() || (settings_.load().keep_faults && is_fault(outcome.error().kind()) && !was_given_up(outcome.error())) ||
            says_something(outcome.error().kind()))
            store().keep(t, outcome, call.now());
        else
            store().forget(t);
    }

    [[nodiscard]] store_type& store() noexcept { return detail::unwrapped<Store>::of(store_); }
    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        auto const kept = const_cast<idempotency_key&>(*this).store().stats();
        return {first_.load(),   repeated_.load(), conflicts_.load(), reused_.load(),
                unnamed_.load(), full_.load(),     kept.evicted,      kept.names,     kept.bytes};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other settings for calls from now on; those of the store are reconfigured there. Throws `std::invalid_argument` and changes nothing
    /// if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }
    void describe(auto&& field) const
    {
        options const o = settings();
        auto const kept = const_cast<idempotency_key&>(*this).store().settings();
        field("required", o.required);
        field("wait", o.wait);
        field("keep_faults", o.keep_faults);
        field("capacity", *kept.capacity);
        field("max_bytes", kept.max_bytes);
        field("ttl", kept.ttl);
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.max_key_bytes >= 1 && o.max_key_bytes <= 4'096, "idempotency_key.max_key_bytes", "1 to 4,096");
        return o;
    }
    template<class Outcome>
    static constexpr void check_value()
    {
        using returned = typename Outcome::value_type;
        if constexpr (!std::is_same_v<returned, typename store_type::value_type>)
            static_cast<void>(sizeof(
                typename advice::answers_of<typename store_type::value_type>::template cannot_keep_what_the_handler_returns<returned>));
    }
    /// Errors that are an answer to this request: it would get the same one again.
    static constexpr bool says_something(errc e) noexcept
    {
        switch (e) {
        case errc::not_found:
        case errc::invalid_request:
        case errc::forbidden:
        case errc::payload_too_large:
        case errc::unsupported_media_type:
        case errc::method_not_allowed: return true;
        default: return false;
        }
    }
    static constexpr bool was_given_up(error const& e) noexcept
    {
        return e == errc::deadline_exceeded || e == errc::handler_threw || e == errc::overloaded || e == errc::unavailable;
    }
    /// Without the quotation marks of a structured field.
    std::string_view key_in(auto& call) const
    {
        std::string_view const key = key_of_(call);
        return key.size() >= 2 && key.front() == '"' && key.back() == '"' ? key.substr(1, key.size() - 2) : key;
    }
    template<class Outcome>
    static lookup refuse(Outcome& outcome, errc e)
    {
        outcome = error(e);
        return lookup::answered;
    }
    template<class Outcome>
    lookup follow(auto& call, token& t, Outcome& outcome, std::string_view key, options const& o)
    {
        std::string full(std::string_view(scope_of_(call)));
        full += '\n';
        full += key;
        switch (store().take(full, hash_(fingerprint_of_(call)), call.now(), o.wait, t)) {
        case claim::mine: first_.add(1); return lookup::missed;
        case claim::answered:
            repeated_.add(1);
            outcome = t.found();
            call.report(answered_before{});
            return lookup::answered;
        case claim::under_way:
            if (o.wait) return lookup::parked;
            conflicts_.add(1);
            return refuse(outcome, errc::conflict);
        case claim::another: reused_.add(1); return refuse(outcome, errc::key_reused);
        default: full_.add(1); return refuse(outcome, errc::overloaded);
        }
    }

    Store store_;
    [[no_unique_address]] ScopeOf scope_of_;
    [[no_unique_address]] KeyOf key_of_;
    [[no_unique_address]] FingerprintOf fingerprint_of_;
    live<options> settings_;
    detail::seeded_hash hash_;
    shared::cell<std::uint64_t> first_;
    shared::cell<std::uint64_t> repeated_;
    shared::cell<std::uint64_t> conflicts_;
    shared::cell<std::uint64_t> reused_;
    shared::cell<std::uint64_t> unnamed_;
    shared::cell<std::uint64_t> full_;
};

template<class Store>
idempotency_key(Store) -> idempotency_key<Store>;
template<class Store>
idempotency_key(Store, idempotency_key_options) -> idempotency_key<Store>;
template<class Store, class ScopeOf>
idempotency_key(Store, ScopeOf) -> idempotency_key<Store, ScopeOf>;
template<class Store, class ScopeOf>
idempotency_key(Store, ScopeOf, idempotency_key_options) -> idempotency_key<Store, ScopeOf>;
template<class Store, class ScopeOf, class KeyOf, class FingerprintOf>
idempotency_key(Store, ScopeOf, KeyOf, FingerprintOf) -> idempotency_key<Store, ScopeOf, KeyOf, FingerprintOf>;
template<class Store, class ScopeOf, class KeyOf, class FingerprintOf>
idempotency_key(Store, ScopeOf, KeyOf, FingerprintOf, idempotency_key_options) -> idempotency_key<Store, ScopeOf, KeyOf, FingerprintOf>;

} // namespace weir::inline v0
