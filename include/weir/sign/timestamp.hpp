// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::inline v0 {

/// A point on the calendar's clock, in milliseconds since 1970-01-01T00:00Z: what machines that do not share a monotonic clock can
/// agree on. Signatures are told the time as one of these; everything else uses `time_point`.
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// A source of calendar time. Unlike a `clock_source` it may go back.
template<class T>
concept wall_clock = requires(T& clock)
{
    {
        clock.wall_now()
        } -> std::convertible_to<wall_time>;
};

/// The machine's calendar clock. Thread-safe.
struct system_wall {
    static wall_time wall_now() noexcept { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
};

/// The decimal digits of a time, kept without allocation: `timestamp_text(t).view()` is `"1700000000000"`.
class timestamp_text {
public:
    explicit timestamp_text(wall_time t) noexcept
        : size_(static_cast<std::size_t>(
              std::to_chars(digits_.data(), digits_.data() + digits_.size(), std::int64_t{t.time_since_epoch().count()}).ptr -
              digits_.data()))
    {
    }
    [[nodiscard]] std::string_view view() const noexcept { return {digits_.data(), size_}; }

private:
    std::array<char, 20> digits_;
    std::size_t size_;
};

/// Whether `parse_timestamp` reads the time back.
[[nodiscard]] constexpr bool has_timestamp(wall_time t) noexcept
{
    return t.time_since_epoch().count() >= 0 && t.time_since_epoch().count() < 100'000'000'000'000;
}

/// Reads the milliseconds of a time from 1970 to the year 5138: 1 to 14 decimal digits and nothing else; no sign, no leading zero.
/// So a time has one text, and sums with windows of time do not overflow.
[[nodiscard]] inline std::optional<wall_time> parse_timestamp(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 14 || (text.front() == '0' && text.size() > 1)) return std::nullopt;
    std::int64_t count = 0;
    for (char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        count = count * 10 + (c - '0');
    }
    return wall_time(std::chrono::milliseconds(count));
}

static_assert(wall_clock<system_wall>);

} // namespace weir::inline v0
