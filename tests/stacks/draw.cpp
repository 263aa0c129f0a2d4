// SPDX-License-Identifier: BSL-1.0
//
// Draws distinct lawful stacks, and writes their sources: draw <stacks> <seed> <stacks a file> <folder>. Lawful is what weir's own laws accept.
#include "menu.hpp"

#include <weir/core/detail/lawful.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace menu = stacks::menu;

struct dish {
    std::string_view name;
    unsigned rules;
    weir::policy_facts facts;
};

template<template<int> class Dish>
dish dish_of()
{
    using element = decltype(Dish<0>::make(0));
    return {Dish<0>::name, Dish<0>::rules, weir::detail::facts_of<weir::detail::policy_t<element>>()};
}
template<template<int> class... Dishes>
std::vector<dish> read(menu::list<Dishes...>)
{
    return {dish_of<Dishes>()...};
}

using order = std::vector<std::size_t>;
enum class handler : std::size_t { cancelled, binding, wrapped, streaming };
constexpr std::array<std::string_view, 4> handler_names{"cancelled_handler", "binding_handler", "wrapped_handler", "streaming_handler"};

struct stack {
    order policies;
    handler serves;
    bool scoped;
    bool operator==(stack const&) const = default;
};

template<class... Laws>
bool obeys(weir::composition const& c, weir::demands<Laws...> const*)
{
    return !(static_cast<bool>(Laws::find(c)) || ...);
}

class drawing {
public:
    drawing(std::vector<dish> dishes, std::uint64_t seed) : dishes_(std::move(dishes)), random_(seed), fresh_(dishes_.size())
    {
        std::iota(fresh_.begin(), fresh_.end(), std::size_t{0});
    }

    /// The next one, with the dish whose turn it is among its policies, and others that nobody had yet.
    stack next()
    {
        std::size_t const turn = fresh_.empty() ? turn_++ % dishes_.size() : fresh_.front();
        for (;;) {
            stack s;
            s.serves = static_cast<handler>(below(8) < 5 ? 0 : 1 + below(3));
            s.scoped = below(3) != 0;
            std::size_t const length = below(8) == 0 ? 1 + below(4) : 5 + below(4);
            auto const fits = [&](std::size_t dish) {
                unsigned const rules = dishes_[dish].rules;
                return (s.serves != handler::streaming || (rules & menu::no_streams) == 0) &&
                       (s.serves == handler::wrapped || (rules & menu::detours) == 0);
            };
            if (!fits(turn)) continue;
            while (s.policies.size() < length)
                if (std::size_t const dish = any(); fits(dish)) s.policies.push_back(dish);
            if (std::ranges::count(s.policies, turn) == 0) s.policies[below(length)] = turn;
            if (!is_lawful(s) || !drawn_.insert(s.policies).second) continue;
            for (std::size_t const dish : s.policies) std::erase(fresh_, dish);
            return s;
        }
    }
    [[nodiscard]] bool is_synchronous(stack const& s) const
    {
        return s.serves != handler::streaming &&
               std::ranges::none_of(s.policies, [&](std::size_t p) { return (dishes_[p].rules & menu::awaits) != 0; });
    }
    [[nodiscard]] std::string_view name(std::size_t dish) const { return dishes_[dish].name; }
    [[nodiscard]] bool has(stack const& s, unsigned rule) const
    {
        return std::ranges::any_of(s.policies, [&](std::size_t p) { return (dishes_[p].rules & rule) != 0; });
    }

private:
    std::size_t any() { return !fresh_.empty() && below(3) == 0 ? fresh_[below(fresh_.size())] : below(dishes_.size()); }
    std::size_t below(std::size_t bound) { return random_() % bound; }
    [[nodiscard]] bool is_lawful(stack const& s) const
    {
        auto const count = [&](unsigned rule) {
            return std::ranges::count_if(s.policies, [&](std::size_t p) { return (dishes_[p].rules & rule) != 0; });
        };
        if (count(menu::scoped) != 0 && !s.scoped) return false;
        if (count(menu::forks) > 2 || count(menu::borders) > 2 || count(menu::detours) > 1) return false;
        unsigned const unfit = menu::awaits | (s.scoped ? menu::forks : 0u);
        auto const detour = std::ranges::find_if(s.policies, [&](std::size_t p) { return (dishes_[p].rules & menu::detours) != 0; });
        if (std::any_of(detour, s.policies.end(), [&](std::size_t p) { return (dishes_[p].rules & unfit) != 0; })) return false;
        std::vector<weir::policy_facts> facts;
        for (std::size_t const p : s.policies) facts.push_back(dishes_[p].facts);
        if (weir::detail::missing_facet(facts, {})) return false;
        return obeys(weir::composition{facts, true}, static_cast<weir::detail::shipped_laws const*>(nullptr));
    }

