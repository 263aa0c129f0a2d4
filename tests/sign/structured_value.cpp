// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/structured_value.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <type_traits>

namespace sf = weir::sf;

TEST_CASE("structured fields: a key that is set again keeps its place")
{
    sf::parameters p;
    p.set("a", std::int64_t{1});
    p.set("b", true);
    p.set("a", std::string("x"));
    REQUIRE(p.size() == 2);
    CHECK(p.begin()->key == "a");
    REQUIRE(p.find("a") != nullptr);
    CHECK(p.find("a")->is(sf::kind::string));
    CHECK(p.find("a")->text() == "x");
    CHECK(p.find("b")->is_true());
    CHECK(p.find("c") == nullptr);

    sf::dictionary d;
    d.set("x", sf::item{sf::token{"t"}, {}});
    d.set("y", sf::inner_list{});
    REQUIRE((d.find("x") != nullptr && d.find("y") != nullptr));
    CHECK((d.find("x")->as_item() != nullptr && d.find("x")->as_list() == nullptr));
    CHECK((d.find("y")->as_item() == nullptr && d.find("y")->as_list() != nullptr));
    CHECK(d.find("z") == nullptr);
}

TEST_CASE("structured fields: a bare item is of one type, which counts when two are compared")
{
    CHECK(sf::bare_item(1) != sf::bare_item(true));
    CHECK(sf::bare_item(1) != sf::bare_item(sf::date{1}));
    CHECK(sf::bare_item(std::string("a")) != sf::bare_item(sf::token{"a"}));
    CHECK(sf::bare_item(sf::bytes{"a"}) == sf::bare_item(sf::bytes{"a"}));
    CHECK(sf::bare_item().is(sf::kind::integer));
    CHECK(sf::bare_item(sf::decimal{1500}).number() == 1500);
    CHECK_FALSE(sf::bare_item(false).is_true());
    static_assert(!std::is_convertible_v<char const*, sf::bare_item>, "a literal is no boolean");
}
