// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/json_options.hpp>

#include <weir/validate/read_json.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace {

std::string complaint(weir::json_options const& o)
{
    try {
        static_cast<void>(checked(o));
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "none";
}

} // namespace

TEST_CASE("json_options: what is out of range is named")
{
    CHECK(complaint({}) == "none");
    CHECK(complaint({.bytes = 1, .levels = 1, .values = 1}) == "none");
    CHECK(complaint({.levels = weir::json_options::most_levels}) == "none");
    CHECK(complaint({.bytes = 0}) == "json.bytes: expected at least 1");
    CHECK(complaint({.levels = 0}) == "json.levels: expected from 1 to 64");
    CHECK(complaint({.levels = weir::json_options::most_levels + 1}) == "json.levels: expected from 1 to 64");
    CHECK(complaint({.values = 0}) == "json.values: expected at least 1");
    CHECK(complaint({.members = 0}) == "json.members: expected at least 1");
    CHECK(complaint({.text_bytes = 0}) == "json.text_bytes: expected at least 1");
}

TEST_CASE("json_options: nothing is read with options out of range")
{
    CHECK_THROWS_AS(static_cast<void>(weir::read_json<int>("1", {.levels = 65})), std::invalid_argument);
}
