// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/throw_exception.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

/// Reported with a refusal: what was wrong with the request, and what would be right. The HTTP edge writes it into the problem document.
///
/// All of it may be shown to a stranger: it holds nothing of what the request said, and nothing of a secret.
struct violation {
    std::string_view where; ///< `"header"`, `"query"`, `"body"` or `"signature"`; a literal
    std::string name;       ///< the header or parameter; of a JSON body the pointer to the value (RFC 6901); empty if it is the whole
    std::string expected;   ///< `"a number from 1 to 100"`
    friend bool operator==(violation const&, violation const&) = default;
};

/// All that was wrong, in the order in which it was found: what a check reports that goes on after the first fault, such as
/// `read_json`. Bounded, so that a stranger who sends a thousand faults is not answered by a thousand sentences. An empty one, which is what
/// a good request costs, allocates nothing.
struct violations {
    static constexpr std::size_t most = 32;

    std::vector<violation> list{}; ///< the first ones, at most `most`
    bool more = false;             ///< whether there was one beyond them, which ended the check

    [[nodiscard]] bool empty() const noexcept { return list.empty(); }
    /// Adds one if there is room, else remembers that there are more. Returns whether it was added.
    bool add(violation v)
    {
        more = more || list.size() == most;
        if (!more) list.push_back(std::move(v));
        return !more;
    }
    friend bool operator==(violations const&, violations const&) = default;
};

namespace detail {
/// What a reader says of an object with a member that it does not know: it read the others.
inline constexpr std::string_view unknown_members = "no members";
inline constexpr std::string_view unknown_parameters = "no parameters";
} // namespace detail

/// A sentence about one: `"query limit: expected a number from 1 to 100"`.
[[nodiscard]] inline std::string to_string(violation const& v)
{
    std::string sentence(v.where);
    if (!v.name.empty()) (sentence += ' ') += v.name;
    return (sentence += ": expected ") += v.expected;
}

/// The sentences of all, with semicolons between.
[[nodiscard]] inline std::string to_string(violations const& all)
{
    std::string text;
    for (violation const& v : all.list) (text += text.empty() ? "" : "; ") += to_string(v);
    return all.more ? text += "; and more" : text;
}

/// Found by `value()` of a `boost::system::result<T, violations>`: throws `std::invalid_argument` with the sentences.
[[noreturn]] inline void throw_exception_from_error(violations const& all, boost::source_location const& where)
{
    boost::throw_exception(std::invalid_argument(to_string(all)), where);
}

} // namespace weir::inline v0
