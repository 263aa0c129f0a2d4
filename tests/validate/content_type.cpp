// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/content_type.hpp>

#include "request.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace {

/// One whose body is not there yet, and that says its method.
struct head {
    std::string_view verb;
    std::optional<std::string_view> type{}, length{}, coding{};

    friend std::optional<std::string_view> weir_header(head const& r, std::string_view name)
    {
        if (name == "content-type") return r.type;
        if (name == "content-length") return r.length;
        if (name == "transfer-encoding") return r.coding;
        return std::nullopt;
    }
    friend std::string_view weir_method(head const& r) { return r.verb; }
};

constexpr auto length = [](auto const& r) {
    if constexpr (requires { r.body; })
        return r.body.size();
    else
        return std::size_t{0};
};

TEST_CASE("content_type: a body is of a type that the route takes, or is refused by its header")
{
    weir::pipeline svc{weir::content_type<"application/json", "application/*+json">{}, length};
    auto const asked = [&](std::string body, std::optional<std::string> type) {
        test::request r{.body = std::move(body)};
        if (type) r.fields.emplace("content-type", *type);
        return svc.call(r);
    };
    CHECK(asked("{}", "application/json").result().has_value());
    CHECK(asked("{}", "application/json;charset=utf-8").result().has_value());
    CHECK(asked("{}", "application/problem+json").result().has_value());
    CHECK(asked("", std::nullopt).result().has_value());
    CHECK(asked("", "application/json").result().has_value());
    for (std::optional<std::string> wrong : {std::optional<std::string>{}, {"text/json"}, {"application/json, text/plain"}, {""}}) {
        auto const reply = asked("{}", wrong);
        REQUIRE(reply.result().has_error());
        CHECK(reply.result().error() == weir::errc::unsupported_media_type);
        CHECK(reply.reported<weir::violation>() ==
              weir::violation{"header", "content-type", "one of application/json, application/*+json"});
        CHECK(reply.reported<weir::accepted_types>() == weir::accepted_types{"Accept", "application/json, application/*+json"});
    }
    CHECK(asked("", "text/plain").result().has_error());
    CHECK(svc.get<weir::content_type>().stats().refused == 5);
    CHECK(weir::describe(svc).text() == "gate content_type types=\"application/json, application/*+json\"\n");
}

TEST_CASE("content_type: of a body that is not there yet the head tells, and the method tells the field of the answer")
{
    weir::pipeline svc{weir::content_type<"text/csv">{}, length};
    CHECK(svc.call(head{"GET"}).result().has_value());
    CHECK(svc.call(head{.verb = "POST", .length = "0"}).result().has_value());
    CHECK(svc.call(head{.verb = "POST", .type = "text/csv", .length = "5"}).result().has_value());
    auto const field = [&](head const& r) -> std::string_view {
        return svc.call(r).reported<weir::accepted_types>().value_or(weir::accepted_types{}).field;
    };
    CHECK(field({.verb = "POST", .length = "5"}) == "Accept-Post");
    CHECK(field({.verb = "PATCH", .coding = "chunked"}) == "Accept-Patch");
    CHECK(field({.verb = "PUT", .type = "text/plain"}) == "Accept");
    CHECK(field({.verb = "POST", .type = "text/csv"}).empty());
}

TEST_CASE("content_type: two of them are none, for another reader may take the other one")
{
    weir::pipeline svc{weir::content_type<"application/json">{}, length};
    test::request_of_lines r;
    r.body = "{}";
    r.lines = {{"content-type", "application/json"}};
    CHECK(svc(r).has_value());
    r.lines.emplace("content-type", "application/json");
    CHECK(svc(r).error() == weir::errc::unsupported_media_type);
    r.lines = {{"content-type", "application/json"}, {"content-type", "text/html"}, {"content-type", "application/json"}};
    CHECK(svc(r).error() == weir::errc::unsupported_media_type);
}

static_assert(weir::content_type<"application/json">::takes("Application/JSON"));
static_assert(!weir::content_type<"application/json">::takes("application/json; a=\""));
static_assert(weir::content_type<"a/b", "*/*">::list() == "a/b, */*");
static_assert(!weir::detail::is_media_range("*/json") && !weir::detail::is_media_range("te*t/x") && !weir::detail::is_media_range("a/x*"));
static_assert(!weir::detail::is_media_range("a/*+") && weir::detail::is_media_range("a/*+x") && weir::detail::is_media_range("*/*"));

} // namespace
