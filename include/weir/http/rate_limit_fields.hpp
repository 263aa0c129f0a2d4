// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/http/message.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0::http {

/// What a limiter tells its client about a quota. Views are read at once and not kept.
struct rate_limit_state {
    std::string_view name = "default"; ///< the policy's name: printable ASCII; of any other character a question mark is made
    std::uint64_t quota = 0;           ///< permits a window
    duration window{};                 ///< the length of the window; not told if it is 0
    std::uint64_t remaining = 0;       ///< permits left
    duration reset = duration::max();  ///< until more of them come; not told if that is never
    std::string_view partition = {};   ///< the key of the quota, any bytes; not told if empty
};

namespace detail {

/// Appends a String of structured fields (RFC 9651 section 4.1.6).
inline void append_sf_string(std::string& to, std::string_view text)
{
    to += '"';
    for (char const c : text) {
        if (c == '"' || c == '\\') to += '\\';
        to += c >= 0x20 && c < 0x7f ? c : '?';
    }
    to += '"';
}
/// Appends an Integer (section 4.1.4): what is above its range is told as the largest.
inline void append_sf_integer(std::string& to, std::uint64_t n)
{
    to += std::to_string(std::min<std::uint64_t>(n, 999'999'999'999'999));
}
/// Appends a Byte Sequence (section 4.1.8): base64 (RFC 4648 section 4) between colons.
inline void append_sf_bytes(std::string& to, std::string_view bytes)
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    to += ':';
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 3))) {
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
        for (std::size_t i = 0; i < 4; ++i) to += i <= bytes.size() ? digits[group >> (18 - 6 * i) & 63] : '=';
    }
    to += ':';
}

/// Seconds, rounded up, never negative.
[[nodiscard]] constexpr std::uint64_t seconds_up(duration d) noexcept
{
    if (d.count() <= 0) return 0;
    auto const ns = static_cast<std::uint64_t>(d.count());
    return ns / 1'000'000'000 + (ns % 1'000'000'000 != 0);
}

/// Of a window that is no whole number of seconds, which the field cannot tell, the permits in the next whole number.
[[nodiscard]] constexpr std::uint64_t quota_in_whole_seconds(std::uint64_t quota, duration window) noexcept
{
    __extension__ using wide = unsigned __int128;
    if (window.count() <= 0) return quota;
    wide const whole = static_cast<wide>(seconds_up(window)) * 1'000'000'000;
    wide const permits = quota * whole / static_cast<wide>(window.count());
    return permits > ~std::uint64_t{0} ? ~std::uint64_t{0} : static_cast<std::uint64_t>(permits);
}

} // namespace detail

/// The fields `RateLimit-Policy: "burst";q=100;w=60, "daily";q=1000;w=86400` and `RateLimit: "burst";r=50;t=30, "daily";r=7;t=8000` of
/// draft-ietf-httpapi-ratelimit-headers-10: sections 3 and 4. Seconds are rounded up; a quota of 5 each 200 ms is told as 25 a second.
class rate_limit_fields {
public:
    void add(rate_limit_state const& s)
    {
        begin(policy_, s.name);
        detail::append_sf_integer(policy_ += ";q=", detail::quota_in_whole_seconds(s.quota, s.window));
        if (s.window.count() > 0) detail::append_sf_integer(policy_ += ";w=", detail::seconds_up(s.window));
        begin(limit_, s.name);
        detail::append_sf_integer(limit_ += ";r=", s.remaining);
        if (s.reset != duration::max()) detail::append_sf_integer(limit_ += ";t=", detail::seconds_up(s.reset));
        if (s.partition.empty()) return;
        detail::append_sf_bytes(policy_ += ";pk=", s.partition);
        detail::append_sf_bytes(limit_ += ";pk=", s.partition);
    }
    [[nodiscard]] std::string const& policy() const noexcept { return policy_; }
    [[nodiscard]] std::string const& limit() const noexcept { return limit_; }
    /// Sets both on a response; nothing if nothing was added.
    void set_on(response& r) const
    {
        if (limit_.empty()) return;
        r.set("RateLimit-Policy", policy_);
        r.set("RateLimit", limit_);
    }

private:
    static void begin(std::string& field, std::string_view name)
    {
        if (!field.empty()) field += ", ";
        detail::append_sf_string(field, name);
    }
    std::string policy_;
    std::string limit_;
};

/// Sets the fields for one limit.
inline void set_rate_limit(response& r, rate_limit_state const& state)
{
    rate_limit_fields fields;
    fields.add(state);
    fields.set_on(r);
}

} // namespace weir::inline v0::http
