// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/json_type.hpp>
#include <weir/validate/rules.hpp>
#include <weir/validate/violation.hpp>

#include <boost/mp11/algorithm.hpp>

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<auto Member>
struct rule {
    struct is_about_a_member_that_is_not_described__add_it_to_BOOST_DESCRIBE_STRUCT;
    template<class T>
    struct is_about_a_member_of_type {
        template<class Rule>
        struct which_is_not_judged_by;
    };
};
} // namespace advice

namespace detail {

template<class T>
concept states_rules = std::is_class_v<T> && requires
{
    weir_rules(static_cast<T const*>(nullptr));
};
template<class T>
inline constexpr auto rules_of = weir_rules(static_cast<T const*>(nullptr));

template<class T, class... Seen>
constexpr bool has_rules() noexcept
{
    if constexpr ((std::is_same_v<T, Seen> || ...) || json_formed<T>)
        return false;
    else if constexpr (json_optional<T> || json_list<T> || json_array<T>)
        return has_rules<typename T::value_type, Seen...>();
    else if constexpr (json_map<T>)
        return has_rules<typename T::mapped_type, Seen...>();
    else if constexpr (states_rules<T>)
        return true;
    else if constexpr (json_struct<T>)
        return []<class... D>(boost::mp11::mp_list<D...>) {
            return (has_rules<json_member_t<T, D>, T, Seen...>() || ...);
        }(boost::mp11::mp_rename<json_members<T>, boost::mp11::mp_list>{});
    else
        return false;
}

/// Where a value lies: the steps to it, the last first. They lie on the stack while it is checked.
struct rule_path {
    enum class step : unsigned char { whole, member, element, entry };
    rule_path const* up = nullptr;
    step kind = step::whole;
    std::string_view name{};
    std::size_t index = 0;
};

template<auto A>
struct pointer_constant {
};

/// The described name of a member.
template<class T, auto Member>
constexpr std::string_view name_of_member() noexcept
{
    std::string_view name;
    boost::mp11::mp_for_each<json_members<T>>([&]<class D>(D) {
        if constexpr (std::is_same_v<pointer_constant<D::pointer>, pointer_constant<Member>>) name = D::name;
    });
    return name;
}

template<class Rule>
concept judges_presence = requires
{
    typename Rule::judges_presence;
};
template<class Rule>
constexpr bool is_each = false;
template<class... Rules>
constexpr bool is_each<each<Rules...>> = true;

template<class V, class Rule>
[[nodiscard]] std::string expected_by(Rule const& r)
{
    if constexpr (requires { r.template expected_of<V>(); })
        return std::string(r.template expected_of<V>());
    else if constexpr (requires { r.expected(); })
        return std::string(r.expected());
    else
        return std::string(r.expected);
}

/// Goes through a value and what is in it, and adds what breaks a rule. What could not be read, by the faults that are there already, is not judged.
class rule_check {
public:
    explicit rule_check(violations& found, std::string_view where, bool pointers) noexcept
        : found_(found), where_(where), faults_(found.list.size()), pointers_(pointers)
    {
    }

    template<class T>
    void value(T const& v, rule_path const& at)
    {
        if constexpr (!has_rules<T>())
            return;
        else if constexpr (json_optional<T>) {
            if (v) value(*v, at);
        } else if constexpr (json_list<T> || json_array<T>) {
            rule_path one{&at, rule_path::step::element};
            for (auto const& element : v) {
                value(element, one);
                ++one.index;
            }
        } else if constexpr (json_map<T>) {
            rule_path const one{&at, rule_path::step::entry};
            for (auto const& entry : v) value(entry.second, one);
        } else {
            if constexpr (states_rules<T>) std::apply([&](auto const&... part) { (this->apply(part, v, at), ...); }, rules_of<T>.parts);
            boost::mp11::mp_for_each<json_members<T>>([&]<class D>(D) {
                if constexpr (has_rules<json_member_t<T, D>>()) value(v.*D::pointer, rule_path{&at, rule_path::step::member, D::name});
            });
        }
    }

private:
    template<class T, auto Member>
    static constexpr std::string_view described() noexcept
    {
        constexpr std::string_view name = name_of_member<T, Member>();
        if constexpr (name.empty())
            static_cast<void>(
                sizeof(typename advice::rule<Member>::is_about_a_member_that_is_not_described__add_it_to_BOOST_DESCRIBE_STRUCT));
        return name;
    }

