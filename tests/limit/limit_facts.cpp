// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/limit_facts.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>

TEST_CASE("limit_facts: one of the same name is replaced, and no more are kept than there is room for")
{
    weir::limit_facts facts;
    CHECK(facts.all().empty());
    facts.add({"a", {.limit = 1, .window = {}, .burst = 1, .remaining = 1, .until_full = {}}});
    facts.add({"b", {}});
    facts.add({"a", {.limit = 2, .window = {}, .burst = 1, .remaining = 1, .until_full = {}}});
    REQUIRE(facts.all().size() == 2);
    CHECK(facts.all()[0].state.limit == 2);
    for (char const* name : {"c", "d", "e", "f"}) facts.add({name, {}});
    CHECK(facts.all().size() == weir::limit_facts::most);
    CHECK(facts.all()[3].name == "d");
    facts.add({"d", {.limit = 7, .window = {}, .burst = 1, .remaining = 1, .until_full = {}}});
    CHECK(facts.all()[3].state.limit == 7);
}

TEST_CASE("limit_facts: the key of the first limit that tells one")
{
    weir::limit_facts facts;
    facts.add({"all", {}});
    facts.add({"tenant", {}}, weir::partition_key("a"));
    facts.add({"user", {}}, weir::partition_key("b"));
    CHECK(facts.all().size() == 3);
    CHECK(facts.key_of("all").empty());
    CHECK(facts.key_of("tenant") == "a");
    CHECK(facts.key_of("user").empty());
    facts.add({"tenant", {}}, weir::partition_key("c"));
    CHECK(facts.key_of("tenant") == "c");
}

TEST_CASE("limit_facts: a key is told as text, if it is short")
{
    CHECK(weir::partition_key("tenant").view() == "tenant");
    CHECK(weir::partition_key(std::string("te\0nt", 5)).view() == std::string_view("te\0nt", 5));
    CHECK(weir::partition_key(std::uint64_t{42}).view() == "42");
    CHECK(weir::partition_key(-7).view() == "-7");
    CHECK(weir::partition_key(std::array<std::uint64_t, 2>{1, 2}).view().empty());
    CHECK(weir::partition_key(std::string(weir::partition_key::most, 'x')).view().size() == weir::partition_key::most);
    CHECK(weir::partition_key(std::string(weir::partition_key::most + 1, 'x')).view().empty());
}
