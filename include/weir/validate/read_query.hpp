// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/check_rules.hpp>
#include <weir/validate/detail/json_shape.hpp>
#include <weir/validate/detail/json_store.hpp>
#include <weir/validate/detail/json_text.hpp>
#include <weir/validate/number.hpp>
#include <weir/validate/query.hpp>
#include <weir/validate/violation.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class T>
struct query {
    struct is_read_into_a_struct__describe_it_with_BOOST_DESCRIBE_STRUCT;
};
template<auto Member>
struct parameter {
    template<class T>
    struct is_not_one_value__give_it_a_number_a_text_a_bool_an_enumeration_or_an_optional_of_one;
};
} // namespace advice

struct query_options {
    bool ignore_unknown_parameters = false; ///< take queries with parameters that the struct does not have
};

namespace detail {

/// Whether one text can say it.
template<class T>
constexpr bool is_parameter() noexcept
{
    if constexpr (json_optional<T>)
        return is_parameter<typename T::value_type>() && !json_optional<typename T::value_type>;
    else
        return json_formed<T> ? is_json<T>() : json_scalar<T>;
}
template<class T>
constexpr bool checked_query() noexcept
{
    if constexpr (!json_struct<T>)
        return sizeof(typename advice::query<T>::is_read_into_a_struct__describe_it_with_BOOST_DESCRIBE_STRUCT) != 0;
    else
        boost::mp11::mp_for_each<json_members<T>>([]<class D>(D) {
            using member = json_member_t<T, D>;
            if constexpr (!is_parameter<member>())
                static_cast<void>(
                    sizeof(typename advice::parameter<D::pointer>::
                               template is_not_one_value__give_it_a_number_a_text_a_bool_an_enumeration_or_an_optional_of_one<member>));
        });
    return true;
}

/// Stores a text as a value of a shape, by the first of its readings that fits.
inline bool store_parameter(json_shape const& s, void* into, std::string_view text)
{
    json_kind const kind = s.kind == json_kind::formed ? s.inner->kind : s.kind;
    if (kind == json_kind::text || kind == json_kind::named) return is_utf8(text) && store_text(s, into, text);
    if (kind == json_kind::boolean) return (text == "true" || text == "false") && store_bool(s, into, text == "true");
    if (text.starts_with('-')) {
        if (auto const number = parse_number<std::int64_t>(text))
            return store_integer(s, into, number.value, static_cast<std::uint64_t>(number.value), true);
    } else if (auto const number = parse_number<std::uint64_t>(text))
        return store_integer(s, into, 0, number.value, false);
    if (kind != json_kind::real || text.find_first_not_of("0123456789.eE-") != std::string_view::npos) return false;
    double near = 0;
    auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), near);
    return fault == std::errc{} && end == text.data() + text.size() && store_real(s, into, near, text);
}

inline void read_query(std::string_view path_and_query, void* into, json_shape const& shape, query_options const& o, violations& found)
{
    auto const wrong = [&](std::string_view name, std::string expected) {
        return found.add({"query", std::string(name), std::move(expected)});
    };
    std::uint64_t seen = 0;
    bool told_unknown = o.ignore_unknown_parameters;
    std::size_t const question = path_and_query.find('?');
    std::string_view rest = question == std::string_view::npos ? std::string_view{} : path_and_query.substr(question + 1);
    while (!rest.empty() && !found.more) {
        std::string_view const pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(pair.size() == rest.size() ? rest.size() : pair.size() + 1);
        std::size_t const equals = pair.find('=');
        std::string_view name = pair.substr(0, equals);
        std::optional<std::string> decoded;
        if (name.find('%') != std::string_view::npos) {
            decoded = decode_percent(name);
            name = decoded ? std::string_view(*decoded) : std::string_view{};
        }
        json_member const* m = shape.members;
        while (m != shape.members + shape.count && !same_text(m->name, name)) ++m;
        if (m == shape.members + shape.count) {
            if (std::exchange(told_unknown, true)) continue;
            std::string names(unknown_parameters);
            names += shape.count == 0 ? "" : " but ";
            for (std::size_t i = 0; i < shape.count; ++i) (names += i == 0 ? "" : ", ") += shape.members[i].name;
            wrong({}, std::move(names));
        } else if ((std::exchange(seen, seen | m->bit) & m->bit) != 0)
            wrong(m->name, "one value, not the same parameter twice");
        else {
            auto const value = decode_percent(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
            void* place = m->in(into);
            json_shape const& wanted = m->shape->kind == json_kind::optional ? *m->shape->inner : *m->shape;
            if (value && m->shape->kind == json_kind::optional) place = m->shape->reach(place, 0, {});
            if (!value || !store_parameter(wanted, place, *value)) wrong(m->name, expected_of(wanted));
        }
    }
    for (std::uint64_t left = shape.highest & ~seen; left != 0 && !found.more; left &= left - 1) {
        json_member const& m = shape.members[std::countr_zero(left)];
        wrong(m.name, expected_of(*m.shape) + ", which is missing");
    }
}

} // namespace detail

/// Reads the query of a request target, as in `/quotes?symbol=ACME&depth=5`, into a described struct, strictly, and tells all faults at once:
/// `violations` where `where` is `"query"` and `name` the parameter.
///
/// A member is `bool` (`true`, `false`), a number, a text, a described enumeration, a type with a `json_form` over one of these, or an
/// optional of one, which may be left out. Each parameter stands once, in any order; no others, unless the options say so. Names and
/// values are decoded as in `find_query`; text is UTF-8. Integers are written in the one way that `parse_number` takes. The rules of the struct
/// (see `rules`) are enforced with it.
///
/// Costs one pass, a comparison of lengths for each member and parameter, and an allocation where a value is long. Thread-safe.
template<class T>
[[nodiscard]] violations read_query(std::string_view path_and_query, T& into, query_options const& options = {})
{
    static_assert(detail::checked_query<T>());
    violations found;
    detail::read_query(path_and_query, &into, detail::json_shape_of<T>, options, found);
    detail::check_rules(into, found, "query", false);
    return found;
}

} // namespace weir::inline v0
