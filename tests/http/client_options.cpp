// SPDX-License-Identifier: BSL-1.0
#include <weir/http/client_options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
namespace http = weir::http;

TEST_CASE("client_options: the default ones are good, bad ones are named")
{
    auto const wrong = [](http::client_options const& o) {
        try {
            http::check(o);
        } catch (std::invalid_argument const& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(wrong({}).empty());
    CHECK(wrong({.waiting = 0, .idle_time = 0s, .age = 0s, .wait_time = 0s}).empty());
    CHECK(wrong({.connections_per_upstream = 0}) == "connections_per_upstream: expected at least 1");
    CHECK(wrong({.connections = 0}) == "connections: expected at least 1");
    CHECK(wrong({.upstreams = 0}) == "upstreams: expected at least 1");
    CHECK(wrong({.requests_per_connection = 0}) == "requests_per_connection: expected at least 1");
    CHECK(wrong({.idle_time = -1s}) == "idle_time: expected zero or more");
    CHECK(wrong({.connect_time = 0s}) == "connect_time: expected more than zero");
    CHECK(wrong({.first_byte_time = 0s}) == "first_byte_time: expected more than zero");
    CHECK(wrong({.piece_time = 0s}) == "piece_time: expected more than zero");
    CHECK(wrong({.whole_time = 0s}) == "whole_time: expected more than zero");
    CHECK(wrong({.header_bytes = 63}) == "header_bytes: expected at least 64");
}
