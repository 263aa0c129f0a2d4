// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/result.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

namespace detail {

/// A time in milliseconds with as many digits as it needs: `"12.5 ms"`.
inline void append_text(std::string& to, duration d)
{
    auto const ns = static_cast<std::uint64_t>(d.count() < 0 ? -d.count() : d.count());
    if (d.count() < 0) to += '-';
    to += std::to_string(ns / 1'000'000);
    std::string rest = std::to_string(1'000'000 + ns % 1'000'000);
    rest[0] = '.';
    while (rest.back() == '0') rest.pop_back();
    if (rest != ".") to += rest;
    to += " ms";
}
inline void append_text(std::string& to, std::string_view text)
{
    to += text;
}
inline void append_text(std::string& to, errc e)
{
    to += to_string(e);
}
inline void append_text(std::string& to, error e)
{
    to += to_string(e.kind());
    if (e.retry_after().count() > 0) {
        to += ", retry after ";
        append_text(to, e.retry_after());
    }
}
void append_text(std::string& to, std::integral auto number)
{
    if constexpr (std::is_same_v<decltype(number), bool>)
        to += number ? "yes" : "no";
    else
        to += std::to_string(number);
}

} // namespace detail

/// One thing that happened: when, to whom, what.
struct timeline_entry {
    time_point at;
    std::string who;
    std::string what;
    bool operator==(timeline_entry const&) const = default;
};

/// What happened, in order. Its text has a line an entry, with the seconds since `start`:
/// ```
///     0.000 000 000  call 1  admitted by rate_limit
///     0.012 500 000  call 1  ended well
/// ```
class timeline {
public:
    explicit timeline(time_point start = {}) noexcept : start_(start) {}

    void add(time_point at, std::string who, std::string what) { entries_.push_back({at, std::move(who), std::move(what)}); }
    [[nodiscard]] std::vector<timeline_entry> const& entries() const noexcept { return entries_; }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }

    /// At most `most` lines; of more, those in the middle are left out.
    [[nodiscard]] std::string text(std::size_t most = 200) const
    {
        std::size_t width = 0;
        for (timeline_entry const& each : entries_) width = std::max(width, each.who.size());
        std::string lines;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_.size() > most && i == most / 2) {
                std::size_t const left_out = entries_.size() - most;
                lines += "    ... " + std::to_string(left_out) + " lines ...\n";
                i += left_out;
            }
            append_line(lines, entries_[i], width);
        }
        return lines;
    }

private:
    void append_line(std::string& to, timeline_entry const& entry, std::size_t width) const
    {
        auto const ns = static_cast<std::uint64_t>((entry.at - start_).count());
        std::string const whole = std::to_string(ns / 1'000'000'000);
        std::string const part = std::to_string(1'000'000'000 + ns % 1'000'000'000);
        to.append(whole.size() < 5 ? 5 - whole.size() : 0, ' ').append(whole);
        to.append(".").append(part, 1, 3).append(" ").append(part, 4, 3).append(" ").append(part, 7, 3);
        to.append("  ").append(entry.who).append(width - entry.who.size(), ' ').append("  ").append(entry.what).append("\n");
    }

    time_point start_;
    std::vector<timeline_entry> entries_;
};

} // namespace weir::inline v0
