// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/message_view.hpp>

#include "raw_message.hpp"
#include "request.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

static_assert(weir::signable_message<test::request> && weir::signable_message<weir_tests::raw_response>);
static_assert(weir::verifiable_response<weir_tests::raw_response> && !weir::verifiable_response<weir_tests::raw_request>);
static_assert(!weir::verifiable_message<int> && !weir::verifiable_message<weir_tests::raw_message>);

namespace {

using lines = std::vector<std::string_view>;

lines values(weir::field_lines const& of)
{
    return lines(of.begin(), of.end());
}

} // namespace

TEST_CASE("message_view: all lines of a field are seen, those of trailers apart")
{
    weir_tests::raw_request r;
    r.fields = {{"X-A", "1"}, {"x-b", "2"}, {"x-a", " 3"}};
    r.trailers = {{"x-a", "4"}};
    r.body = "body";
    weir::message_view const view(r);
    CHECK(!view.is_response());
    CHECK(view.method() == "GET");
    CHECK(view.target() == "/");
    CHECK(view.body() == "body");
    CHECK(values(view.fields("x-a")) == lines{"1", " 3"});
    CHECK(values(view.fields("x-a", true)) == lines{"4"});
    CHECK(view.fields("x-c").empty());

    weir_tests::raw_response answer;
    answer.status = 404;
    CHECK(weir::message_view(answer).is_response());
    CHECK(weir::message_view(answer).status() == 404);
}

TEST_CASE("message_view: a type without lines is asked for its one value")
{
    test::request r;
    r.fields["x-a"] = "1";
    weir::message_view const view(r);
    CHECK(values(view.fields("x-a")) == lines{"1"});
    CHECK(view.fields("x-b").empty());
    CHECK(view.fields("x-a", true).empty());
}

TEST_CASE("message_view: a field may have any number of lines")
{
    weir_tests::raw_request r;
    lines expected;
    for (std::string_view const value : {"1", "2", "3", "4", "5"}) {
        r.fields.emplace_back("x-a", value);
        expected.push_back(value);
        auto const found = weir::message_view(r).fields("x-a");
        CHECK(values(found) == expected);
        CHECK(found.size() == expected.size());
        CHECK(found.front() == "1");
        CHECK(found[expected.size() - 1] == value);
    }
}
