// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>

#include <cstddef>

namespace weir::inline v0 {

/// How much JSON is read, and how strictly. What is beyond a limit is refused; nothing is cut off.
struct json_options {
    /// The deepest that may be asked for: the parser calls itself once a level.
    static constexpr std::size_t most_levels = 64;

    std::size_t bytes = 1'048'576;       ///< the longest text
    std::size_t levels = 32;             ///< arrays and objects inside each other; from 1 to `most_levels`
    std::size_t values = 10'000;         ///< values in the whole text, arrays and objects counted: it bounds the memory of what is read
    std::size_t members = 10'000;        ///< members of one object; those of a struct are at most 64 anyway
    std::size_t text_bytes = 1'048'576;  ///< of one string or name
    bool ignore_unknown_members = false; ///< take objects with members that the struct does not have; their values are not kept

    friend bool operator==(json_options const&, json_options const&) = default;
};

/// Throws `std::invalid_argument` that names the member that is out of its range.
inline json_options const& checked(json_options const& o)
{
    expect(o.bytes >= 1, "json.bytes", "at least 1");
    expect(o.levels >= 1 && o.levels <= json_options::most_levels, "json.levels", "from 1 to 64");
    expect(o.values >= 1, "json.values", "at least 1");
    expect(o.members >= 1, "json.members", "at least 1");
    expect(o.text_bytes >= 1, "json.text_bytes", "at least 1");
    return o;
}

} // namespace weir::inline v0
