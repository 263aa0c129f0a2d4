// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/check_rules.hpp>

#include <weir/validate/pattern.hpp>
#include <weir/validate/read_json.hpp>
#include <weir/validate/read_query.hpp>

#include <boost/describe/class.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct leg {
    std::string venue{};
    std::uint16_t share{};

    friend constexpr auto weir_rules(leg const*)
    {
        return weir::rules{weir::rule<&leg::venue>(weir::one_of{"XETR", "XLON"}), weir::rule<&leg::share>(weir::at_most{100})};
    }
};
BOOST_DESCRIBE_STRUCT(leg, (), (venue, share))

/// A rule of one's own.
struct even {
    static constexpr std::string_view expected = "an even number";
    constexpr bool operator()(std::integral auto n) const { return n % 2 == 0; }
};

struct order {
    std::string symbol{};
    std::int64_t quantity{};
    std::optional<double> limit{};
    std::vector<leg> legs{};
    std::vector<std::string> tags{};
    std::map<std::string, leg> fallback{};
    std::optional<leg> best{};
    std::int64_t from{}, to{};

    friend constexpr auto weir_rules(order const*)
    {
        return weir::rules{
            weir::rule<&order::symbol>(weir::length{1, 8}, weir::pattern<"[A-Z]*", "capital letters">),
            weir::rule<&order::quantity>(weir::range{1, 1'000}, even{}),
            weir::rule<&order::limit>(weir::at_least{0.0}),
            weir::rule<&order::legs>(weir::length{1, 3}),
            weir::rule<&order::tags>(weir::each{weir::length{1, 4}}),
            weir::together<&order::from, &order::to>("a time not after the end", std::less_equal{}),
            weir::together<&order::limit, &order::quantity>("a limit where 500 are bought or more",
                                                            [](auto const& set, auto bought) { return set || bought < 500; }),
        };
    }
};
BOOST_DESCRIBE_STRUCT(order, (), (symbol, quantity, limit, legs, tags, fallback, best, from, to))

struct book {
    std::vector<std::vector<order>> pages{};
};
BOOST_DESCRIBE_STRUCT(book, (), (pages))

struct node {
    std::int32_t weight{};
    std::vector<node> children{};

    friend constexpr auto weir_rules(node const*) { return weir::rules{weir::rule<&node::weight>(weir::at_least{0})}; }
};
BOOST_DESCRIBE_STRUCT(node, (), (weight, children))

struct plain {
    std::int32_t a{};
    std::vector<plain> more{};
};
BOOST_DESCRIBE_STRUCT(plain, (), (a, more))

static_assert(weir::detail::has_rules<leg>() && weir::detail::has_rules<book>() && weir::detail::has_rules<node>());
static_assert(!weir::detail::has_rules<plain>() && !weir::detail::has_rules<std::vector<int>>());

using lines = std::vector<std::string>;
lines lines_of(weir::violations const& all)
{
    lines text;
    for (auto const& v : all.list) text.push_back(v.name + ": " + v.expected);
    return text;
}

order good()
{
    return {.symbol = "ACME",
            .quantity = 10,
            .limit = 1.5,
            .legs = {{"XETR", 100}},
            .tags = {"a"},
            .fallback = {},
            .best = {},
            .from = 1,
            .to = 1};
}

TEST_CASE("check_rules: nothing is wrong with what keeps the rules")
{
    CHECK(weir::check_rules(good()).empty());
    CHECK(weir::check_rules(plain{}).empty());
    CHECK(weir::check_rules(node{.weight = 1, .children = {{2, {}}}}).empty());
}

TEST_CASE("check_rules: all that is wrong is told at once, by pointers")
{
    order o = good();
    o.symbol = "acme limited";
    o.quantity = 1'001;
    o.limit = -1;
    o.legs = {{"XETR", 1}, {"NYSE", 101}, {"XLON", 5}, {"XLON", 200}};
    o.tags = {"ok", "", "too long"};
    o.fallback = {{"secret", {"A", 1}}, {"other", {"B", 1}}};
    o.best = leg{"XETR", 101};
    o.from = 2;
    CHECK(lines_of(weir::check_rules(o)) ==
          lines{"/symbol: from 1 to 8 characters", "/symbol: capital letters", "/quantity: a number from 1 to 1000",
                "/quantity: an even number", "/limit: at least 0", "/legs: from 1 to 3 elements", "/tags/1: from 1 to 4 characters",
                "/tags/2: from 1 to 4 characters", "/from: a time not after the end", "/legs/1/venue: one of XETR, XLON",
                "/legs/1/share: at most 100", "/legs/3/share: at most 100", "/fallback: in each member, at /venue: one of XETR, XLON",
                "/best/share: at most 100"});
    o = good();
    o.limit.reset();
    o.quantity = 500;
    CHECK(lines_of(weir::check_rules(o)) == lines{"/limit: a limit where 500 are bought or more"});
}

TEST_CASE("check_rules: structs in arrays in arrays, and in themselves")
{
    order bad = good();
    bad.from = 5;
    CHECK(lines_of(weir::check_rules(book{{{good()}, {good(), bad}}})) == lines{"/pages/1/1/from: a time not after the end"});
    CHECK(lines_of(weir::check_rules(node{0, {{0, {{-1, {}}}}, {-2, {}}}})) ==
          lines{"/children/0/children/0/weight: at least 0", "/children/1/weight: at least 0"});
}

TEST_CASE("check_rules: never more than the most")
{
    node many{0, std::vector<node>(1'000, node{-1, {}})};
    auto const found = weir::check_rules(many);
    CHECK(found.list.size() == weir::violations::most);
    CHECK(found.more);
}

TEST_CASE("check_rules: a reader tells what does not fit and what breaks a rule at once, and judges only what it has read")
{
    auto const wrong = [](std::string_view text) { return lines_of(weir::read_json<order>(text).error()); };
    CHECK(wrong(R"({"symbol":"x","quantity":"7","limit":-1,"legs":[],"tags":[1,"12345"],"fallback":{},"from":9,"to":1,"colour":1})") ==
          lines{"/quantity: a whole number from -9223372036854775808 to 9223372036854775807", "/tags/0: a string",
                ": no members but symbol, quantity, limit, legs, tags, fallback, best, from, to", "/symbol: capital letters",
                "/limit: at least 0", "/legs: from 1 to 3 elements", "/tags/1: from 1 to 4 characters", "/from: a time not after the end"});
    CHECK(wrong(R"({"symbol":"x","quantity":7,"legs":[{"venue":1,"share":101}],"tags":[],"fallback":{},"to":1})") ==
          lines{"/legs/0/venue: a string", "/from: a whole number from -9223372036854775808 to 9223372036854775807, which is missing",
                "/symbol: capital letters", "/quantity: an even number", "/legs/0/share: at most 100"});
    CHECK(wrong(R"({"symbol":"x","quantity":7)") == lines{": a JSON document that is complete"});
}

struct question {
    std::string symbol{};
    std::optional<std::uint32_t> depth{};
    friend constexpr auto weir_rules(question const*)
    {
        return weir::rules{weir::rule<&question::symbol>(weir::pattern<"[A-Z]{1,8}">), weir::rule<&question::depth>(weir::range{1, 50})};
    }
};
BOOST_DESCRIBE_STRUCT(question, (), (symbol, depth))

TEST_CASE("check_rules: a query's parameters are told by their names")
{
    question q;
    CHECK(weir::read_query("/q?symbol=ACME&depth=50", q).empty());
    auto const wrong = weir::read_query("/q?symbol=acme&depth=51", q);
    CHECK(to_string(wrong) == "query symbol: expected a text of the form [A-Z]{1,8}; query depth: expected a number from 1 to 50");
    CHECK(lines_of(weir::read_query("/q?symbol=acme&depth=x&a=1", q)) == lines{"depth: a whole number from 0 to 4294967295",
                                                                               ": no parameters but symbol, depth",
                                                                               "symbol: a text of the form [A-Z]{1,8}"});
}

TEST_CASE("check_rules: random orders against rules written by hand")
{
    std::mt19937_64 draw(21);
    for (int round = 0; round < 20'000; ++round) {
        order o = good();
        lines wanted;
        if (draw() % 3 == 0) {
            o.symbol = std::string(draw() % 11, draw() % 2 ? 'A' : 'a');
            if (o.symbol.empty() || o.symbol.size() > 8) wanted.push_back("/symbol: from 1 to 8 characters");
            if (o.symbol.find('a') != std::string::npos) wanted.push_back("/symbol: capital letters");
        }
        o.quantity = static_cast<std::int64_t>(draw() % 1'004) - 2;
        if (o.quantity < 1 || o.quantity > 1'000) wanted.push_back("/quantity: a number from 1 to 1000");
        if (o.quantity % 2 != 0) wanted.push_back("/quantity: an even number");
        if (draw() % 2)
            o.limit.reset();
        else if (draw() % 2) {
            o.limit = -0.5;
            wanted.push_back("/limit: at least 0");
        }
        o.legs.assign(draw() % 5, leg{"XLON", 1});
        if (o.legs.empty() || o.legs.size() > 3) wanted.push_back("/legs: from 1 to 3 elements");
        o.to = static_cast<std::int64_t>(draw() % 3);
        if (o.from > o.to) wanted.push_back("/from: a time not after the end");
        if (!o.limit && o.quantity >= 500) wanted.push_back("/limit: a limit where 500 are bought or more");
        if (!o.legs.empty() && draw() % 4 == 0) {
            std::size_t const at = draw() % o.legs.size();
            o.legs[at].venue = "NYSE";
            wanted.push_back("/legs/" + std::to_string(at) + "/venue: one of XETR, XLON");
        }
        if (lines_of(weir::check_rules(o)) != wanted) FAIL("round ", round);
    }
}

} // namespace
