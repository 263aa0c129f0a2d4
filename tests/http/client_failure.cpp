// SPDX-License-Identifier: BSL-1.0
#include <weir/http/client_failure.hpp>

#include <weir/core/result.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <set>
#include <string>

namespace http = weir::http;

TEST_CASE("client_failure: the text names who was asked, what was done, and what went wrong")
{
    http::client_failure f{
        .upstream = "bank:443", .stage = http::client_stage::first_byte, .why = make_error_code(weir::errc::upstream_failed)};
    CHECK(f.text() == "bank:443: first byte: upstream_failed");
    f.detail = "it is closed on Sundays";
    CHECK(f.text() == "bank:443: first byte: it is closed on Sundays");
}

TEST_CASE("client_failure: each stage has a name of its own")
{
    using enum http::client_stage;
    std::set<std::string_view> names;
    for (auto const stage : {wait, look_up, connect, handshake, request, first_byte, body}) names.insert(http::to_string(stage));
    CHECK(names.size() == 7);
    CHECK_FALSE(names.contains(""));
}
