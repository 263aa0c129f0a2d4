// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/policy.hpp>

#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What a setting of a policy is set to: true or false, a number, a span of time, a text. (A `std::variant` of these takes a compiler
/// longer than all the rest of this header.)
class setting_value {
public:
    setting_value(bool b) noexcept : kind_(kind::boolean), boolean_(b) {}          // NOLINT: implicit, a value is one of these
    setting_value(std::int64_t n) noexcept : kind_(kind::integer), integer_(n) {}  // NOLINT
    setting_value(std::uint64_t n) noexcept : kind_(kind::natural), natural_(n) {} // NOLINT
    setting_value(double n) noexcept : kind_(kind::real), real_(n) {}              // NOLINT
    setting_value(duration d) noexcept : kind_(kind::span), span_(d.count()) {}    // NOLINT
    setting_value(std::string text) noexcept : kind_(kind::text), integer_(0), text_(std::move(text)) {} // NOLINT

    /// Calls `f` with what it is: a `bool`, `std::int64_t`, `std::uint64_t`, `double`, `duration` or `std::string const&`.
    template<class F>
    decltype(auto) visit(F&& f) const
    {
        switch (kind_) {
        case kind::boolean: return f(boolean_);
        case kind::integer: return f(integer_);
        case kind::natural: return f(natural_);
        case kind::real: return f(real_);
        case kind::span: return f(duration(span_));
        case kind::text: break;
        }
        return f(text_);
    }
    /// The value if it is a `T`, one of these six.
    template<class T>
    [[nodiscard]] std::optional<T> get_if() const
    {
        return visit([](auto const& value) -> std::optional<T> {
            if constexpr (std::is_same_v<decltype(value), T const&>)
                return value;
            else
                return std::nullopt;
        });
    }

private:
    enum class kind : std::uint8_t { boolean, integer, natural, real, span, text } kind_;
    union {
        bool boolean_;
        std::int64_t integer_;
        std::uint64_t natural_;
        double real_;
        std::int64_t span_;
    };
    std::string text_; // empty if it is none
};

/// One setting of a policy: `window = 10s`.
struct setting {
    std::string name;
    setting_value value;
};

/// One policy as an operator sees it.
struct policy_description {
    std::string_view name;  ///< of its type: `"rate_limit"`
    std::string_view label; ///< given by `named<"per tenant">(...)`, else empty
    std::string_view role;  ///< gate, source, loop, transform or directive
    std::vector<setting> settings;
};

