// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/json_type.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

enum class json_kind : std::uint8_t { nothing, boolean, integer, real, text, named, formed, optional, list, array, map, object };

struct json_shape;

/// A value of a form's own type on its way into the form.
struct json_scratch {
    alignas(8) unsigned char bytes[8];
    std::string text{};
};

struct json_member {
    std::string_view name;
    json_shape const* shape;
    void* (*in)(void* object) noexcept;
    std::uint64_t bit; // its own among those of the struct
};

/// What a reader has to know of a type: one constant a type. So the parser, whose instantiation is long to compile, is one for all types,
/// and a struct costs a table. What a kind does not need is null.
struct json_shape {
    json_kind kind{};
    std::uint8_t bytes = 0;    // of an integer, a real or an enumeration
    std::int64_t lowest = 0;   // of an integer
    std::uint64_t highest = 0; // of an integer; the number of elements of an array; the members of an object that must be there
    std::size_t count = 0;     // of members or names
    json_member const* members = nullptr;
    std::string_view const* names = nullptr;                        // of an enumeration
    json_shape const* inner = nullptr;                              // of an element, or the form's own type
    void* (*reach)(void*, std::size_t, std::string_view) = nullptr; // the place of an element; null if a map has the key already
    void (*clear)(void*) = nullptr;                                 // an optional without a value, an empty list or map
    bool (*take)(void*, json_scratch&) = nullptr;                   // a form takes a value of its own type
    void (*choose)(void*, std::size_t) = nullptr;                   // the enumerator of that name
    std::string (*expected)() = nullptr;                            // of a form
};

/// Of what has no place.
inline constexpr json_shape json_nothing{};
/// Behind the last member, and instead of the members of a map: no name is as long.
inline constexpr json_member json_end{std::string_view("", std::string_view::npos), &json_nothing, nullptr, 0};

template<class T>
constexpr json_shape make_json_shape() noexcept;
template<class T>
inline constexpr json_shape json_shape_of = make_json_shape<T>();

template<class T>
constexpr json_shape integer_shape() noexcept
{
    return {.kind = json_kind::integer,
            .bytes = sizeof(T),
            .lowest = static_cast<std::int64_t>(std::numeric_limits<T>::min()),
            .highest = static_cast<std::uint64_t>(std::numeric_limits<T>::max())};
}

template<class T>
struct json_names;
template<json_named T>
struct json_names<T> {
    using all = boost::describe::describe_enumerators<T>;
    static constexpr auto list = []<class... D>(boost::mp11::mp_list<D...>) {
        return std::array<std::string_view, sizeof...(D)>{std::string_view(D::name)...};
    }(boost::mp11::mp_rename<all, boost::mp11::mp_list>{});
    static constexpr auto values = []<class... D>(boost::mp11::mp_list<D...>) {
        return std::array<T, sizeof...(D)>{D::value...};
    }(boost::mp11::mp_rename<all, boost::mp11::mp_list>{});
};

template<class T>
struct json_object {
    using all = boost::mp11::mp_rename<json_members<T>, boost::mp11::mp_list>;
    static constexpr std::size_t size = boost::mp11::mp_size<all>::value;
    static constexpr auto members = []<class... D>(boost::mp11::mp_list<D...>) {
        [[maybe_unused]] std::uint64_t bit = std::uint64_t{1} << 63;
        return std::array<json_member, sizeof...(D) + 1>{
            json_member{std::string_view(D::name), &json_shape_of<json_member_t<T, D>>,
                        [](void* object) noexcept -> void* { return &(static_cast<T*>(object)->*D::pointer); }, bit = std::rotl(bit, 1)}...,
            json_end};
    }(all{});
    static constexpr std::uint64_t required = []<class... D>(boost::mp11::mp_list<D...>) {
        std::uint64_t bits = 0, bit = 1;
        ((bits |= json_optional<json_member_t<T, D>> ? 0 : bit, bit <<= 1), ...);
        return bits;
    }(all{});
};

