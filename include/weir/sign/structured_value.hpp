// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/throw_exception.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Structured Field Values for HTTP (RFC 9651): the values. `structured_parse.hpp` reads them, `structured_write.hpp` writes them.
namespace weir::inline v0::sf {

/// A Decimal: up to twelve digits, a point, up to three digits (section 3.3.2). Kept exactly.
struct decimal {
    std::int64_t thousandths = 0; ///< -999'999'999'999'999 to 999'999'999'999'999
    friend bool operator==(decimal, decimal) = default;
};
/// A Token (section 3.3.4): a short word, such as `gzip` or `*/*`.
struct token {
    std::string text;
    friend bool operator==(token const&, token const&) = default;
};
/// A Byte Sequence (section 3.3.5), decoded.
struct bytes {
    std::string data;
    friend bool operator==(bytes const&, bytes const&) = default;
};
/// A Date (section 3.3.7).
struct date {
    std::int64_t seconds = 0; ///< since 1970-01-01T00:00Z
    friend bool operator==(date, date) = default;
};
/// A Display String (section 3.3.8): Unicode text in UTF-8, decoded.
struct display_string {
    std::string text;
    friend bool operator==(display_string const&, display_string const&) = default;
};

/// A bare item: an Integer of up to fifteen digits, a Decimal, a String of printable ASCII, a Token, a Byte Sequence, a Boolean, a Date or
/// a Display String.
using bare_item = std::variant<std::int64_t, decimal, std::string, token, bytes, bool, date, display_string>;

namespace detail {

template<class Entries>
auto* find_key(Entries& entries, std::string_view key) noexcept
{
    for (auto& e : entries)
        if (e.key == key) return &e.value;
    return static_cast<decltype(&entries.begin()->value)>(nullptr);
}

template<class Entries, class Value>
void set_key(Entries& entries, std::string_view key, Value value)
{
    if (auto* const old = find_key(entries, key)) {
        *old = std::move(value);
    } else {
        entries.push_back({std::string(key), std::move(value)});
    }
}

} // namespace detail

/// What stands behind an item or an inner list: `;q=0.5;wide`. In the order in which it came; a key stands once.
class parameters {
public:
    struct entry {
        std::string key;
        bare_item value;
        friend bool operator==(entry const&, entry const&) = default;
    };

    /// The value of a key; null if it is not there.
    [[nodiscard]] bare_item const* find(std::string_view key) const noexcept { return detail::find_key(entries_, key); }
    /// The value of a key if it is of that type: `p.get<std::int64_t>("created")`; null if it is not, or not there.
    template<class T>
    [[nodiscard]] T const* get(std::string_view key) const noexcept
    {
        bare_item const* const found = find(key);
        return found == nullptr ? nullptr : std::get_if<T>(found);
    }
    /// Gives a key its value. One that is there keeps its place.
    void set(std::string_view key, bare_item value) { detail::set_key(entries_, key, std::move(value)); }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
    [[nodiscard]] auto end() const noexcept { return entries_.end(); }
    friend bool operator==(parameters const&, parameters const&) = default;

private:
    std::vector<entry> entries_;
};

/// An Item: a bare item and its parameters.
struct item {
    bare_item value{};
    parameters params{};
    friend bool operator==(item const&, item const&) = default;
};
/// An Inner List: items between parentheses, and its own parameters.
struct inner_list {
    std::vector<item> items{};
    parameters params{};
    friend bool operator==(inner_list const&, inner_list const&) = default;
};
/// What lists and dictionaries are made of.
using member = std::variant<item, inner_list>;
/// A List.
using list = std::vector<member>;

/// A Dictionary. In the order in which it came; a key stands once. A look-up goes through it: dictionaries are short.
class dictionary {
public:
    struct entry {
        std::string key;
        member value;
        friend bool operator==(entry const&, entry const&) = default;
    };

    /// The value of a key; null if it is not there.
    [[nodiscard]] member const* find(std::string_view key) const noexcept { return detail::find_key(entries_, key); }
    /// The value of a key if it is an `item` or an `inner_list`, whichever is asked for; else null.
    template<class T>
    [[nodiscard]] T const* get(std::string_view key) const noexcept
    {
        member const* const found = find(key);
        return found == nullptr ? nullptr : std::get_if<T>(found);
    }
    /// Gives a key its value. One that is there keeps its place.
    void set(std::string_view key, member value) { detail::set_key(entries_, key, std::move(value)); }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
    [[nodiscard]] auto end() const noexcept { return entries_.end(); }
    friend bool operator==(dictionary const&, dictionary const&) = default;

private:
    std::vector<entry> entries_;
};

/// Why a text is no structured field: where, and what was expected there.
struct fault {
    std::size_t at = 0;          ///< the place in the text, from 0
    std::string_view expected{}; ///< `"a key"`; a literal
    friend bool operator==(fault, fault) = default;
};

/// A sentence: `"character 7: expected a key"`.
[[nodiscard]] inline std::string to_string(fault f)
{
    return "character " + std::to_string(f.at) + ": expected " + std::string(f.expected);
}

/// Found by `value()` of a `boost::system::result<T, fault>`: throws `std::invalid_argument` with the sentence.
[[noreturn]] inline void throw_exception_from_error(fault f, boost::source_location const& where)
{
    boost::throw_exception(std::invalid_argument(to_string(f)), where);
}

} // namespace weir::inline v0::sf
