// SPDX-License-Identifier: BSL-1.0
#include "request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/core/stack.hpp>
#include <weir/core/without.hpp>
#include <weir/validate/paging.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

weir::page asked_for(test::request const&, weir::view<weir::page> facts)
{
    return facts.get<weir::page>();
}

TEST_CASE("paging: provides what the query asks for, or the defaults")
{
    weir::pipeline svc{weir::paging{{.max_limit = 50, .default_limit = 10, .max_offset = 1000}}, asked_for};
    auto const page = [&](std::string target) { return svc(test::request{.target = std::move(target)}).value(); };
    CHECK(page("/orders") == weir::page{10, 0});
    CHECK(page("/orders?symbol=ACME") == weir::page{10, 0});
    CHECK(page("/orders?limit=1") == weir::page{1, 0});
    CHECK(page("/orders?limit=50&offset=1000") == weir::page{50, 1000});
    CHECK(page("/orders?offset=0&symbol=%zz&limit=7") == weir::page{7, 0});
    CHECK(page("/orders?l%69mit=%35") == weir::page{5, 0});
}

TEST_CASE("paging: refuses what is out of range, repeated or written in another way, and says what would be right")
{
    weir::pipeline svc{weir::paging{{.max_limit = 50, .default_limit = 10, .max_offset = 1000}}, asked_for};
    struct wanted {
        std::string_view query, name;
    };
    for (wanted const w : std::vector<wanted>{{"limit=0", "limit"},
                                              {"limit=51", "limit"},
                                              {"limit=-1", "limit"},
                                              {"limit=", "limit"},
                                              {"limit", "limit"},
                                              {"limit=010", "limit"},
                                              {"limit=+1", "limit"},
                                              {"limit=1e1", "limit"},
                                              {"limit=ten", "limit"},
                                              {"limit=%3", "limit"},
                                              {"limit=99999999999999999999999", "limit"},
                                              {"limit=10&limit=10", "limit"},
                                              {"limit=10&l%69mit=20", "limit"},
                                              {"offset=1001", "offset"},
                                              {"offset=-0", "offset"},
                                              {"limit=5&offset=x", "offset"},
                                              {"limit=x&offset=x", "limit"}}) {
        CAPTURE(w.query);
        auto const reply = svc.call(test::request{.target = "/orders?" + std::string(w.query)});
        REQUIRE(reply.result().has_error());
        CHECK(reply.result().error() == weir::errc::invalid_request);
        auto const& told = reply.reported<weir::violation>();
        REQUIRE(told.has_value());
        CHECK(told->where == "query");
        CHECK(told->name == w.name);
        CHECK(told->expected == (w.name == "limit" ? "one number from 1 to 50" : "one number from 0 to 1000"));
    }
    CHECK(svc.get<weir::paging>().stats().refused == 17);
}

TEST_CASE("paging: seeded queries against a naive oracle")
{
    weir::pipeline svc{weir::paging{{.max_limit = 50, .default_limit = 10, .max_offset = 60}}, asked_for};
    std::mt19937_64 draw(7);
    for (int round = 0; round < 20'000; ++round) {
        std::string target = "/orders?";
        std::optional<int> limit, offset;
        bool twice = false;
        for (int part = static_cast<int>(draw() % 4); part > 0; --part) {
            int const value = static_cast<int>(draw() % 80);
            switch (draw() % 3) {
            case 0:
                target += "limit=" + std::to_string(value) + '&';
                twice = twice || limit;
                limit = value;
                break;
            case 1:
                target += "offset=" + std::to_string(value) + '&';
                twice = twice || offset;
                offset = value;
                break;
            default: target += "other=" + std::to_string(value) + '&';
            }
        }
        bool const right = !twice && limit.value_or(10) >= 1 && limit.value_or(10) <= 50 && offset.value_or(0) <= 60;
        auto const got = svc(test::request{.target = target});
        CAPTURE(target);
        REQUIRE(got.has_value() == right);
        if (right) {
            CHECK(got->limit == static_cast<std::uint64_t>(limit.value_or(10)));
            CHECK(got->offset == static_cast<std::uint64_t>(offset.value_or(0)));
        }
    }
}

TEST_CASE("paging: a route opts out of its baseline's by type, and is asked for no page")
{
    auto const baseline = [] { return weir::stack{weir::paging{{.max_limit = 50}}}; };
    auto const answer = [](test::request const&) { return 1; };
    weir::pipeline list{baseline(), answer};
    weir::pipeline dump{baseline() | weir::without<weir::paging>{}, answer};
    test::request const much{.target = "/orders?limit=1000000"};
    CHECK(list(much).error() == weir::errc::invalid_request);
    CHECK(dump(much).has_value());
}

TEST_CASE("paging: bad options are refused by name, and leave the old ones in force")
{
    CHECK_THROWS_WITH_AS(weir::paging({.max_limit = 0}), "paging.max_limit: expected at least 1", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::paging({.max_limit = 10}), "paging.default_limit: expected from 1 to max_limit", std::invalid_argument);
    weir::pipeline svc{weir::paging{}, asked_for};
    auto& policy = svc.get<weir::paging>();
    CHECK_THROWS_AS(policy.reconfigure({.default_limit = 0}), std::invalid_argument);
    CHECK(policy.settings().default_limit == 20);
    policy.reconfigure({.max_limit = 5, .default_limit = 3});
    CHECK(svc(test::request{}).value() == weir::page{3, 0});
    CHECK(svc(test::request{.target = "/orders?limit=6"}).has_error());
}

} // namespace
