// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/structured_view.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Structured Field Values for HTTP (RFC 9651): the values. `structured_parse.hpp` reads them, `structured_write.hpp` writes them.
namespace weir::inline v0::sf {

// What a bare item is made from, where a type of its own says what is meant.
/// A Decimal (section 3.3.2), kept exactly.
struct decimal {
    std::int64_t thousandths = 0; ///< -999'999'999'999'999 to 999'999'999'999'999
};
/// A Token (section 3.3.4): a short word, such as `gzip` or `*/*`.
struct token {
    std::string text;
};
/// A Byte Sequence (section 3.3.5), decoded.
struct bytes {
    std::string data;
};
/// A Date (section 3.3.7).
struct date {
    std::int64_t seconds = 0; ///< since 1970-01-01T00:00Z
};
/// A Display String (section 3.3.8): Unicode text in UTF-8, decoded.
struct display_string {
    std::string text;
};

/// A bare item: an Integer, a Decimal, a String, a Token, a Byte Sequence, a Boolean, a Date or a Display String. One number and one text
/// hold them all; `what()` says which it is.
class bare_item {
public:
    /// The integer 0.
    bare_item() = default;
    /// An Integer, or from a `bool` a Boolean.
    template<std::integral Number>
    bare_item(Number n) noexcept // NOLINT: implicit, as the values that it stands for
        : number_(static_cast<std::int64_t>(n)), what_(std::same_as<Number, bool> ? kind::boolean : kind::integer)
    {
    }
    bare_item(std::string text) noexcept : text_(std::move(text)), what_(kind::string) {}           // NOLINT: as above
    bare_item(decimal d) noexcept : number_(d.thousandths), what_(kind::decimal) {}                 // NOLINT
    bare_item(token t) noexcept : text_(std::move(t.text)), what_(kind::token) {}                   // NOLINT
    bare_item(bytes b) noexcept : text_(std::move(b.data)), what_(kind::bytes) {}                   // NOLINT
    bare_item(date d) noexcept : number_(d.seconds), what_(kind::date) {}                           // NOLINT
    bare_item(display_string s) noexcept : text_(std::move(s.text)), what_(kind::display_string) {} // NOLINT

    [[nodiscard]] kind what() const noexcept { return what_; }
    [[nodiscard]] bool is(kind k) const noexcept { return what_ == k; }
    /// Of an integer its value, of a decimal its thousandths, of a date its seconds, of a boolean 0 or 1; else 0.
    [[nodiscard]] std::int64_t number() const noexcept { return number_; }
    /// Of a string, token or display string its text, of a byte sequence its bytes; else empty.
    [[nodiscard]] std::string const& text() const noexcept { return text_; }
    /// Whether it is the Boolean true, which stands for itself where a key has no value.
    [[nodiscard]] bool is_true() const noexcept { return what_ == kind::boolean && number_ != 0; }

    friend bool operator==(bare_item const& a, bare_item const& b) noexcept
    {
        return a.what_ == b.what_ && a.number_ == b.number_ && a.text_ == b.text_;
    }

private:
    std::string text_{};
    std::int64_t number_ = 0;
    kind what_ = kind::integer;
};

namespace detail {

/// Values by key, in the order in which they came; each key once. A look-up goes through them: they are few.
template<class Value>
class keyed_values {
public:
    struct entry {
        std::string key;
        Value value;
        friend bool operator==(entry const& a, entry const& b) { return a.key == b.key && a.value == b.value; }
    };

    /// The value of a key; null if it is not there.
    [[nodiscard]] Value const* find(std::string_view key) const noexcept
    {
        for (entry const& e : entries_)
            if (e.key == key) return &e.value;
        return nullptr;
    }
    /// Gives a key its value. One that is there keeps its place.
    void set(std::string_view key, Value value)
    {
        for (entry& e : entries_) {
            if (e.key != key) continue;
            e.value = std::move(value);
            return;
        }
        entries_.push_back(entry{std::string(key), std::move(value)});
    }

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
    [[nodiscard]] auto end() const noexcept { return entries_.end(); }
    friend bool operator==(keyed_values const& a, keyed_values const& b) { return a.entries_ == b.entries_; }

private:
    std::vector<entry> entries_;
};

} // namespace detail

/// What stands behind an item or an inner list: `;q=0.5;wide`.
using parameters = detail::keyed_values<bare_item>;

/// An Item: a bare item and its parameters.
struct item {
    bare_item value{};
    parameters params{};
    friend bool operator==(item const& a, item const& b) { return a.value == b.value && a.params == b.params; }
};
/// An Inner List: items between parentheses, and its own parameters.
struct inner_list {
    std::vector<item> items{};
    parameters params{};
    friend bool operator==(inner_list const& a, inner_list const& b) { return a.items == b.items && a.params == b.params; }
};

/// What lists and dictionaries are made of: an item or an inner list.
class member {
public:
    /// The item 0.
    member() = default;
    member(item i) noexcept : item_(std::move(i)) {}                             // NOLINT: implicit, as what it stands for
    member(inner_list l) noexcept : list_(std::move(l)), is_inner_list_(true) {} // NOLINT

    /// The item; null if it is an inner list.
    [[nodiscard]] item const* as_item() const noexcept { return is_inner_list_ ? nullptr : &item_; }
    /// The inner list; null if it is an item.
    [[nodiscard]] inner_list const* as_list() const noexcept { return is_inner_list_ ? &list_ : nullptr; }
    friend bool operator==(member const& a, member const& b)
    {
        return a.is_inner_list_ == b.is_inner_list_ && a.item_ == b.item_ && a.list_ == b.list_;
    }

private:
    item item_{};
    inner_list list_{};
    bool is_inner_list_ = false;
};
/// A List.
using list = std::vector<member>;
/// A Dictionary.
using dictionary = detail::keyed_values<member>;

} // namespace weir::inline v0::sf
