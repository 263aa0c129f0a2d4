// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/sign/nonce_store.hpp>
#include <weir/sign/signature_facts.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// What a `replay_guard` remembers messages in: a `nonce_store`, or one of your own that several instances of a service share, so that a message that
/// one has accepted the other refuses. `remember(group, id, signed_at, now)` has to be one step: of two that ask at once for the same id, one is told
/// `fresh`. The group is empty; ids are 32 hexadecimal digits, worth keeping until the scheme would refuse the message as too old.
template<class T>
concept replay_store = requires(T& store, std::string_view text, wall_time t)
{
    {
        store.remember(text, text, t, t)
        } -> std::same_as<nonce_verdict>;
};

namespace detail {
template<class A>
struct rebound;
template<template<class, class...> class Awaitable, class... Rest>
struct rebound<Awaitable<nonce_verdict, Rest...>> {
    using type = Awaitable<admission<>, Rest...>;
};
} // namespace detail

/// The same where asking takes time, as it does if the store is another machine: `remember_later(group, id, signed_at, now)` is an awaitable of the
/// verdict, and the pipeline is asynchronous. A store that cannot tell says `full`, and the message is refused.
template<class T>
concept awaited_replay_store = requires(T& store, std::string_view text, wall_time t)
{
    typename detail::rebound<std::remove_cvref_t<decltype(store.remember_later(text, text, t, t))>>::type;
};

/// Lets each signed message pass once: `verify_signature{...}, replay_guard{nonce_store<>{{.capacity = 100'000}}}`. It stands further in than the
/// policy that provides `signature_facts`, so that only what verified is remembered.
///
/// | the message                                                       | is refused with    |
/// |-------------------------------------------------------------------|--------------------|
/// | came before, or has the nonce of another one of its signer        | `errc::replayed`   |
/// | is outside the store's window of time, so that it cannot tell     | `errc::replayed`   |
/// | is new, but there is no room to remember it: the store is full    | `errc::overloaded` |
///
/// The store's window is at least the scheme's: `late` its `max_age` and `skew` together, `early` its `skew`. A full store refuses what is new until its
/// period ends, and forgets nothing meanwhile: refusing is what a guard is for. Without a nonce, the text that was signed stands for the message:
/// the same request signed twice within a second is then one. Passing uses a message up, so a `retry` stands further in. The store may be shared by
/// `std::ref` among pipelines. It has no settings of its own: capacity and window are the store's, changed while calls come by
/// `store().reconfigure(...)`. Cost: as the store's.
template<class Store, class Clock = system_wall>
class replay_guard {
    using store_type = detail::policy_t<Store>;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::replay_guard wants a wall clock: a type with wall_now()");
    static_assert(replay_store<store_type> || awaited_replay_store<store_type>,
                  "weir::replay_guard wants a store with remember(group, id, signed_at, now) or remember_later of the same");

public:
    using role = gate;
    using traits = weir::traits<passes_once>;
    using needs = facets<signature_facts>;
    using reports = facets<violation>;
    static constexpr std::string_view name = "replay_guard";
    struct stats_type {
        std::uint64_t passed = 0;
        std::uint64_t replayed = 0;
        std::uint64_t full = 0;    ///< refused since the store was full: raise its capacity, or find who fills it
        std::uint64_t outside = 0; ///< refused since the store could not tell any more: a clock was set, or its window is too small
        void each(auto&& field) const
        {
            field("passed_total", passed);
            field("replayed_total", replayed);
            field("full_total", full);
            field("outside_total", outside);
        }
    };

    /// A store or clock given by `std::ref` outlives the policy.
    explicit replay_guard(Store store, Clock clock = {}) : store_(std::move(store)), clock_(std::move(clock)) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        if constexpr (replay_store<store_type>) {
            signature_facts const& f = call.template get<signature_facts>();
            return judge(call, store().remember({}, f.id(), f.signed_at(), now()));
        } else {
            return pending;
        }
    }
    template<class Call, class S = store_type>
    requires(!replay_store<S>) [[nodiscard]] auto admit_later(Call& call) ->
        typename detail::rebound<std::remove_cvref_t<decltype(std::declval<S&>().remember_later(std::string_view{}, std::string_view{},
                                                                                                wall_time{}, wall_time{}))>>::type
    {
        signature_facts const& f = call.template get<signature_facts>();
        wall_time const t = now();
        nonce_verdict const v = co_await store().remember_later(std::string_view{}, f.id(), f.signed_at(), t);
        co_return judge(call, v);
    }

    [[nodiscard]] auto& store() noexcept { return detail::unwrapped<Store>::of(store_); }
    [[nodiscard]] stats_type stats(time_point = {}) const noexcept
    {
        return {counts_[0].load(), counts_[1].load(), counts_[2].load(), counts_[3].load()};
    }
    void describe(auto&& field) const { field("shared", std::string_view(std::is_same_v<store_type, Store> ? "no" : "yes")); }

private:
    wall_time now() { return detail::unwrapped<Clock>::of(clock_).wall_now(); }
    admission<> judge(auto& call, nonce_verdict v)
    {
        counts_[static_cast<std::size_t>(v)].add(1);
        if (v == nonce_verdict::fresh) [[likely]]
            return admitted;
        if (v == nonce_verdict::full) return errc::overloaded;
        call.report(violation{"signature", "nonce", "a message that did not come before"});
        return errc::replayed;
    }

    Store store_;
    [[no_unique_address]] Clock clock_;
    std::array<shared::cell<std::uint64_t>, 4> counts_{};
};

} // namespace weir::inline v0
