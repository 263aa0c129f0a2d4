// SPDX-License-Identifier: BSL-1.0
#include "request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/validate/max_body.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

std::size_t answer(test::request const& r)
{
    return r.body.size();
}

TEST_CASE("max_body: a body of the limit passes, one byte more is refused with the limit")
{
    weir::pipeline svc{weir::max_body{{.bytes = 10}}, answer};
    for (std::size_t size : {0u, 1u, 9u, 10u}) CHECK(svc(test::request{.body = std::string(size, 'b')}).value() == size);
    for (std::size_t size : {11u, 12u, 1000u}) {
        auto const reply = svc.call(test::request{.body = std::string(size, 'b')});
        REQUIRE(reply.result().has_error());
        CHECK(reply.result().error() == weir::errc::payload_too_large);
        auto const& told = reply.reported<weir::violation>();
        REQUIRE(told.has_value());
        CHECK(told->where == "body");
        CHECK(told->name.empty());
        CHECK(told->expected == "at most 10 bytes");
    }
    CHECK(svc.get<weir::max_body>().stats().refused == 3);
}

TEST_CASE("max_body: the limit can be changed while it runs")
{
    weir::pipeline svc{weir::max_body{{.bytes = 0}}, answer};
    test::request const r{.body = "four"};
    CHECK(svc(r).has_error());
    svc.get<weir::max_body>().reconfigure({.bytes = 4});
    CHECK(svc(r).value() == 4);
    CHECK(*svc.get<weir::max_body>().settings().bytes == 4);
}

} // namespace
