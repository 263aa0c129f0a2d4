// SPDX-License-Identifier: BSL-1.0
#include <weir/http/server_options.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using weir::http::server_options;

namespace {

/// What is said of the usual options when one of them is changed.
std::string complaint(std::function<void(server_options&)> const& change)
{
    server_options o;
    change(o);
    try {
        check(o);
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "";
}

} // namespace

TEST_CASE("server_options: the usual ones are good, and so are the narrowest")
{
    CHECK(complaint([](auto&) {}).empty());
    CHECK(complaint([](auto& o) {
              o.connections = o.requests_per_connection = 1;
              o.limits.header_bytes = 64;
              o.idle_time = o.header_time = o.body_time = 1ns;
              o.drain_time = 0s;
          }).empty());
}

TEST_CASE("server_options: what is out of range is refused by the name of its member")
{
    CHECK(complaint([](auto& o) { o.connections = 0; }) == "connections: expected at least 1");
    CHECK(complaint([](auto& o) { o.requests_per_connection = 0; }).starts_with("requests_per_connection:"));
    CHECK(complaint([](auto& o) { o.limits.header_bytes = 63; }) == "limits.header_bytes: expected at least 64");
    CHECK(complaint([](auto& o) { o.limits.header_bytes = std::size_t{1} << 32; }).starts_with("limits.header_bytes:"));
    CHECK(complaint([](auto& o) { o.limits.line_bytes = 0; }).find("limits.line_bytes") == 0);
    CHECK(complaint([](auto& o) { o.limits.field_bytes = 0; }).find("limits.field_bytes") != std::string::npos);
    CHECK(complaint([](auto& o) { o.idle_time = 0s; }).starts_with("idle_time:"));
    CHECK(complaint([](auto& o) { o.header_time = -1s; }).starts_with("header_time:"));
    CHECK(complaint([](auto& o) { o.body_time = 0s; }).starts_with("body_time:"));
    CHECK(complaint([](auto& o) { o.drain_time = -1ns; }).starts_with("drain_time:"));
}
