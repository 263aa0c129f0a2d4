// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/structured_value.hpp>
#include <weir/sign/structured_view.hpp>

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <boost/throw_exception.hpp>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::sf {

/// Found by `value()` of a `boost::system::result<T, fault>`: throws `std::invalid_argument` with the sentence.
[[noreturn]] inline void throw_exception_from_error(fault f, boost::source_location const& where)
{
    boost::throw_exception(std::invalid_argument(to_string(f)), where);
}

/// What was read, or the first fault.
template<class T>
using parsed = boost::system::result<T, fault>;

namespace detail {

/// Makes values from the parts of a field.
class builder {
public:
    explicit builder(std::vector<part> const& parts) noexcept : at_(parts.data()), end_(at_ + parts.size()) {}

    void build(item& into) { read_item(into); }
    void build(list& into)
    {
        while (at_ != end_) into.push_back(read_member());
    }
    void build(dictionary& into)
    {
        while (at_ != end_) {
            std::string_view const key = at_->key;
            into.set(key, read_member());
        }
    }

private:
    member read_member()
    {
        if (at_->what != kind::inner_list) {
            item one;
            read_item(one);
            return one;
        }
        inner_list several;
        ++at_;
        while (at_ != end_ && at_->of == level::element) read_item(several.items.emplace_back());
        read_parameters(several.params, level::list_parameter);
        return several;
    }
    void read_item(item& into)
    {
        into.value = bare(*at_++);
        read_parameters(into.params, level::parameter);
    }
    void read_parameters(parameters& into, level of)
    {
        for (; at_ != end_ && at_->of == of; ++at_) into.set(at_->key, bare(*at_));
    }
    static bare_item bare(part const& p)
    {
        switch (p.what) {
        case kind::decimal: return decimal{p.number};
        case kind::string: return plain_text(p);
        case kind::token: return token{std::string(p.text)};
        case kind::bytes: return bytes{from_base64(p.text).value_or("")};
        case kind::boolean: return p.number != 0;
        case kind::date: return date{p.number};
        case kind::display_string: {
            display_string s;
            append_display(s.text, p.text);
            return s;
        }
        default: return p.number;
        }
    }

    part const *at_, *end_;
};

template<class T>
parsed<T> built(std::optional<fault> const& found, std::vector<part> const& parts)
{
    if (found) return *found;
    T value;
    builder(parts).build(value);
    return value;
}

} // namespace detail

/// Reads an Item (RFC 9651, section 4.2.3). Cost: that of `scan_item`, and an allocation for each text beyond 15 characters.
[[nodiscard]] inline parsed<item> parse_item(std::string_view text, parse_options const& options = {})
{
    std::vector<part> parts;
    auto const found = scan_item(text, parts, options);
    return detail::built<item>(found, parts);
}
/// Reads a List (section 4.2.1); an empty text is an empty one.
[[nodiscard]] inline parsed<list> parse_list(std::string_view text, parse_options const& options = {})
{
    std::vector<part> parts;
    auto const found = scan_list(text, parts, options);
    return detail::built<list>(found, parts);
}
/// Reads a Dictionary (section 4.2.2); an empty text is an empty one.
[[nodiscard]] inline parsed<dictionary> parse_dictionary(std::string_view text, parse_options const& options = {})
{
    std::vector<part> parts;
    auto const found = scan_dictionary(text, parts, options);
    return detail::built<dictionary>(found, parts);
}

} // namespace weir::inline v0::sf
