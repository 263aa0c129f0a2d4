// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/timestamp.hpp>
#include <weir/validate/strict_json.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// What a token says about who has it (RFC 7519 section 4): a strict JSON object. Views into it are valid as long as it is.
///
/// ```cpp
/// claims.text("sub");                         // std::optional<std::string_view>
/// claims.lists("roles", "teller");            // "roles" is "teller", or a list with it
/// claims.has_scope("accounts:read");          // in "scope" (RFC 8693 section 4.2), or "scp"
/// claims["realm_access"]["roles"];            // a json_view, of any depth
/// for (json_view each : claims["amr"]) ...
/// ```
///
/// Asking costs a look at each claim in turn, and allocates nothing. Thread-safe: it never changes once it is read.
class claims {
public:
    /// A claim; none if it is not there.
    [[nodiscard]] json_view operator[](std::string_view name) const noexcept { return document_.root()[name]; }
    /// All of them: names, values, in their order.
    [[nodiscard]] json_view all() const noexcept { return document_.root(); }

    [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const noexcept { return (*this)[name].text(); }
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const noexcept { return (*this)[name].integer(); }
    [[nodiscard]] std::optional<bool> boolean(std::string_view name) const noexcept { return (*this)[name].boolean(); }
    /// A `NumericDate`: seconds since 1970, of which fractions to the millisecond count. Nothing if it is no number, or beyond 2^53 seconds.
    [[nodiscard]] std::optional<wall_time> time(std::string_view name) const noexcept { return time_of((*this)[name]); }
    /// Whether a claim is this text, or a list with it: as `aud` is read, and roles and groups are kept.
    [[nodiscard]] bool lists(std::string_view name, std::string_view value) const noexcept { return lists((*this)[name], value); }
    /// Whether `scope`, words with a space between, or `scp`, such a text or a list, has this word.
    [[nodiscard]] bool has_scope(std::string_view word) const noexcept
    {
        return has_word((*this)["scope"], word) || has_word((*this)["scp"], word) || lists("scp", word);
    }

    [[nodiscard]] std::string_view subject() const noexcept { return text("sub").value_or(std::string_view()); }
    [[nodiscard]] std::string_view issuer() const noexcept { return text("iss").value_or(std::string_view()); }
    [[nodiscard]] std::string_view id() const noexcept { return text("jti").value_or(std::string_view()); }

    /// The same for any value.
    [[nodiscard]] static std::optional<wall_time> time_of(json_view value) noexcept
    {
        constexpr std::int64_t most = std::int64_t{1} << 53; // what a double counts exactly, RFC 7493 section 2.2
        if (auto const whole = value.integer()) {
            if (*whole <= -most || *whole >= most) return std::nullopt;
            return wall_time(std::chrono::milliseconds(*whole * 1000));
        }
        auto const real = value.number();
        if (!real || std::abs(*real) >= static_cast<double>(most)) return std::nullopt;
        return wall_time(std::chrono::milliseconds(static_cast<std::int64_t>(std::floor(*real * 1000))));
    }
    [[nodiscard]] static bool lists(json_view value, std::string_view wanted) noexcept
    {
        if (!value.is_list()) return value.text() == wanted;
        for (json_view each : value)
            if (each.text() == wanted) return true;
        return false;
    }

    /// The document that claims are read into; for verifiers.
    [[nodiscard]] strict_json& document() noexcept { return document_; }

private:
    static bool has_word(json_view value, std::string_view word) noexcept
    {
        std::string_view rest = value.text().value_or(std::string_view());
        while (!rest.empty() && !word.empty()) {
            std::size_t const end = rest.find(' ');
            if (rest.substr(0, end) == word) return true;
            rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
        }
        return false;
    }

    strict_json document_;
};

} // namespace weir::inline v0
