// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Says of a key that it holds all by which a caller proves who it is: the whole token, say, not the name in it. A `cached` with such a key
/// may stand outward of the policy that establishes identity, which is asked once a token and time to live:
/// `cached{store<std::string, answer>{...}, holding_identity{by_header<"authorization">}}`. With any other key the compiler refuses it.
///
/// Who may be turned away in the meantime, as a token was revoked or has expired, is answered until the time to live is over: keep that
/// short.
template<class KeyOf>
struct holding_identity : KeyOf {
    static constexpr bool holds_identity = true;
};
template<class KeyOf>
holding_identity(KeyOf) -> holding_identity<KeyOf>;

namespace detail {
template<class KeyOf>
concept has_identity_in_it = requires
{
    requires KeyOf::holds_identity;
};
} // namespace detail

} // namespace weir::inline v0
