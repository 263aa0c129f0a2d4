// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/structured_text.hpp>
#include <weir/sign/structured_view.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0::sf::detail {

/// Parts that follow each other: a member with all that is in it, or the parameters of something.
class part_range {
public:
    part_range() = default;
    part_range(part const* begin, part const* end) noexcept : begin_(begin), end_(end) {}
    part_range(std::vector<part> const& all, std::size_t first = 0) noexcept : begin_(all.data() + first), end_(all.data() + all.size())
    { // NOLINT: implicit
    }

    [[nodiscard]] part const* begin() const noexcept { return begin_; }
    [[nodiscard]] part const* end() const noexcept { return end_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

    /// The member at the beginning, with all that is in it.
    [[nodiscard]] part_range first_member() const noexcept
    {
        part const* at = begin_;
        while (++at != end_ && at->of != level::member) {}
        return {begin_, at};
    }
    /// Of these, from `from` on, those that are of a level without a break.
    [[nodiscard]] part_range run(part const* from, level of) const noexcept
    {
        part const* at = from;
        while (at != end_ && at->of == of) ++at;
        return {from, at};
    }
    /// The parts behind `first`, which lies within.
    [[nodiscard]] part_range after(part_range const& first) const noexcept { return {first.end_, end_}; }
    /// The last part of that level and key; null if there is none. A key that stands twice means its last value.
    [[nodiscard]] part const* find(level of, std::string_view key) const noexcept
    {
        part const* found = nullptr;
        for (part const* p = begin_; p != end_; ++p)
            if (p->of == of && p->key == key) found = p;
        return found;
    }
    /// The member of a key with all that is in it; empty if there is none.
    [[nodiscard]] part_range member(std::string_view key) const noexcept
    {
        part const* const found = find(level::member, key);
        return found == nullptr ? part_range() : part_range(found, end_).first_member();
    }

private:
    part const *begin_ = nullptr, *end_ = nullptr;
};

// Each appends the canonical text (RFC 9651, section 4.1): what was read always has one.
inline void append_bare(std::string& to, part const& p)
{
    switch (p.what) {
    case kind::string: to.append(1, '"').append(p.text).push_back('"'); break;
    case kind::token: to.append(p.text); break;
    case kind::bytes: to.append(1, ':').append(p.text).push_back(':'); break;
    case kind::boolean: to.append(p.number != 0 ? "?1" : "?0"); break;
    case kind::decimal: append_decimal(to, p.number); break;
    case kind::display_string: {
        std::string decoded;
        append_display(decoded, p.text);
        append_display_string(to, decoded);
        break;
    }
    default:
        if (p.what == kind::date) to.push_back('@');
        append_integer(to, p.number);
    }
}
inline void append_parameters(std::string& to, part_range params)
{
    for (part const& p : params) {
        if (part_range(params.begin(), &p).find(p.of, p.key) != nullptr) continue; // has its place already
        part const& last = *part_range(&p, params.end()).find(p.of, p.key);
        to.append(1, ';').append(p.key);
        if (last.what == kind::boolean && last.number != 0) continue;
        to.push_back('=');
        append_bare(to, last);
    }
}
/// An item, or an element of an inner list, with its parameters.
inline part const* append_item(std::string& to, part_range within, part const* at)
{
    append_bare(to, *at);
    part_range const params = within.run(at + 1, level::parameter);
    append_parameters(to, params);
    return params.end();
}
inline void append_member(std::string& to, part_range member)
{
    part const* at = member.begin();
    if (at->what != kind::inner_list) {
        append_item(to, member, at);
        return;
    }
    to.push_back('(');
    for (++at; at != member.end() && at->of == level::element;) {
        if (to.back() != '(') to.push_back(' ');
        at = append_item(to, member, at);
    }
    to.push_back(')');
    append_parameters(to, {at, member.end()});
}
inline void append_list(std::string& to, part_range all)
{
    for (bool first = true; !all.empty(); first = false) {
        part_range const member = all.first_member();
        if (!first) to.append(", ");
        append_member(to, member);
        all = all.after(member);
    }
}
inline void append_dictionary(std::string& to, part_range const all)
{
    for (part_range left = all; !left.empty();) {
        part_range const member = left.first_member();
        left = left.after(member);
        std::string_view const key = member.begin()->key;
        if (part_range(all.begin(), member.begin()).find(level::member, key) != nullptr) continue;
        if (member.begin() != all.begin()) to.append(", ");
        to.append(key);
        part_range const last = all.member(key);
        part const& value = *last.begin();
        if (value.what == kind::boolean && value.number != 0) {
            append_parameters(to, last.run(last.begin() + 1, level::parameter));
        } else {
            to.push_back('=');
            append_member(to, last);
        }
    }
}

} // namespace weir::inline v0::sf::detail
