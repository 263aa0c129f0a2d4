// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/read_query.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

template<fixed_string Pattern>
struct in_path;
template<auto Member, fixed_string Name>
struct in_header;

namespace advice {
template<class T>
struct parameters {
    struct have_one_path_at_most;
    template<class Path>
    struct have_a_member_for_each_name_in_braces_of;
    template<class Header>
    struct have_no_described_member_that_is_named_by;
    template<class Source>
    struct are_taken_from_weir_in_path_and_weir_in_header_and_not_from;
};
} // namespace advice

namespace detail {

/// Where a member of a struct of parameters comes from.
struct parameter_source {
    std::string_view member, where, name;
    json_member const* into = nullptr;
};

/// Takes the next segment of a path off the front; false at its end.
constexpr bool next_segment(std::string_view& path, std::string_view& segment) noexcept
{
    if (!path.starts_with('/')) return false;
    path.remove_prefix(1);
    segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return true;
}
constexpr bool in_braces(std::string_view segment) noexcept
{
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

inline bool store_member(json_member const& m, void* into, std::string_view text)
{
    void* place = m.in(into);
    bool const optional = m.shape->kind == json_kind::optional;
    if (optional) place = m.shape->reach(place, 0, {});
    return store_parameter(optional ? *m.shape->inner : *m.shape, place, text);
}
[[gnu::cold]] inline void not_stored(json_member const& m, violations& wrong, std::string_view more = {})
{
    json_shape const& s = m.shape->kind == json_kind::optional ? *m.shape->inner : *m.shape;
    wrong.add({"query", std::string(m.name), expected_of(s).append(more)});
}

/// Fills the members of a path. False if it has another form.
inline bool read_path(std::string_view target, std::string_view pattern, std::span<parameter_source const> all, void* into,
                      violations& wrong)
{
    if (pattern.empty()) return true;
    target = target.substr(0, target.find('?'));
    if (auto const scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
        auto const path = target.find('/', scheme + 3);
        target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    auto const value_of = [](std::string_view text) {
        return text.find('%') == std::string_view::npos ? std::optional<std::string>(text) : decode_percent(text);
    };
    for (std::string_view wanted, got;;) {
        bool const more = next_segment(pattern, wanted);
        if (more != next_segment(target, got)) return false;
        if (!more) return target.empty();
        auto const value = value_of(got);
        if (!in_braces(wanted)) {
            if (value != wanted) return false;
            continue;
        }
        for (parameter_source const& s : all)
            if (s.member == wanted.substr(1, wanted.size() - 2))
                if (!value || value->empty() || !store_member(*s.into, into, *value)) not_stored(*s.into, wrong);
    }
}
inline void read_header(single_field const& field, json_member const& m, void* into, violations& wrong)
{
    auto const& [value, repeated] = field;
    if (repeated) {
        not_stored(m, wrong, ", which stands there once");
    } else if (!value) {
        if (m.shape->kind != json_kind::optional) not_stored(m, wrong, ", which is missing");
    } else if (!store_member(m, into, trim_blanks(*value)))
        not_stored(m, wrong);
}
/// What was told by the names of members is told by those of the parameters.
[[gnu::cold]] inline void tell_sources(violations& wrong, std::span<parameter_source const> all)
{
    for (violation& v : wrong.list)
        for (parameter_source const& s : all)
            if (v.name == s.member) {
                v.where = s.where;
                v.name = s.name;
                break;
            }
}

template<class Source>
struct as_path {
    static constexpr std::string_view pattern{};
};
template<fixed_string Pattern>
struct as_path<in_path<Pattern>> {
    static constexpr std::string_view pattern = Pattern.view();
};
template<class Source>
struct as_header {
    template<class T>
    static constexpr std::string_view member_of{};
    static constexpr std::string_view name{};
};
template<auto Member, fixed_string Name>
struct as_header<in_header<Member, Name>> {
    template<class T>
    static constexpr std::string_view member_of = name_of_member<T, Member>();
    static constexpr std::string_view name = Name.view();
};

/// What the sources of a struct come to.
template<class T, class... Sources>
struct parameter_sources {
    static constexpr std::size_t size = json_object<T>::size;
    static constexpr std::string_view path = [] {
        std::string_view found;
        ((found = as_path<Sources>::pattern.empty() ? found : as_path<Sources>::pattern), ...);
        return found;
    }();
    static constexpr bool reads_headers = (!as_header<Sources>::name.empty() || ...);
    using reads = std::conditional_t<reads_headers, reads_request<customisation::target_fn, customisation::header_fn>,
                                     reads_request<customisation::target_fn>>;

    static constexpr bool path_has(std::string_view member) noexcept
    {
        std::string_view rest = path, segment;
        while (next_segment(rest, segment))
            if (in_braces(segment) && segment.substr(1, segment.size() - 2) == member) return true;
        return false;
    }
    static constexpr std::array<parameter_source, size> all = [] {
        std::array<parameter_source, size> made{};
        for (std::size_t i = 0; i < size; ++i) {
            std::string_view const member = json_object<T>::members[i].name;
            made[i] = {member, path_has(member) ? "path" : "query", member, &json_object<T>::members[i]};
            auto const look = [&]<class Source>(std::type_identity<Source>) {
                if (as_header<Source>::template member_of<T> == member) made[i].where = "header", made[i].name = as_header<Source>::name;
            };
            (look(std::type_identity<Sources>{}), ...);
        }
        return made;
    }();

    static constexpr std::size_t in_query = [] {
        std::size_t n = 0;
        for (parameter_source const& s : all) n += s.where == "query";
        return n;
    }();
    /// The members that the query fills, numbered anew.
    static constexpr auto query_members = [] {
        std::array<json_member, in_query + 1> made{};
        std::size_t n = 0;
        for (std::size_t i = 0; i < size; ++i)
            if (all[i].where == "query") {
                made[n] = json_object<T>::members[i];
                made[n].bit = std::uint64_t{1} << n;
                ++n;
            }
        made[n] = json_end;
        return made;
    }();
    static constexpr json_shape query_shape = [] {
        json_shape s;
        s.kind = json_kind::object;
        s.members = query_members.data();
        s.count = in_query;
        s.highest = 0;
        for (std::size_t i = 0, n = 0; i < size; ++i)
            if (all[i].where == "query") s.highest |= (json_object<T>::required >> i & 1) << n++;
        return s;
    }();

    template<class F>
    static void each_header([[maybe_unused]] F f)
    {
        for (std::size_t i = 0; reads_headers && i < size; ++i)
            if (all[i].where == "header") f(i, all[i].name);
    }

    template<class Source>
    static constexpr bool checked_source() noexcept
    {
        if constexpr (!as_header<Source>::name.empty()) {
            if constexpr (as_header<Source>::template member_of<T>.empty())
                static_cast<void>(sizeof(typename advice::parameters<T>::template have_no_described_member_that_is_named_by<Source>));
        } else if constexpr (as_path<Source>::pattern.empty())
            static_cast<void>(
                sizeof(typename advice::parameters<T>::template are_taken_from_weir_in_path_and_weir_in_header_and_not_from<Source>));
        else {
            constexpr bool good = [] {
                std::string_view rest = as_path<Source>::pattern, segment;
                while (next_segment(rest, segment)) {
                    bool there = !in_braces(segment);
                    for (std::size_t i = 0; i < size; ++i)
                        there = there || json_object<T>::members[i].name == segment.substr(1, segment.size() - 2);
                    if (!there) return false;
                }
                return rest.empty();
            }();
            if constexpr (!good)
                static_cast<void>(sizeof(typename advice::parameters<T>::template have_a_member_for_each_name_in_braces_of<Source>));
        }
        return true;
    }
    static constexpr bool checked() noexcept
    {
        if constexpr (((as_path<Sources>::pattern.empty() ? 0 : 1) + ... + 0) > 1)
            static_cast<void>(sizeof(typename advice::parameters<T>::have_one_path_at_most));
        return (checked_source<Sources>() && ...);
    }
};

} // namespace detail

} // namespace weir::inline v0