/// The element of a `vector<bool>` has no address: it is a form that pushes.
struct json_pushed_bool {
    template<class Vector>
    static constexpr json_shape const shape{.kind = json_kind::formed,
                                            .inner = &json_shape_of<typename Vector::value_type>,
                                            .take =
                                                [](void* into, json_scratch& from) {
                                                    static_cast<Vector*>(into)->push_back(from.bytes[0] != 0);
                                                    return true;
                                                },
                                            .expected = [] { return std::string("true or false"); }};
};

template<class T>
constexpr json_shape make_json_shape() noexcept
{
    static_assert(checked_json<T>());
    json_shape s;
    if constexpr (json_formed<T>) {
        using form = json_form<T>;
        using own = typename form::type;
        s.kind = json_kind::formed;
        s.inner = &json_shape_of<own>;
        s.take = [](void* into, json_scratch& from) -> bool {
            if constexpr (std::is_same_v<own, std::string>)
                return form::read(from.text, *static_cast<T*>(into));
            else {
                own value;
                std::memcpy(&value, from.bytes, sizeof value);
                return form::read(value, *static_cast<T*>(into));
            }
        };
        s.expected = [] {
            if constexpr (requires { form::expected(); })
                return std::string(form::expected());
            else
                return std::string(form::expected);
        };
    } else if constexpr (std::is_same_v<T, bool>)
        s.kind = json_kind::boolean;
    else if constexpr (json_integer<T>)
        s = integer_shape<T>();
    else if constexpr (json_real<T>) {
        s.kind = json_kind::real;
        s.bytes = sizeof(T);
    } else if constexpr (std::is_same_v<T, std::string>)
        s.kind = json_kind::text;
    else if constexpr (json_named<T>) {
        s.kind = json_kind::named;
        s.names = json_names<T>::list.data();
        s.count = json_names<T>::list.size();
        s.choose = [](void* into, std::size_t at) { *static_cast<T*>(into) = json_names<T>::values[at]; };
    } else if constexpr (json_optional<T>) {
        s.kind = json_kind::optional;
        s.inner = &json_shape_of<typename T::value_type>;
        s.reach = [](void* o, std::size_t, std::string_view) -> void* { return &static_cast<T*>(o)->emplace(); };
        s.clear = [](void* o) { static_cast<T*>(o)->reset(); };
    } else if constexpr (json_list<T>) {
        s.kind = json_kind::list;
        s.clear = [](void* v) { static_cast<T*>(v)->clear(); };
        if constexpr (std::is_same_v<typename T::value_type, bool>) {
            s.inner = &json_pushed_bool::shape<T>;
            s.reach = [](void* v, std::size_t, std::string_view) { return v; };
        } else {
            s.inner = &json_shape_of<typename T::value_type>;
            s.reach = [](void* v, std::size_t, std::string_view) -> void* { return &static_cast<T*>(v)->emplace_back(); };
        }
    } else if constexpr (json_array<T>) {
        s.kind = json_kind::array;
        s.highest = std::tuple_size_v<T>;
        s.inner = &json_shape_of<typename T::value_type>;
        s.reach = [](void* a, std::size_t at, std::string_view) -> void* { return static_cast<T*>(a)->data() + at; };
    } else if constexpr (json_map<T>) {
        s.kind = json_kind::map;
        s.inner = &json_shape_of<typename T::mapped_type>;
        s.clear = [](void* m) { static_cast<T*>(m)->clear(); };
        s.reach = [](void* m, std::size_t, std::string_view key) -> void* {
            auto const [at, is_new] = static_cast<T*>(m)->try_emplace(std::string(key));
            return is_new ? &at->second : nullptr;
        };
    } else if constexpr (json_struct<T>) {
        s.kind = json_kind::object;
        s.members = json_object<T>::members.data();
        s.count = json_object<T>::size;
        s.highest = json_object<T>::required;
    }
    return s;
}

} // namespace weir::inline v0::detail
