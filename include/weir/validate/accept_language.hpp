// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/validate/detail/field_text.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace weir::inline v0 {

namespace detail {

/// A range of Accept-Language with its quality in thousandths.
struct language_range {
    std::string_view range{};
    int quality = 0;
};

/// `en`, `de-CH-1996`, `*` (RFC 4647 section 2.1).
constexpr bool is_language_range(std::string_view text) noexcept
{
    if (text == "*") return true;
    bool first = true;
    for (;;) {
        std::string_view const part = text.substr(0, text.find('-'));
        if (part.empty() || part.size() > 8) return false;
        for (char const c : part)
            if (!ascii_letter(c) && (first || !ascii_digit(c))) return false;
        if (part.size() == text.size()) return true;
        text.remove_prefix(part.size() + 1);
        first = false;
    }
}
/// `1`, `0.5`, `1.000` (RFC 9110 section 12.4.2) in thousandths; -1 if it is none.
constexpr int quality_of(std::string_view text) noexcept
{
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') || (text.size() > 1 && text[1] != '.')) return -1;
    int value = (text[0] - '0') * 1'000, unit = 100;
    for (char const c : text.substr(text.size() > 1 ? 2 : 1)) {
        if (!ascii_digit(c)) return -1;
        value += (c - '0') * unit;
        unit /= 10;
    }
    return value <= 1'000 ? value : -1;
}
/// The range, shorter by its last subtag, and by a single letter that then stands at its end (RFC 4647 section 3.4).
constexpr std::string_view truncated(std::string_view range) noexcept
{
    auto dash = range.rfind('-');
    if (dash == std::string_view::npos) return {};
    if (dash >= 2 && range[dash - 2] == '-') dash -= 2;
    return range.substr(0, dash);
}
/// Whether a tag is the range, or begins with it and a dash (RFC 4647 section 3.3.1).
constexpr bool in_range(std::string_view tag, std::string_view range) noexcept
{
    return tag.size() >= range.size() && same_ignoring_case(tag.substr(0, range.size()), range) &&
           (tag.size() == range.size() || tag[range.size()] == '-');
}

} // namespace detail

/// The best of the languages that are there for an Accept-Language field (RFC 9110 section 12.5.4), by lookup (RFC 4647 section 3.4): the ranges
/// in the order of their quality, each shortened until a language is its equal, `de-CH` to `de`. One of quality 0 is not chosen. `fallback` if none is, if the
/// field is empty, or says `*`. Elements that are malformed are passed over; the first 32 are read.
///
/// The result is one of `available`, or `fallback`. Allocates nothing.
[[nodiscard]] constexpr std::string_view choose_language(std::string_view field, detail::slice<std::string_view> available,
                                                         std::string_view fallback) noexcept
{
    std::array<detail::language_range, 32> ranges{};
    std::size_t count = 0;
    for (std::string_view rest = field; !rest.empty() && count < ranges.size();) {
        std::string_view element = rest.substr(0, rest.find(','));
        rest.remove_prefix(element.size() == rest.size() ? rest.size() : element.size() + 1);
        auto const semicolon = element.find(';');
        std::string_view const range = detail::trim_blanks(element.substr(0, semicolon));
        int quality = 1'000;
        if (semicolon != std::string_view::npos) {
            std::string_view const weight = detail::trim_blanks(element.substr(semicolon + 1));
            bool const named = weight.size() > 2 && detail::ascii_lower(weight[0]) == 'q' && weight[1] == '=';
            quality = named ? detail::quality_of(weight.substr(2)) : -1;
        }
        if (quality >= 0 && detail::is_language_range(range)) ranges[count++] = {range, quality};
    }
    auto const excluded = [&](std::string_view tag) {
        for (std::size_t i = 0; i < count; ++i)
            if (ranges[i].quality == 0 && detail::in_range(tag, ranges[i].range)) return true;
        return false;
    };
    for (std::size_t turn = 0; turn < count; ++turn) {
        std::size_t best = count;
        for (std::size_t i = 0; i < count; ++i)
            if (ranges[i].quality > 0 && (best == count || ranges[i].quality > ranges[best].quality)) best = i;
        if (best == count) break;
        for (std::string_view range = ranges[best].range; !range.empty(); range = detail::truncated(range))
            for (std::string_view const tag : available)
                if (detail::same_ignoring_case(tag, range) && !excluded(tag)) return tag;
        ranges[best] = {"x", -1};
    }
    return fallback;
}

} // namespace weir::inline v0
