// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/structured_write.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace sf = weir::sf;

namespace {

std::optional<std::string> written(sf::bare_item value)
{
    return sf::write(sf::item{std::move(value), {}});
}

} // namespace

TEST_CASE("structured fields: what has no text is not written")
{
    CHECK(written(std::int64_t{999'999'999'999'999}).has_value());
    CHECK(!written(std::int64_t{1'000'000'000'000'000}));
    CHECK(!written(sf::decimal{-1'000'000'000'000'000}));
    CHECK(!written(std::string("line\nend")));
    CHECK(!written(std::string("\xc3\xbc")));
    CHECK(!written(sf::token{"1a"}));
    CHECK(!written(sf::token{""}));
    CHECK(!written(sf::display_string{"\xc0\x80"}));
    CHECK(!written(sf::date{1'000'000'000'000'000}));
    sf::item i{true, {}};
    i.params.set("Key", true);
    CHECK(!sf::write(i));
    sf::dictionary d;
    d.set("", sf::item{});
    CHECK(!sf::write(d));
}

TEST_CASE("structured fields: decimals have one to three places")
{
    CHECK(written(sf::decimal{1'000}) == "1.0");
    CHECK(written(sf::decimal{1'100}) == "1.1");
    CHECK(written(sf::decimal{1'010}) == "1.01");
    CHECK(written(sf::decimal{-1}) == "-0.001");
    CHECK(written(sf::decimal{0}) == "0.0");
}

TEST_CASE("structured fields: true is written by its key alone")
{
    sf::dictionary d;
    d.set("a", sf::item{true, {}});
    d.set("b", sf::item{false, {}});
    sf::inner_list l;
    l.items.push_back({std::string("x"), {}});
    l.params.set("p", true);
    d.set("c", l);
    CHECK(sf::write(d) == "a, b=?0, c=(\"x\");p");
    CHECK(sf::write(sf::list{}) == "");
}
