// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/http/target.hpp>

#include <string>
#include <string_view>

namespace weir::inline v0 {

namespace http::detail {

/// The one parameter of that name, decoded; empty text if there is none, if it is encoded wrongly, or if it stands there twice.
[[nodiscard]] inline decoded only_parameter(std::string_view target, std::string_view name)
{
    constexpr auto npos = std::string_view::npos;
    std::string_view found;
    bool is_found = false;
    auto const mark = target.find('?');
    for (std::string_view rest = mark == npos ? std::string_view{} : target.substr(mark + 1); !rest.empty();) {
        auto const ampersand = rest.find('&');
        std::string_view const parameter = rest.substr(0, ampersand);
        rest.remove_prefix(ampersand == npos ? rest.size() : ampersand + 1);
        auto const equals = parameter.find('=');
        if (decoded(parameter.substr(0, equals), true) != name) continue;
        if (is_found) return decoded({});
        is_found = true;
        if (equals != npos) found = parameter.substr(equals + 1);
    }
    return all_or_encoded(in::query, found) ? decoded(found, true) : decoded({});
}

} // namespace http::detail

/// A query parameter as the key: `keyed{gcra{...}, query<"symbol">, {.capacity = 10'000}}`. It reads like `http::query(r, "symbol")`.
///
/// The key is empty where the parameter is missing, encoded wrongly, or there twice: two readers could take two different ones, and an
/// answer to one would be kept for the other. A cache lets such a call pass uncached; a limit counts all of them as one.
/// Works on any request with a `weir_target`. Linear in the query; allocates only where something was encoded.
template<fixed_string Name>
struct by_query_parameter {
    using key_type = std::string;
    using reads = reads_request<customisation::target_fn>;
    http::decoded operator()(auto const& call) const { return http::detail::only_parameter(target(call.request()), Name.view()); }
};
template<fixed_string Name>
inline constexpr by_query_parameter<Name> query{};

} // namespace weir::inline v0
