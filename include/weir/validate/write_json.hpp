// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/json_text.hpp>
#include <weir/validate/detail/json_type.hpp>
#include <weir/validate/violation.hpp>

#include <boost/system/result.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// Writes a value and what is in it. After a false, `wrong` is why: what calls puts its part of the pointer in front.
class json_writer {
public:
    explicit json_writer(std::string& out) noexcept : out_(out) {}
    [[nodiscard]] violation& wrong() noexcept { return wrong_; }

    template<class T>
    [[nodiscard]] bool write(T const& value)
    {
        static_assert(checked_json<T>());
        if constexpr (json_formed<T>)
            return write_form<T>(json_form<T>::write(value));
        else if constexpr (std::is_same_v<T, bool>)
            return out_ += value ? "true" : "false", true;
        else if constexpr (json_integer<T>)
            return number(value);
        else if constexpr (json_real<T>)
            return std::isfinite(value) ? number(value) : refuse("a finite number");
        else if constexpr (std::is_same_v<T, std::string>)
            return append_json_text(out_, value) || refuse("a text in UTF-8");
        else if constexpr (json_named<T>)
            return name_of(value);
        else if constexpr (json_optional<T>)
            return value ? write(*value) : (out_ += "null", true);
        else if constexpr (json_list<T> || json_array<T>)
            return elements(value);
        else if constexpr (json_map<T>)
            return entries(value);
        else
            return members(value);
    }

private:
    [[gnu::cold, gnu::noinline]] bool refuse(std::string_view expected)
    {
        wrong_ = {"body", {}, std::string(expected)};
        return false;
    }
    [[gnu::cold, gnu::noinline]] bool inside(std::string_view part)
    {
        std::string pointer = "/";
        for (char const c : part) // RFC 6901 section 3
            if (c == '~')
                pointer += "~0";
            else if (c == '/')
                pointer += "~1";
            else
                pointer += c;
        wrong_.name.insert(0, pointer);
        return false;
    }

    template<class T, class Own>
    bool write_form(Own const& own)
    {
        if constexpr (std::is_same_v<typename json_form<T>::type, std::string>)
            return append_json_text(out_, std::string_view(own)) || refuse("a text in UTF-8");
        else
            return write(static_cast<typename json_form<T>::type const&>(own));
    }
    template<class Number>
    bool number(Number value)
    {
        char digits[32]; // the shortest that read back as the same number: 24 for a double
        out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
        return true;
    }
    template<class T>
    bool name_of(T value)
    {
        std::string_view name;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&]<class D>(D) {
            if (D::value == value && name.empty()) name = D::name;
        });
        if (name.empty()) return refuse("an enumerator that is described");
        ((out_ += '"') += name) += '"';
        return true;
    }
    template<class T>
    bool elements(T const& list)
    {
        out_ += '[';
        std::size_t at = 0;
        for (auto const& each : list) {
            if (at != 0) out_ += ',';
            if (!write<typename T::value_type>(each)) [[unlikely]]
                return inside(std::to_string(at));
            ++at;
        }
        return out_ += ']', true;
    }
    template<class T>
    bool entries(T const& map)
    {
        char before = '{';
        for (auto const& [name, each] : map) {
            out_ += std::exchange(before, ',');
            if (!append_json_text(out_, name)) [[unlikely]]
                return refuse("names in UTF-8");
            out_ += ':';
            if (!write(each)) [[unlikely]]
                return inside(name);
        }
        return out_ += before == '{' ? "{}" : "}", true;
    }
    template<class T>
    bool members(T const& value)
    {
        char before = '{';
        bool good = true;
        boost::mp11::mp_for_each<json_members<T>>([&]<class D>(D) {
            auto const& member = value.*D::pointer;
            if constexpr (json_optional<json_member_t<T, D>>)
                if (!member) return;
            if (!good) return;
            out_ += std::exchange(before, ',');
            out_.append(json_name<D>::text.data(), json_name<D>::text.size());
            if (!write(member)) [[unlikely]]
                good = inside(D::name);
        });
        return good && (out_ += before == '{' ? "{}" : "}", true);
    }

    /// `"name":`, at compile time; described names are identifiers, which need no escapes.
    template<class D>
    struct json_name {
        static constexpr std::size_t length = std::string_view(D::name).size();
        static constexpr auto text = [] {
            std::array<char, length + 3> made{'"'};
            for (std::size_t i = 0; i < length; ++i) made[i + 1] = D::name[i];
            made[length + 1] = '"';
            made[length + 2] = ':';
            return made;
        }();
    };

    std::string& out_;
    violation wrong_{};
};

} // namespace detail

/// Appends a value to `out` as JSON (RFC 8259): the types of `read_json`, which reads it back as the same value, in the order of the
/// struct's members and without spaces. Members without a value are left out; an empty optional elsewhere is `null`.
///
/// Numbers have the shortest digits that read back as the same number. Refused by a `violation` that names the value by its JSON pointer:
/// a number that is not finite, a text that is not UTF-8, an enumeration's value without a name; then `out` is as it was.
///
/// Costs one pass; text without quotation marks, backslashes, controls and letters beyond ASCII is copied eight bytes at a time. Calls
/// itself as deep as the value is. Thread-safe.
template<class T>
[[nodiscard]] boost::system::result<void, violation> write_json(T const& value, std::string& out)
{
    std::size_t const before = out.size();
    detail::json_writer writer(out);
    if (writer.write(value)) [[likely]]
        return {};
    out.resize(before);
    return std::move(writer.wrong());
}

} // namespace weir::inline v0
