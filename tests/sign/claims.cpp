// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/claims.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string_view>

namespace {

weir::claims read(std::string_view text)
{
    weir::claims made;
    REQUIRE(made.document().read(text) == weir::strict_json_fault::none);
    return made;
}

} // namespace

TEST_CASE("claims: what is there is given as its type, and nothing as another")
{
    auto const c =
        read(R"({"iss":"bank","sub":"bob","jti":"7","n":42,"big":9007199254740993,"yes":true,"nothing":null,"deep":{"roles":["a","b"]}})");
    CHECK(c.issuer() == "bank");
    CHECK(c.subject() == "bob");
    CHECK(c.id() == "7");
    CHECK(c.integer("n") == 42);
    CHECK(c.integer("big") == 9007199254740993);
    CHECK(!c.text("n"));
    CHECK(!c.integer("sub"));
    CHECK(c.boolean("yes") == true);
    CHECK(!c.boolean("n"));
    CHECK(c["nothing"].is_null());
    CHECK(!c["missing"]);
    CHECK(weir::claims::lists(c["deep"]["roles"], "b"));
    CHECK(!weir::claims::lists(c["deep"]["roles"], "c"));
    CHECK(c.all().size() == 8);
    CHECK(weir::claims().subject().empty());
}

TEST_CASE("claims: a list or a text alone, and scopes in either of their forms")
{
    auto const c = read(R"({"aud":"one","roles":["teller","1",1,null],"scope":"accounts:read  accounts:write","scp":["x"]})");
    CHECK(c.lists("aud", "one"));
    CHECK(!c.lists("aud", "on"));
    CHECK(c.lists("roles", "teller"));
    CHECK(c.lists("roles", "1"));
    CHECK(!c.lists("roles", ""));
    CHECK(!c.lists("missing", ""));
    CHECK(c.has_scope("accounts:read"));
    CHECK(c.has_scope("accounts:write"));
    CHECK(c.has_scope("x"));
    CHECK(!c.has_scope("accounts"));
    CHECK(!c.has_scope(""));
    CHECK(!c.has_scope("accounts:read accounts:write"));
    CHECK(read(R"({"scp":"a b"})").has_scope("b"));
    CHECK(!read(R"({"scope":["a b"]})").has_scope("a"));
}

TEST_CASE("claims: times are seconds, with fractions, and none that a double does not count")
{
    using namespace std::chrono_literals;
    auto const c = read(
        R"({"a":1900000000,"b":1900000000.5,"c":1.9e9,"d":-1,"e":9007199254740992,"f":9007199254740991,"g":1e300,"h":"1900000000","i":true,"j":-0.0015})");
    auto const at = [](auto since) { return weir::wall_time(since); };
    CHECK(c.time("a") == at(1'900'000'000s));
    CHECK(c.time("b") == at(1'900'000'000'500ms));
    CHECK(c.time("c") == at(1'900'000'000s));
    CHECK(c.time("d") == at(-1s));
    CHECK(!c.time("e"));
    CHECK(c.time("f") == at(9'007'199'254'740'991s));
    CHECK(!c.time("g"));
    CHECK(!c.time("h"));
    CHECK(!c.time("i"));
    CHECK(c.time("j") == at(-2ms));
}
