// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/claims_writer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

TEST_CASE("claims_writer: claims stand in their order, each once, and texts are escaped")
{
    using namespace std::chrono_literals;
    std::vector<std::string> const roles{"a", "b\"c"};
    weir::claims_writer w;
    CHECK(w.json() == "{}");
    w.text("sub", "bob\n")
        .integer("n", -7)
        .boolean("yes", true)
        .list("roles", roles)
        .list("none", {})
        .time("iat", weir::wall_time(1'999ms));
    CHECK(w.json() == R"({"sub":"bob\n","n":-7,"yes":true,"roles":["a","b\"c"],"none":[],"iat":1})");
    CHECK(w.has("n"));
    CHECK(!w.has("m"));
    CHECK_THROWS_WITH_AS(w.text("n", "again"), "n: expected each claim once", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::claims_writer().text("x", "\xff"), "x: expected UTF-8", std::invalid_argument);
}
