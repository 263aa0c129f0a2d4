// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/json_text.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What a `strict_json` takes; what is beyond a limit is refused whole.
struct strict_json_limits {
    /// The deepest that may be asked for.
    static constexpr std::size_t most_levels = 64;

    std::size_t bytes = 65'536; ///< the longest text; below 2^32
    std::size_t levels = 16;    ///< arrays and objects inside each other; at most `most_levels`
    std::size_t values = 1'024; ///< values in the whole text, arrays and objects counted
};

/// Why a text is not read.
enum class strict_json_fault : std::uint8_t {
    none,
    too_long,         ///< more bytes than the limit
    too_deep,         ///< more levels than the limit
    too_many,         ///< more values than the limit
    grammar,          ///< no JSON (RFC 8259), or something after it
    encoding,         ///< a text that is not UTF-8, or has half of a surrogate pair
    number,           ///< an integer outside of 64 bits with sign, or a number that a `double` cannot hold
    duplicate_member, ///< an object with two members of one name, however written
};

class strict_json;

/// A value in a `strict_json`, or none: a pointer and a number, passed by value. Valid until the document reads another text, moves
/// or ends. Asking for what it is not gives nothing, so a missing member and one of another type are told by one check.
class json_view {
public:
    enum class kind : std::uint8_t { none, null, boolean, integer, real, text, list, object };
    class iterator;

    /// No value.
    constexpr json_view() noexcept = default;
    [[nodiscard]] kind what() const noexcept;
    /// Whether there is a value; `null` is one.
    [[nodiscard]] explicit operator bool() const noexcept { return document_ != nullptr; }
    [[nodiscard]] bool is_object() const noexcept { return what() == kind::object; }
    [[nodiscard]] bool is_list() const noexcept { return what() == kind::list; }
    [[nodiscard]] bool is_null() const noexcept { return what() == kind::null; }

    [[nodiscard]] std::optional<std::string_view> text() const noexcept;
    /// A number without fraction or exponent.
    [[nodiscard]] std::optional<std::int64_t> integer() const noexcept;
    /// Any number; an integer beyond 2^53 is rounded.
    [[nodiscard]] std::optional<double> number() const noexcept;
    [[nodiscard]] std::optional<bool> boolean() const noexcept;

    /// The member of an object with this name; none if there is none, or this is no object. Looks at each member in turn.
    [[nodiscard]] json_view operator[](std::string_view name) const noexcept;
    /// The name of a member; empty for what is no member.
    [[nodiscard]] std::string_view name() const noexcept;
    /// How many members or elements; 0 for what is neither object nor list.
    [[nodiscard]] std::size_t size() const noexcept;
    /// The members or elements, in the order of the text.
    [[nodiscard]] iterator begin() const noexcept;
    [[nodiscard]] iterator end() const noexcept;

private:
    friend class strict_json;
    json_view(strict_json const& document, std::uint32_t at) noexcept : document_(&document), at_(at) {}

    strict_json const* document_ = nullptr;
    std::uint32_t at_ = 0;
};

class json_view::iterator {
public:
    using value_type = json_view;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    iterator() noexcept = default;
    explicit iterator(json_view at) noexcept : at_(at) {}
    json_view operator*() const noexcept { return at_; }
    iterator& operator++() noexcept;
    iterator operator++(int) noexcept { return std::exchange(*this, iterator(*this).operator++()); }
    bool operator==(iterator const& other) const noexcept { return at_.at_ == other.at_.at_; }

private:
    json_view at_;
};

/// A JSON text of any form, read where a wrong reading costs security: keys, tokens, what was signed. Two readers must not
/// understand one text differently, so it refuses what others mend or guess (RFC 8259, and RFC 7493 with integers of 64 bits):
/// duplicate members, also if one is written with escapes; what is not UTF-8, a byte order mark, half a surrogate pair; an integer outside of 64 bits,
/// a number that a `double` cannot hold; anything behind the value; what is beyond the limits.
///
/// One pass, without recursion, about 1 ns a byte. Texts are unescaped in place; a value is 32 bytes in one array. Both are kept
/// for the next text, so a document that is used again allocates nothing. For structs of your own `read_json` is the reader.
class strict_json {
public:
    /// The text to be read; `parse` writes over it.
    [[nodiscard]] std::string& buffer() noexcept { return buffer_; }
    /// Reads what is in `buffer()`. After a fault there is no value.
    [[nodiscard]] strict_json_fault parse(strict_json_limits const& limits = {});
    /// Reads a copy of `text`.
    [[nodiscard]] strict_json_fault read(std::string_view text, strict_json_limits const& limits = {})
    {
        if (text.size() > limits.bytes) return nodes_.clear(), strict_json_fault::too_long;
        buffer_.assign(text);
        return parse(limits);
    }
    /// The outermost value; none if nothing was read.
    [[nodiscard]] json_view root() const noexcept { return nodes_.empty() ? json_view() : json_view(*this, 0); }

private:
    friend class json_view;
    class parser;

    struct node {
        std::uint32_t at = 0;   // of a text
        std::uint32_t size = 0; // of a text: bytes; of a list or object: what is directly in it
        std::uint32_t name_at = 0, name_size = 0;
        std::uint32_t next = 0; // the node behind this value and all that is in it
        json_view::kind kind = json_view::kind::null;
        union {
            std::int64_t integer = 0;
            double real;
        };
    };
    [[nodiscard]] std::string_view slice(std::uint32_t at, std::uint32_t size) const noexcept { return {buffer_.data() + at, size}; }

    std::string buffer_;
    std::vector<node> nodes_;
};

inline json_view::kind json_view::what() const noexcept
{
    return document_ == nullptr ? kind::none : document_->nodes_[at_].kind;
}
inline std::optional<std::string_view> json_view::text() const noexcept
{
    if (what() != kind::text) return std::nullopt;
    return document_->slice(document_->nodes_[at_].at, document_->nodes_[at_].size);
}
inline std::optional<std::int64_t> json_view::integer() const noexcept
{
    if (what() != kind::integer) return std::nullopt;
    return document_->nodes_[at_].integer;
}
inline std::optional<double> json_view::number() const noexcept
{
    if (what() == kind::real) return document_->nodes_[at_].real;
    if (what() == kind::integer) return static_cast<double>(document_->nodes_[at_].integer);
    return std::nullopt;
}
inline std::optional<bool> json_view::boolean() const noexcept
{
    if (what() != kind::boolean) return std::nullopt;
    return document_->nodes_[at_].integer != 0;
}
inline json_view json_view::operator[](std::string_view name) const noexcept
{
    if (!is_object()) return {};
    for (json_view member : *this)
        if (detail::same_text(member.name(), name)) return member;
    return {};
}
inline std::string_view json_view::name() const noexcept
{
    if (document_ == nullptr) return {};
    auto const& n = document_->nodes_[at_];
    return document_->slice(n.name_at, n.name_size);
}
inline std::size_t json_view::size() const noexcept
{
    return is_object() || is_list() ? document_->nodes_[at_].size : 0;
}
inline json_view::iterator json_view::begin() const noexcept
{
    if (!is_object() && !is_list()) return end();
    return iterator(json_view(*document_, at_ + 1));
}
inline json_view::iterator json_view::end() const noexcept
{
    if (document_ == nullptr) return {};
    return iterator(json_view(*document_, document_->nodes_[at_].next));
}
inline json_view::iterator& json_view::iterator::operator++() noexcept
{
    at_.at_ = at_.document_->nodes_[at_.at_].next;
    return *this;
}

} // namespace weir::inline v0

#include <weir/validate/detail/strict_json_parser.hpp>
