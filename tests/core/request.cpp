// SPDX-License-Identifier: BSL-1.0
#include <weir/core/request.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace {

namespace theirs { // a library that knows nothing of weir, and a few functions beside it

struct message {
    std::string host{};
    std::string text{};
};
std::optional<std::string_view> weir_header(message const& m, std::string_view name)
{
    if (name != "host" || m.host.empty()) return std::nullopt;
    return m.host;
}
void weir_set_header(message& m, std::string_view, std::string_view value)
{
    m.host = value;
}
std::string_view weir_method(message const&)
{
    return "GET";
}
std::string const& weir_body(message const& m) // anything that reads as a view will do
{
    return m.text;
}

} // namespace theirs

struct path { // functions as hidden friends
    char const* text;
    friend constexpr char const* weir_target(path const& p) { return p.text; }
    friend constexpr std::string_view weir_peer(path const&) { return "192.0.2.1"; }
};

TEST_CASE("request: the functions beside a type are found")
{
    theirs::message m{.host = "example.com", .text = "hello"};
    CHECK(weir::header(m, "host") == std::optional<std::string_view>("example.com"));
    CHECK_FALSE(weir::header(m, "accept").has_value());
    CHECK(weir::method(m) == "GET");
    CHECK(weir::body(m) == "hello");
    CHECK(weir::body(m).data() == m.text.data());
    weir::set_header(m, "host", "example.org");
    CHECK(m.host == "example.org");
}

TEST_CASE("request: hidden friends are found, also when the program is compiled")
{
    static_assert(weir::target(path{"/a?b"}) == "/a?b");
    static_assert(weir::peer(path{""}) == "192.0.2.1");
    CHECK(weir::target(path{"/orders"}) == "/orders");
}

TEST_CASE("request: a type supports what its functions say, and no more")
{
    namespace can = weir::customisation;
    CHECK(can::header_fn::works_for<theirs::message>);
    CHECK(can::set_header_fn::works_for<theirs::message>);
    CHECK(can::method_fn::works_for<theirs::message>);
    CHECK(can::body_fn::works_for<theirs::message>);
    CHECK_FALSE(can::target_fn::works_for<theirs::message>);
    CHECK_FALSE(can::peer_fn::works_for<theirs::message>);

    CHECK(can::target_fn::works_for<path>);
    CHECK(can::peer_fn::works_for<path>);
    CHECK_FALSE(can::header_fn::works_for<path>);
    CHECK_FALSE(can::set_header_fn::works_for<path>);
    CHECK_FALSE(can::method_fn::works_for<path>);
    CHECK_FALSE(can::body_fn::works_for<path>);

    CHECK_FALSE(can::header_fn::works_for<int>);
}

template<class R>
constexpr bool can_set = requires(R& r)
{
    weir::set_header(r, "a", "b");
};

TEST_CASE("request: a constant request cannot be written to")
{
    CHECK(can_set<theirs::message>);
    CHECK_FALSE(can_set<theirs::message const>);
    CHECK_FALSE(can_set<path>);
}

struct lines { // a type that has all lines of a field
    std::string_view first{}, second{}, third{};
    friend std::optional<std::string_view> weir_header(lines const& l, std::string_view) { return l.first; }
    friend void weir_each_header(lines const& l, std::string_view, auto&& f)
    {
        for (std::string_view each : {l.first, l.second, l.third})
            if (!each.empty()) f(each);
    }
};

TEST_CASE("request: a field of one value is told from one of several lines, where the type can tell")
{
    static_assert(weir::customisation::has_each_header<lines> && !weir::customisation::has_each_header<theirs::message>);
    CHECK(weir::header(lines{"a", "b"}, "x") == "a");
    CHECK(weir::single_header(lines{}, "x").value == std::nullopt);
    CHECK(weir::single_header(lines{"a"}, "x").value == "a");
    CHECK_FALSE(weir::single_header(lines{"a"}, "x").repeated);
    for (lines const& several : {lines{"a", "b"}, lines{"a", "a", "a"}}) {
        CHECK(weir::single_header(several, "x").repeated);
        CHECK(weir::single_header(several, "x").value == "a");
    }
    CHECK(weir::single_header(theirs::message{.host = "h"}, "host").value == "h");
    CHECK_FALSE(weir::single_header(theirs::message{.host = "h"}, "host").repeated);
    CHECK_FALSE(weir::single_header(theirs::message{}, "host").value.has_value());
}

} // namespace
