// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// How policies reach into a request or a response, whatever its type: free functions beside the type, found by argument-dependent
/// look-up. A type supports what its functions say and no more; a policy that needs another one does not compile, and the error names it.
///
/// | write, beside your type                                           | what policies call           | it means                              |
/// |-------------------------------------------------------------------|------------------------------|---------------------------------------|
/// | `std::optional<std::string_view> weir_header(R const&, string_view)` | `weir::header(r, name)`      | a field's value; case of names ignored |
/// | `void weir_set_header(R&, string_view name, string_view value)`   | `weir::set_header(r, n, v)`  | replaces or adds a field               |
/// | `std::string_view weir_method(R const&)`                          | `weir::method(r)`            | `"GET"`                                |
/// | `std::string_view weir_target(R const&)`                          | `weir::target(r)`            | path and query as they came            |
/// | `std::string_view weir_body(R const&)`                            | `weir::body(r)`              | the whole body                         |
/// | `std::string_view weir_peer(R const&)`                            | `weir::peer(r)`              | the address of whoever sent it         |
/// | `void weir_each_header(R const&, string_view name, auto&& f)`     | `weir::single_header(r, n)`  | `f(value)` for each line of a field    |
///
/// The last one may be left out: then `weir_header` has to join or refuse a field that stands in several lines.
namespace customisation {

struct ignore_value {
    void operator()(std::string_view) const noexcept {}
};
template<class R>
concept has_each_header = requires(R const& r)
{
    weir_each_header(r, std::string_view{}, ignore_value{});
};

struct header_fn {
    template<class R>
    static constexpr bool works_for = requires(R const& r)
    {
        weir_header(r, std::string_view{});
    };

    template<class R>
    constexpr auto operator()(R const& r, std::string_view name) const -> decltype(std::optional<std::string_view>(weir_header(r, name)))
    {
        return weir_header(r, name);
    }
};
struct set_header_fn {
    template<class R>
    static constexpr bool works_for = requires(R& r)
    {
        weir_set_header(r, std::string_view{}, std::string_view{});
    };

    template<class R>
    constexpr auto operator()(R& r, std::string_view name, std::string_view value) const -> decltype(void(weir_set_header(r, name, value)))
    {
        weir_set_header(r, name, value);
    }
};
struct method_fn {
    template<class R>
    static constexpr bool works_for = requires(R const& r)
    {
        weir_method(r);
    };

    template<class R>
    constexpr auto operator()(R const& r) const -> decltype(std::string_view(weir_method(r)))
    {
        return weir_method(r);
    }
};
struct target_fn {
    template<class R>
    static constexpr bool works_for = requires(R const& r)
    {
        weir_target(r);
    };

    template<class R>
    constexpr auto operator()(R const& r) const -> decltype(std::string_view(weir_target(r)))
    {
        return weir_target(r);
    }
};
struct body_fn {
    template<class R>
    static constexpr bool works_for = requires(R const& r)
    {
        weir_body(r);
    };

    template<class R>
    constexpr auto operator()(R const& r) const -> decltype(std::string_view(weir_body(r)))
    {
        return weir_body(r);
    }
};
struct peer_fn {
    template<class R>
    static constexpr bool works_for = requires(R const& r)
    {
        weir_peer(r);
    };

    template<class R>
    constexpr auto operator()(R const& r) const -> decltype(std::string_view(weir_peer(r)))
    {
        return weir_peer(r);
    }
};

} // namespace customisation

inline constexpr customisation::header_fn header{};
inline constexpr customisation::set_header_fn set_header{};
inline constexpr customisation::method_fn method{};
inline constexpr customisation::target_fn target{};
inline constexpr customisation::body_fn body{};
inline constexpr customisation::peer_fn peer{};

/// A field that has one value (RFC 9110 section 5.3).
struct single_field {
    std::optional<std::string_view> value{}; ///< of the first line
    bool repeated = false;                   ///< there are more lines: whoever reads the last one reads another value
};
/// Reads such a field; whether it is repeated, only a request with `weir_each_header` can tell.
template<class R>
requires customisation::header_fn::works_for<R>
[[nodiscard]] constexpr single_field single_header(R const& r, std::string_view name)
{
    if constexpr (customisation::has_each_header<R>) {
        single_field found;
        weir_each_header(r, name, [&](std::string_view value) {
            found.repeated = found.value.has_value();
            if (!found.repeated) found.value = value;
        });
        return found;
    } else {
        return {header(r, name)};
    }
}

/// Whether a request can be sent more than once: whether it can be copied, unless its type says otherwise by
/// `static constexpr bool can_be_repeated = false;`, as one does whose body is read while it comes. Policies that repeat a call refuse
/// others.
template<class R>
inline constexpr bool can_be_repeated = std::copy_constructible<R>;
template<class R>
requires requires
{
    {
        R::can_be_repeated
        } -> std::convertible_to<bool>;
}
inline constexpr bool can_be_repeated<R> = R::can_be_repeated;

/// The functions of a request that a policy calls, stated by `using reads = reads_request<customisation::header_fn>;`: a request
/// without one is refused with its name.
template<class... Functions>
struct reads_request {
};

} // namespace weir::inline v0
