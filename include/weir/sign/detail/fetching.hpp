// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/admission.hpp>
#include <weir/core/clock.hpp>
#include <weir/sign/detail/jws_parts.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// Why keys are fetched.
enum class jwks_reason : std::uint8_t {
    first,       ///< there are none yet, or no more
    stale,       ///< those that are there were fetched long ago
    unknown_key, ///< a token calls for one that is not there: an answer that was kept does not help
};

/// What the fetch of a `fetched_keys` is called with.
struct jwks_request {
    jwks_reason why = jwks_reason::first;
    time_point now{}; ///< of the call that asks
};

namespace detail {

/// Keys that are fetched when they are wanted: what `verify_jwt` does with a `fetched_keys`.
template<class T>
concept fetching_keys = requires(T& keys, jwks_request const& r, std::optional<std::string> const& kid, time_point now)
{
    {
        keys.is_due(now)
        } -> std::same_as<std::optional<jwks_reason>>;
    {
        keys.may_learn(kid, now)
        } -> std::same_as<bool>;
    keys.fetch(r);
    keys.is_unknown(kid, now);
    keys.missing_for(now);
};

/// The awaitable of an admission of the same kind as one of something else.
template<class Awaitable>
struct awaitable_admission;
template<template<class, class...> class Awaitable, class T, class... Rest>
struct awaitable_admission<Awaitable<T, Rest...>> {
    using type = Awaitable<admission<>, Rest...>;
};

/// The name of the key that a token calls for; nobody has checked it.
[[nodiscard]] inline std::optional<std::string> kid_of(std::string_view token)
{
    jws_parts parts;
    jws_header head;
    if (!cut(token, parts) || read_header(parts.header, header_scratch(), head) != token_fault::none || !head.kid) return std::nullopt;
    return std::string(*head.kid);
}

} // namespace detail

} // namespace weir::inline v0