namespace detail {

/// A span in the largest unit that divides it: `"200ms"`, `"90s"`.
[[nodiscard]] inline std::string text_of(duration d)
{
    struct unit {
        std::int64_t ns;
        std::string_view name;
    };
    for (unit const u :
         {unit{3'600'000'000'000, "h"}, unit{60'000'000'000, "min"}, unit{1'000'000'000, "s"}, unit{1'000'000, "ms"}, unit{1'000, "us"}})
        if (d.count() != 0 && d.count() % u.ns == 0) return std::to_string(d.count() / u.ns) + std::string(u.name);
    return d.count() == 0 ? "0s" : std::to_string(d.count()) + "ns";
}
/// The shortest digits that read back as the same number.
[[nodiscard]] inline std::string text_of(double number)
{
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}
[[nodiscard]] inline std::string text_of(bool b)
{
    return b ? "true" : "false";
}
[[nodiscard]] inline std::string text_of(std::string const& s)
{
    return '"' + s + '"';
}
[[nodiscard]] std::string text_of(std::integral auto n)
{
    return std::to_string(n);
}

[[nodiscard]] inline std::string quoted(std::string_view text)
{
    std::string json = "\"";
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            (json += '\\') += c;
        else if (byte < 0x20) {
            constexpr std::string_view digits = "0123456789abcdef";
            ((json += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
        } else
            json += c;
    }
    return json += '"';
}
[[nodiscard]] inline std::string text_of_value(setting_value const& value)
{
    return value.visit([](auto const& v) { return text_of(v); });
}
[[nodiscard]] inline std::string json_of(setting_value const& value)
{
    return value.visit([]<class T>(T const& v) {
        if constexpr (std::is_same_v<T, std::string>) return detail::quoted(v);
        if constexpr (std::is_same_v<T, duration>) return detail::quoted(text_of(v));
        if constexpr (std::is_same_v<T, double>)
            if (!std::isfinite(v)) return std::string("null");
        return text_of(v);
    });
}

template<class T>
[[nodiscard]] setting_value setting_of(T const& value)
{
    if constexpr (std::is_same_v<T, bool>)
        return value;
    else if constexpr (std::is_enum_v<T>)
        return setting_of(static_cast<std::underlying_type_t<T>>(value));
    else if constexpr (std::signed_integral<T>)
        return std::int64_t{value};
    else if constexpr (std::unsigned_integral<T>)
        return std::uint64_t{value};
    else if constexpr (std::floating_point<T>)
        return static_cast<double>(value);
    else if constexpr (std::is_convertible_v<T const&, duration>)
        return duration(value);
    else
        return std::string(std::string_view(value));
}

template<class P>
constexpr bool keeps_stats = requires(P& policy, time_point now)
{
    policy.stats(now);
};

/// Not a pipeline whose policies can be seen, but one that tells of them: `any_pipeline`.
template<class Pipeline>
concept tells_of_itself = requires(Pipeline& svc)
{
    svc.describe();
};

} // namespace detail

/// The policies of a pipeline in order, the outermost first, with the settings of this moment. What `describe` returns.
class description {
public:
    std::vector<policy_description> policies;

    /// A line a policy: `gate rate_limit "per tenant" permits=100 per=1s burst=20`.
    [[nodiscard]] std::string text() const
    {
        std::string lines;
        for (policy_description const& p : policies) {
            ((lines += p.role) += ' ') += p.name;
            if (!p.label.empty()) lines += " \"" + std::string(p.label) + '"';
            for (setting const& s : p.settings) lines += ' ' + s.name + '=' + detail::text_of_value(s.value);
            lines += '\n';
        }
        return lines;
    }
    /// `{"policies":[{"name":"timeout","label":"","role":"loop","settings":{"limit":"200ms"}}]}`. Durations are strings as in the text,
    /// numbers that are not finite are null; texts are taken to be UTF-8.
    [[nodiscard]] std::string json() const
    {
        std::string json = "{\"policies\":[";
        for (policy_description const& p : policies) {
            json += &p == policies.data() ? "{\"name\":" : ",{\"name\":";
            (json += detail::quoted(p.name)) += ",\"label\":";
            (json += detail::quoted(p.label)) += ",\"role\":";
            (json += detail::quoted(p.role)) += ",\"settings\":{";
            for (setting const& s : p.settings) {
                if (&s != p.settings.data()) json += ',';
                (json += detail::quoted(s.name)) += ':';
                json += detail::json_of(s.value);
            }
            json += "}}";
        }
        return json += "]}";
    }
};

/// What a pipeline consists of: `std::cout << weir::describe(svc).text();`. A policy tells its settings by
/// `void describe(auto&& field) const { field("limit", limit_); }`: durations, numbers, booleans, strings; one without it has none to
/// tell. Allocates; for operators, not for calls. Thread-safe if the policies are.
template<class Pipeline>
requires(!detail::tells_of_itself<Pipeline>) [[nodiscard]] description describe(Pipeline& svc)
{
    description all;
    svc.for_each([&]<class P>(P& policy, std::string_view label) {
        policy_description one{P::name, label, detail::role_name<typename detail::role_of<P>::type>, {}};
        auto const field = [&](std::string_view name, auto const& value) {
            one.settings.push_back({std::string(name), detail::setting_of(value)});
        };
        if constexpr (requires { policy.describe(field); }) policy.describe(field);
        all.policies.push_back(std::move(one));
    });
    return all;
}

/// Shows `visit(name, label, field, value)` every figure that the policies count, the outermost first; what a policy counts as of `now`. A
/// field that only grows ends in `_total`. Allocates nothing. Thread-safe if the policies are.
template<class Pipeline, class Visitor>
requires(!detail::tells_of_itself<Pipeline>) void stats_of(Pipeline& svc, time_point now, Visitor&& visit)
{
    svc.for_each([&]<class P>(P& policy, std::string_view label) {
        if constexpr (detail::keeps_stats<P>)
            policy.stats(now).each([&](std::string_view field, auto value) { visit(P::name, label, field, value); });
    });
}

/// The same of a pipeline whose type is erased.
template<detail::tells_of_itself Pipeline>
[[nodiscard]] description describe(Pipeline& svc)
{
    return svc.describe();
}
template<detail::tells_of_itself Pipeline, class Visitor>
void stats_of(Pipeline& svc, time_point now, Visitor&& visit)
{
    svc.stats_of(now, std::forward<Visitor>(visit));
}

} // namespace weir::inline v0
