// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/reject_injection.hpp>

#include "request.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/stack.hpp>
#include <weir/core/without.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

int answer(test::request const&)
{
    return 1;
}

TEST_CASE("reject_injection: paths, queries and bodies are looked at, decoded; what is told is nothing of theirs")
{
    weir::pipeline svc{
        weir::reject_injection<weir::injection::sql, weir::injection::script, weir::injection::path, weir::injection::header_splitting>{},
        answer};
    auto const told = [&](std::string target, std::string body = {}, std::string type = "application/json") {
        test::request r{.target = std::move(target), .body = std::move(body)};
        r.fields["content-type"] = std::move(type);
        auto const reply = svc.call(r);
        if (reply.result().has_value()) return std::string("passed");
        CHECK(reply.result().error() == weir::errc::invalid_request);
        return to_string(reply.reported<weir::violation>().value_or(weir::violation{}));
    };
    std::string const sql = ": expected a text that no database takes for a part of a query",
                      script = ": expected a text that no browser takes for a part of a page that runs something";
    CHECK(told("/orders?symbol=ACME&note=it's+fine") == "passed");
    CHECK(told("/orders?id=1%20or%201=1") == "query" + sql);
    CHECK(told("/orders?id=1+or+1=1") == "query" + sql);
    CHECK(told("/orders?id=1%2520or%25201%253d1") == "query" + sql);
    CHECK(told("/orders?1'%20or%20'1'%3d'1") == "query" + sql);
    CHECK(told("/orders/1%20or%201=1") == "path" + sql);
    CHECK(told("/orders?q=%3Cscript%3Ealert(1)%3C/script%3E") == "query" + script);
    CHECK(told("/files/..%2f..%2fetc") == "path: expected a text that leads to no other folder");
    CHECK(told("/files?next=%0d%0aSet-Cookie:%20a=b") == "query: expected a text that stays in its line of a header");
    CHECK(told("/orders", R"({"a":["x",{"b":"' or 1=1--"}]})") == "body" + sql);
    CHECK(told("/orders", R"({"a":"\u0027 or 1=1--"})") == "body" + sql);
    CHECK(told("/orders", R"({"' or 1=1--":1})") == "body" + sql);
    CHECK(told("/orders", R"({"a":"lines\r\nNote: of text"})") == "passed");
    CHECK(told("/orders", "a=1&b=%3Cimg+src=x+onerror=alert(1)%3E", "application/x-www-form-urlencoded") == "body" + script);
    CHECK(told("/orders", "<svg onload=x>", "text/plain") == "body" + script);
    CHECK(told("/orders", "<svg onload=x>", "application/octet-stream") == "passed");
    // What does not say what it is may be read as anything.
    for (char const* type : {"", "json", "application/json; charset"}) {
        CHECK(told("/orders", R"({"a":["x",{"b":"\u0027 or 1=1--"}]})", type) == "body" + sql);
        CHECK(told("/orders", "a=1&b=%3Cimg+src=x+onerror=alert(1)%3E", type) == "body" + script);
        CHECK(told("/orders", "<svg onload=x>", type) == "body" + script);
        CHECK(told("/orders", R"({"a":"it's \"fine\"","b":["and", "so = 1", "is -- this"]})", type) == "passed");
    }
    CHECK(svc.get<weir::reject_injection>().stats().refused == 22);
    CHECK(weir::describe(svc).text() ==
          "gate reject_injection detectors=\"sql, script, path, header_splitting\" body=true body_bytes=1048576\n");
    svc.get<weir::reject_injection>().reconfigure({.body = false});
    CHECK(told("/orders", "<svg onload=x>", "text/plain") == "passed");
    CHECK(told("/orders?id=1+or+1=1") == "query" + sql);
}

TEST_CASE("reject_injection: a route where people write texts opts out by type, whatever detectors the baseline has")
{
    auto const baseline = [] { return weir::stack{weir::reject_injection<weir::injection::sql, weir::injection::script>{}}; };
    weir::pipeline orders{baseline(), answer};
    weir::pipeline notes{baseline() | weir::without<weir::made_from<weir::reject_injection>>{}, answer};
    test::request const odd{.target = "/notes?text=1+or+1=1"};
    CHECK(orders(odd).error() == weir::errc::invalid_request);
    CHECK(notes(odd).has_value());
}

TEST_CASE("reject_injection: a body of two types is looked at as one of none")
{
    weir::pipeline svc{weir::reject_injection<weir::injection::script>{}, [](test::request_of_lines const&) { return 1; }};
    test::request_of_lines r;
    r.body = "<svg onload=x>";
    r.lines = {{"content-type", "application/octet-stream"}};
    CHECK(svc(r).has_value());
    r.lines.emplace("content-type", "text/html");
    CHECK(svc(r).error() == weir::errc::invalid_request);
}

} // namespace
