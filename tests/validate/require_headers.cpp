// SPDX-License-Identifier: BSL-1.0
#include "request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/validate/require_headers.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

int answer(test::request const&)
{
    return 42;
}

TEST_CASE("require_headers: lets a request pass that has them all")
{
    weir::pipeline svc{weir::require_headers<"x-correlation-id", "x-app-id">{}, answer};
    auto const reply = svc.call(test::request{.fields = {{"x-correlation-id", "7"}, {"x-app-id", "shop"}, {"other", ""}}});
    CHECK(reply.result().value() == 42);
    CHECK(!reply.reported<weir::violation>());
}

TEST_CASE("require_headers: names the first one that is missing, or empty but for blanks")
{
    weir::pipeline svc{weir::require_headers<"x-correlation-id", "x-app-id">{}, answer};
    struct wanted {
        test::request request;
        std::string name;
    };
    std::vector<wanted> const cases{{{}, "x-correlation-id"},
                                    {{.fields = {{"x-app-id", "shop"}}}, "x-correlation-id"},
                                    {{.fields = {{"x-correlation-id", "7"}}}, "x-app-id"},
                                    {{.fields = {{"x-correlation-id", ""}, {"x-app-id", "shop"}}}, "x-correlation-id"},
                                    {{.fields = {{"x-correlation-id", "7"}, {"x-app-id", " \t "}}}, "x-app-id"}};
    for (wanted const& w : cases) {
        auto const reply = svc.call(w.request);
        REQUIRE(reply.result().has_error());
        CHECK(reply.result().error() == weir::errc::invalid_request);
        CHECK(reply.answered_by() == 0);
        auto const& told = reply.reported<weir::violation>();
        REQUIRE(told.has_value());
        CHECK(told->where == "header");
        CHECK(told->name == w.name);
        CHECK(told->expected == "a value");
    }
}

TEST_CASE("require_headers: takes no room")
{
    static_assert(std::is_empty_v<weir::require_headers<"x-app-id">>);
    weir::pipeline svc{weir::require_headers<"a">{}, weir::require_headers<"b">{}, [](test::request const&) { return 0; }};
    static_assert(sizeof svc <= 1);
}

TEST_CASE("require_headers: describes the names")
{
    std::string names;
    weir::require_headers<"x-app-id", "date">{}.describe([&](std::string_view member, std::string_view value) {
        CHECK(member == "headers");
        names = value;
    });
    CHECK(names == "x-app-id, date");
}

} // namespace
