// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/json_form.hpp>

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace weir::inline v0 {

namespace advice {
template<class T>
struct json {
    struct does_not_have_this_type__describe_it_with_BOOST_DESCRIBE_STRUCT_or_specialise_weir_json_form;
    struct is_read_into_a_default_constructed_value__give_it_a_default_constructor;
    struct has_at_most_64_members_a_struct__nest_some_of_them;
};
template<auto Member>
struct member {
    template<class T>
    struct is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form;
};
} // namespace advice

namespace detail {

template<class T>
concept json_formed = requires
{
    typename json_form<T>::type;
};
template<class T>
concept json_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
                       !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;
template<class T>
concept json_real = std::same_as<T, float> || std::same_as<T, double>;
template<class T>
concept json_named = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;
template<class T>
concept json_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template<class T>
constexpr bool is_json_optional = false;
template<class T>
constexpr bool is_json_optional<std::optional<T>> = true;
template<class T>
concept json_optional = is_json_optional<T>;

template<class T>
constexpr bool is_json_list = false;
template<class T, class Allocator>
constexpr bool is_json_list<std::vector<T, Allocator>> = true;
template<class T>
concept json_list = is_json_list<T>;

template<class T>
constexpr bool is_json_array = false;
template<class T, std::size_t Size>
constexpr bool is_json_array<std::array<T, Size>> = true;
template<class T>
concept json_array = is_json_array<T>;

template<class T>
constexpr bool is_json_map = false;
template<class T, class Less, class Allocator>
constexpr bool is_json_map<std::map<std::string, T, Less, Allocator>> = true;
template<class T>
concept json_map = is_json_map<T>;

template<class T>
concept json_scalar = std::same_as<T, bool> || json_integer<T> || json_real<T> || std::same_as<T, std::string> || json_named<T>;

/// Whether JSON has such a value. The members of a struct are looked at where the struct is, so that a sentence can name them.
template<class T>
constexpr bool is_json() noexcept
{
    if constexpr (json_formed<T>)
        return json_scalar<typename json_form<T>::type>;
    else if constexpr (json_optional<T> || json_list<T> || json_array<T>)
        return is_json<typename T::value_type>();
    else if constexpr (json_map<T>)
        return is_json<typename T::mapped_type>();
    else
        return json_scalar<T> || json_struct<T>;
}

/// The described members of a struct, those of its described bases first.
template<class T>
using json_members = boost::describe::describe_members<T, static_cast<unsigned>(boost::describe::mod_public) |
                                                              static_cast<unsigned>(boost::describe::mod_inherited)>;
template<class T, class Descriptor>
using json_member_t = std::remove_cvref_t<decltype(std::declval<T&>().*Descriptor::pointer)>;

/// Says in the compiler's first line which type is not JSON's, or which member of a described struct has one that is not.
template<class T>
constexpr bool checked_json() noexcept
{
    if constexpr (!is_json<T>())
        return sizeof(typename advice::json<
                      T>::does_not_have_this_type__describe_it_with_BOOST_DESCRIBE_STRUCT_or_specialise_weir_json_form) != 0;
    else if constexpr (json_struct<T> && !json_formed<T>) {
        if constexpr (boost::mp11::mp_size<json_members<T>>::value > 64)
            return sizeof(typename advice::json<T>::has_at_most_64_members_a_struct__nest_some_of_them) != 0;
        boost::mp11::mp_for_each<json_members<T>>([]<class D>(D) {
            using member = json_member_t<T, D>;
            if constexpr (!is_json<member>())
                static_cast<void>(
                    sizeof(typename advice::member<
                           D::pointer>::template is_of_a_type_that_json_does_not_have__describe_it_or_specialise_weir_json_form<member>));
        });
    }
    return true;
}

} // namespace detail

} // namespace weir::inline v0
