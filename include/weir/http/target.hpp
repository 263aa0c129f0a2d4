// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/grammar.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0::http {

/// The four forms of a request target (RFC 9112 section 3.2).
enum class target_form : std::uint8_t {
    origin,    ///< `/quotes?symbol=X`
    absolute,  ///< `http://host/quotes?symbol=X`
    authority, ///< `host:443`, of CONNECT only
    asterisk,  ///< `*`, of OPTIONS only
};

/// The parts of a request target: views into its text.
struct request_target {
    target_form form = target_form::origin;
    std::string_view scheme;    ///< of the absolute form, else empty
    std::string_view authority; ///< host and port of the absolute and the authority form, without user information
    std::string_view path;      ///< as it came, still encoded; "/" if the absolute form has none; empty in the last two forms
    std::string_view query;     ///< as it came, still encoded, without the "?"
};

/// Text that came percent-encoded: a view into the request where nothing was encoded, a string of its own where something was.
class decoded {
public:
    /// `raw` must be encoded rightly, as what `parse_target` took is, and must live as long as this.
    explicit decoded(std::string_view raw, bool plus_is_space = false) : raw_(raw)
    {
        auto const first = raw.find_first_of(plus_is_space ? std::string_view("%+") : std::string_view("%"));
        if (first == std::string_view::npos) return;
        own_.reserve(raw.size());
        own_.assign(raw.substr(0, first));
        for (std::size_t i = first; i < raw.size(); ++i) {
            if (raw[i] == '%' && i + 2 < raw.size() && detail::is(detail::in::hex, raw[i + 1]) && detail::is(detail::in::hex, raw[i + 2])) {
                own_ += static_cast<char>(detail::hex_value(raw[i + 1]) * 16 + detail::hex_value(raw[i + 2]));
                i += 2;
            } else {
                own_ += plus_is_space && raw[i] == '+' ? ' ' : raw[i];
            }
        }
    }
    [[nodiscard]] std::string_view view() const noexcept { return own_.empty() ? raw_ : std::string_view(own_); }
    operator std::string_view() const noexcept { return view(); } // NOLINT: implicit, it is text
    friend bool operator==(decoded const& a, std::string_view b) noexcept { return a.view() == b; }

private:
    std::string_view raw_;
    std::string own_;
};

namespace detail {

constexpr bool split_path(std::string_view text, request_target& into) noexcept
{
    auto const mark = text.find('?');
    into.path = text.substr(0, mark);
    if (mark != std::string_view::npos) into.query = text.substr(mark + 1);
    return all_or_encoded(in::path, into.path) && all_or_encoded(in::query, into.query);
}

} // namespace detail

/// Parses the target of a request with that method; nothing if it is none: a wrong form for the method, a control character or
/// a space, a fragment, a "%" without two hexadecimal digits, or any other character that a path, query or authority may not
/// have. The query may have the brackets, braces and the like that browsers send unencoded; all else is RFC 3986.
/// Dot segments stay as they came. Nothing is allocated.
[[nodiscard]] constexpr std::optional<request_target> parse_target(std::string_view method, std::string_view text) noexcept
{
    request_target parts;
    if (method == "CONNECT") {
        parts.form = target_form::authority;
        parts.authority = text;
        if (detail::is_authority(text, true)) return parts;
        return {};
    }
    if (text.starts_with('/')) {
        if (detail::split_path(text, parts)) return parts;
        return {};
    }
    if (text == "*") {
        parts.form = target_form::asterisk;
        if (method == "OPTIONS") return parts;
        return {};
    }
    parts.form = target_form::absolute;
    auto const colon = text.find("://");
    if (colon == std::string_view::npos) return {};
    parts.scheme = text.substr(0, colon);
    if (!detail::equals(parts.scheme, "http") && !detail::equals(parts.scheme, "https")) return {};
    text.remove_prefix(colon + 3);
    auto const authority_end = text.find_first_of("/?");
    parts.authority = text.substr(0, authority_end);
    if (auto const at = parts.authority.rfind('@'); at != std::string_view::npos) {
        for (char c : parts.authority.substr(0, at)) {
            if (c != '%' && c != ':' && !detail::is(detail::in::host, c)) return {};
        }
        parts.authority.remove_prefix(at + 1);
    }
    // An empty host is an error in the "http" scheme (RFC 9110 section 4.2.1).
    if (parts.authority.empty() || parts.authority.starts_with(':') || !detail::is_authority(parts.authority)) return {};
    text = authority_end == std::string_view::npos ? std::string_view{} : text.substr(authority_end);
    if (!detail::split_path(text, parts)) return {};
    if (parts.path.empty()) parts.path = "/";
    return parts;
}

/// The path of a target that was parsed before, found again by two searches: what a request keeps is its text alone.
[[nodiscard]] constexpr request_target split_target(std::string_view text) noexcept
{
    request_target parts;
    if (text.starts_with('/')) [[likely]] {
        auto const mark = text.find('?');
        parts.path = text.substr(0, mark);
        if (mark != std::string_view::npos) parts.query = text.substr(mark + 1);
        return parts;
    }
    return parse_target(text == "*"                                  ? "OPTIONS"
                        : text.find("://") == std::string_view::npos ? "CONNECT"
                                                                     : "GET",
                        text)
        .value_or(request_target{});
}

/// The segments of a path, one after the other, still encoded: `/a/b%2Fc/` has `a`, `b%2Fc` and an empty one.
/// `for (path_segments s(path); auto segment = s.next();)`. To compare a segment, compare `decoded(*segment)`.
class path_segments {
public:
    constexpr explicit path_segments(std::string_view path) noexcept : rest_(path), done_(!path.starts_with('/')) {}

    [[nodiscard]] constexpr std::optional<std::string_view> next() noexcept
    {
        if (done_) return {};
        rest_.remove_prefix(1);
        auto const slash = rest_.find('/');
        std::string_view const segment = rest_.substr(0, slash);
        done_ = slash == std::string_view::npos;
        rest_.remove_prefix(segment.size());
        return segment;
    }

private:
    std::string_view rest_;
    bool done_;
};

/// The first parameter of that name in a query `a=1&b=2`, decoded ("+" is a space); nothing if there is none, empty text if it
/// has no value. Names are compared decoded, case matters. Linear in the query; allocates only where something was encoded.
[[nodiscard]] inline std::optional<decoded> query(std::string_view text, std::string_view name)
{
    while (!text.empty()) {
        auto const ampersand = text.find('&');
        std::string_view const parameter = text.substr(0, ampersand);
        auto const equals = parameter.find('=');
        if (decoded(parameter.substr(0, equals), true) == name) {
            return decoded(equals == std::string_view::npos ? std::string_view{} : parameter.substr(equals + 1), true);
        }
        text.remove_prefix(ampersand == std::string_view::npos ? text.size() : ampersand + 1);
    }
    return {};
}

} // namespace weir::inline v0::http
