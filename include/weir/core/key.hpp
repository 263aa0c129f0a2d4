// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/facets.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

/// What tells the key of a call, for limits, caches and breakers that keep something per key: it has a `key_type`, and takes a call. What
/// it returns reads like the key and lives as long as the call.
template<class T, class Call>
concept key_of_call = requires(T const& key_of, Call& call)
{
    typename T::key_type;
    key_of(call);
};

/// A facet as the key: `by<principal>`. The facet has a `key()`, or is the key itself.
template<class Facet>
struct by_facet {
    using needs = facets<Facet>;
    static decltype(auto) key(Facet const& f) noexcept
    {
        if constexpr (requires { f.key(); })
            return f.key();
        else
            return static_cast<Facet const&>(f);
    }
    using key_type = std::conditional_t<std::is_same_v<std::remove_cvref_t<decltype(key(std::declval<Facet const&>()))>, std::string_view>,
                                        std::string, std::remove_cvref_t<decltype(key(std::declval<Facet const&>()))>>;
    decltype(auto) operator()(auto const& call) const noexcept { return key(call.template get<Facet>()); }
};
template<class Facet>
inline constexpr by_facet<Facet> by{};

/// A header field as the key: `by_header<"x-app-id">`; empty where the field is missing.
template<fixed_string Name>
struct by_header_field {
    using key_type = std::string;
    using reads = reads_request<customisation::header_fn>;
    std::string_view operator()(auto const& call) const { return header(call.request(), Name.view()).value_or(std::string_view{}); }
};
template<fixed_string Name>
inline constexpr by_header_field<Name> by_header{};

/// The address of whoever sent the request as the key.
struct by_peer_address {
    using key_type = std::string;
    using reads = reads_request<customisation::peer_fn>;
    std::string_view operator()(auto const& call) const { return peer(call.request()); }
};
inline constexpr by_peer_address by_peer{};

/// A part of the request as the key: a member, `keyed_by(&quote_request::symbol)`, or a function of the request.
template<class Projection, class Key>
struct projected {
    using key_type = Key;
    [[no_unique_address]] Projection projection;
    decltype(auto) operator()(auto const& call) const { return std::invoke(projection, call.request()); }
};
template<class Class, class Member>
[[nodiscard]] constexpr auto keyed_by(Member Class::*member) noexcept
{
    return projected<Member Class::*, std::remove_cv_t<Member>>{member};
}
/// A function of the request that returns a `Key` or a view of one: `keyed_by<std::string>([](quote_request const& r) { ... })`.
template<class Key, class Function>
[[nodiscard]] constexpr auto keyed_by(Function f)
{
    return projected<Function, Key>{std::move(f)};
}

} // namespace weir::inline v0