    template<class T, auto Member, class... Rules>
    void apply(member_rules<Member, Rules...> const& part, T const& v, rule_path const& at)
    {
        rule_path const here{&at, rule_path::step::member, described<T, Member>()};
        std::apply([&](auto const&... r) { (this->judge<Member>(r, v.*Member, here), ...); }, part.all);
    }
    template<class T, class Predicate, auto... Members>
    void apply(joint_rule<Predicate, Members...> const& part, T const& v, rule_path const& at)
    {
        if (part.holds(v.*Members...)) [[likely]]
            return;
        rule_path const first{&at, rule_path::step::member, std::get<0>(std::tuple{described<T, Members>()...})};
        if (faults_ != 0 && (was_not_read({&at, rule_path::step::member, described<T, Members>()}) || ...)) return;
        add(first, std::string(part.expected));
    }
    template<auto Member, class Rule, class V>
    void judge(Rule const& r, V const& v, rule_path const& at)
    {
        if constexpr (json_optional<V> && !judges_presence<Rule>) {
            if (v) judge<Member>(r, *v, at);
        } else if constexpr (is_each<Rule>) {
            static_assert(json_list<V> || json_array<V> || json_map<V>, "weir::each is about the elements of a vector, an array or a map");
            rule_path one{&at, json_map<V> ? rule_path::step::entry : rule_path::step::element};
            for (auto const& element : v) {
                std::apply(
                    [&](auto const&... inner) {
                        if constexpr (json_map<V>)
                            (this->judge<Member>(inner, element.second, one), ...);
                        else
                            (this->judge<Member>(inner, element, one), ...);
                    },
                    r.all);
                ++one.index;
            }
        } else if constexpr (!std::is_invocable_r_v<bool, Rule const&, V const&>)
            static_cast<void>(
                sizeof(typename advice::rule<Member>::template is_about_a_member_of_type<V>::template which_is_not_judged_by<Rule>));
        else if (!r(v)) [[unlikely]]
            broken<V>(r, at);
    }

    template<class V, class Rule>
    [[gnu::noinline, gnu::cold]] void broken(Rule const& r, rule_path const& at)
    {
        if (faults_ == 0 || !was_not_read(at)) add(at, expected_by<V>(r));
    }
    /// The pointer; and, where a map stands on the way, of whose names nothing is told, the way behind it.
    void place(rule_path const& at, std::string& pointer, std::string& inside, bool& below_map) const
    {
        if (at.up != nullptr) place(*at.up, pointer, inside, below_map);
        if (at.kind == rule_path::step::whole) return;
        if (at.kind == rule_path::step::entry) {
            inside = below_map ? inside + "/*" : "";
            below_map = true;
            return;
        }
        std::string& to = below_map ? inside : pointer;
        if (pointers_) to += '/';
        if (at.kind == rule_path::step::member)
            to += at.name;
        else
            to += std::to_string(at.index);
    }
    [[gnu::noinline, gnu::cold]] bool was_not_read(rule_path const& at) const
    {
        std::string pointer, inside;
        bool below_map = false;
        place(at, pointer, inside, below_map);
        for (std::size_t i = 0; i < faults_; ++i) {
            violation const& fault = found_.list[i];
            if (fault.expected.starts_with(unknown_members) || fault.expected.starts_with(unknown_parameters)) continue;
            if (!pointer.starts_with(fault.name)) continue;
            if (pointer.size() == fault.name.size() || fault.name.empty() || pointer[fault.name.size()] == '/') return true;
        }
        return false;
    }
    [[gnu::noinline, gnu::cold]] void add(rule_path const& at, std::string expected)
    {
        std::string pointer, inside;
        bool below_map = false;
        place(at, pointer, inside, below_map);
        if (below_map) expected = "in each member" + (inside.empty() ? ": " : ", at " + inside + ": ") + expected;
        violation v{where_, std::move(pointer), std::move(expected)};
        for (violation const& other : found_.list) // each member of a map says the same
            if (below_map && other == v) return;
        found_.add(std::move(v));
    }

    violations& found_;
    std::string_view where_;
    std::size_t faults_; // that were there before
    bool pointers_;
};

/// Adds to what a reader has found.
template<class T>
void check_rules(T const& value, violations& found, std::string_view where = "body", bool pointers = true)
{
    if constexpr (has_rules<T>())
        if (!found.more) rule_check(found, where, pointers).value(value, {});
}

} // namespace detail

/// What breaks the rules of a value and of what is in it (see `rules`), all at once; empty if nothing does. Each is told by its JSON
/// pointer, as `read_json` does, which asks for the rules itself: this is for what came another way, or was changed since.
///
/// Costs what the rules cost, and nothing where there are none. Calls itself as deep as the value is. Thread-safe.
template<class T>
[[nodiscard]] violations check_rules(T const& value)
{
    violations found;
    detail::check_rules(value, found);
    return found;
}

} // namespace weir::inline v0
