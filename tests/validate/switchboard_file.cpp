// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/switchboard_file.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

using level = weir::service_level;

TEST_CASE("switchboard_file: sets what it names, and lets go of what it named before")
{
    weir::switchboard board({"quotes", "orders"});
    weir::plan_by_json(board, R"({"quotes": "stale", "orders": "shed_minor"})");
    CHECK(board.level("quotes") == level::stale);
    CHECK(board.level("orders") == level::shed_minor);
    weir::plan_by_json(board, R"({"orders": "fixed"})");
    CHECK(board.level("quotes") == level::normal);
    CHECK(board.level("orders") == level::fixed);
}

TEST_CASE("switchboard_file: a bad file is refused by name, and changes nothing")
{
    weir::switchboard board({"quotes", "orders"});
    weir::plan_by_json(board, R"({"quotes": "stale"})");
    CHECK_THROWS_WITH_AS(weir::plan_by_json(board, "[]"), "switchboard file: expected a JSON object of services and levels",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::plan_by_json(board, "{"), "switchboard file: expected a JSON object of services and levels",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::plan_by_json(board, R"({"orders": "fixed", "quotes": "old"})"),
                         "/quotes: expected \"normal\", \"shed_minor\", \"stale\" or \"fixed\"", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::plan_by_json(board, R"({"quotes": 2})"),
                         "/quotes: expected \"normal\", \"shed_minor\", \"stale\" or \"fixed\"", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::plan_by_json(board, R"({"orders": "fixed", "prices": "stale"})"),
                         "switchboard.prices: expected one of the services that it was made with", std::invalid_argument);
    CHECK(board.level("quotes") == level::stale);
    CHECK(board.level("orders") == level::normal);
}