    std::vector<dish> dishes_;
    std::mt19937_64 random_;
    std::set<order> drawn_;
    std::vector<std::size_t> fresh_; ///< dishes that no stack had yet
    std::size_t turn_ = 0;
};

/// The case of one stack.
void write(std::ostream& out, drawing const& from, stack const& s, std::size_t number)
{
    std::string names, types;
    int depth = 0;
    for (std::size_t const p : s.policies) {
        names += (names.empty() ? "" : " | ") + std::string(from.name(p));
        types += ", stacks::menu::" + std::string(from.name(p)) + "<" + std::to_string(depth) + ">";
        if (from.name(p) == "codec") ++depth;
    }
    std::string_view const serves = handler_names[static_cast<std::size_t>(s.serves)];
    names += " | " + std::string(serves) + (s.scoped ? " in a scope" : "");
    std::string const arguments = std::to_string(depth) + types + ">";
    out << "namespace {\nstacks::stack_under_test const stack_" << number << "{\"" << names << "\", "
        << ((s.scoped && from.has(s, menu::forks)) || from.has(s, menu::detours) ? "true" : "false") << ",\n    &stacks::serve<"
        << (s.scoped ? "true" : "false") << ", stacks::" << serves << ", " << arguments << ",\n    ";
    if (from.is_synchronous(s))
        out << "&stacks::serve<false, stacks::plain_handler, " << arguments;
    else
        out << "nullptr";
    out << "};\n}\n"
        << "TEST_CASE(\"stack " << number << ": at every point: " << names << "\") { stacks::try_every_point(stack_" << number << "); }\n"
        << "TEST_CASE(\"stack " << number << ": in crowds: " << names << "\") { stacks::try_crowds(stack_" << number << "); }\n"
        << "TEST_CASE(\"stack " << number << ": on threads: " << names << "\") { stacks::try_threads(stack_" << number << "); }\n";
    if (from.is_synchronous(s))
        out << "TEST_CASE(\"stack " << number << ": synchronous: " << names << "\") { stacks::try_synchronous(stack_" << number << "); }\n";
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 5) {
        std::cerr << "usage: draw <stacks> <seed> <stacks a file> <folder>\n";
        return 2;
    }
    std::size_t const stacks = std::strtoull(argv[1], nullptr, 10);
    std::uint64_t const seed = std::strtoull(argv[2], nullptr, 10);
    std::size_t const each = std::strtoull(argv[3], nullptr, 10);
    drawing from(read(menu::all{}), seed);
    for (std::size_t i = 0; i < stacks;) {
        std::ofstream out(std::string(argv[4]) + "/stacks_" + std::to_string(i / each) + ".cpp");
        out << "// Stacks of seed " << seed << ".\n#include \"stack.hpp\"\n\n#include <doctest/doctest.h>\n\n";
        for (std::size_t const end = std::min(stacks, i + each); i < end; ++i) write(out, from, from.next(), i);
        if (!out.flush()) {
            std::cerr << "draw: cannot write into " << argv[4] << '\n';
            return 1;
        }
    }
}
