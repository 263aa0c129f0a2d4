// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/structured_value.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

namespace sf = weir::sf;

TEST_CASE("structured fields: a key that is set again keeps its place")
{
    sf::parameters p;
    p.set("a", std::int64_t{1});
    p.set("b", true);
    p.set("a", std::string("x"));
    REQUIRE(p.size() == 2);
    CHECK(p.begin()->key == "a");
    CHECK(*p.get<std::string>("a") == "x");
    CHECK(p.get<std::int64_t>("a") == nullptr);
    CHECK(p.find("c") == nullptr);

    sf::dictionary d;
    d.set("x", sf::item{sf::token{"t"}, {}});
    d.set("y", sf::inner_list{});
    CHECK(d.get<sf::item>("x") != nullptr);
    CHECK(d.get<sf::item>("y") == nullptr);
    CHECK(d.get<sf::inner_list>("y") != nullptr);
    CHECK(d.get<sf::inner_list>("z") == nullptr);
}

TEST_CASE("structured fields: a fault is a sentence with its place")
{
    CHECK(to_string(sf::fault{7, "a key"}) == "character 7: expected a key");
    CHECK_THROWS_AS(throw_exception_from_error(sf::fault{7, "a key"}, BOOST_CURRENT_LOCATION), std::invalid_argument);
}
