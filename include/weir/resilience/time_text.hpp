// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace weir::inline v0 {

/// How long a call may take, as it travels in a header: up to eight digits and a unit, `H`, `M`, `S`, `m`, `u` or `n` for hours, minutes,
/// seconds, milli-, micro- and nanoseconds: `200m`. This is the value of `grpc-timeout` (gRPC over HTTP2, "Requests"). A span, not a
/// point of time: the clocks of the two sides need not agree, and what the message took on its way is not in it.
[[nodiscard]] constexpr std::optional<duration> read_time_text(std::string_view text) noexcept
{
    if (text.size() < 2 || text.size() > 9) return {};
    std::int64_t value = 0;
    for (char const c : text.substr(0, text.size() - 1)) {
        if (c < '0' || c > '9') return {};
        value = value * 10 + (c - '0');
    }
    std::int64_t unit = 0;
    switch (text.back()) {
    case 'H': unit = 3'600'000'000'000; break;
    case 'M': unit = 60'000'000'000; break;
    case 'S': unit = 1'000'000'000; break;
    case 'm': unit = 1'000'000; break;
    case 'u': unit = 1'000; break;
    case 'n': unit = 1; break;
    default: return {};
    }
    if (value > std::numeric_limits<std::int64_t>::max() / unit) return duration::max();
    return duration{value * unit};
}

/// The same the other way round, in the finest unit for which eight digits are enough; rounded down, so that nobody is told more time than
/// there is.
class time_text {
public:
    explicit time_text(duration time) noexcept
    {
        struct unit {
            std::int64_t size;
            char name;
        };
        constexpr std::array<unit, 6> units{
            {{1, 'n'}, {1'000, 'u'}, {1'000'000, 'm'}, {1'000'000'000, 'S'}, {60'000'000'000, 'M'}, {3'600'000'000'000, 'H'}}};
        std::int64_t const whole = time.count() > 0 ? time.count() : 0;
        std::size_t i = 0;
        while (whole / units[i].size > 99'999'999) ++i;
        char* const end = std::to_chars(text_.data(), text_.data() + 8, whole / units[i].size).ptr;
        *end = units[i].name;
        size_ = static_cast<std::size_t>(end - text_.data()) + 1;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 9> text_;
    std::size_t size_;
};

} // namespace weir::inline v0
