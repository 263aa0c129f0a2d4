// SPDX-License-Identifier: BSL-1.0
//
// More connections than the server takes.
#include "client.hpp"
#include "serving.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

using namespace std::chrono_literals;
using hostile::client;
using hostile::honest;
using hostile::serving;

TEST_CASE("floods: connections beyond the cap wait until one ends, and an honest client has its turn")
{
    serving server({.connections = 20, .idle_time = 200ms, .header_time = 200ms, .drain_time = 1s});
    std::size_t const before = server.resident();
    std::vector<client> all;
    for (int i = 0; i < 200; ++i) all.emplace_back(server.port());
    for (int i = 0; i < 3; ++i) CHECK(honest(server.port()).served());
    CHECK(honest(server.port()).ask_stats().open <= 20);
    for (client& c : all) c.read_all();
    CHECK(honest(server.port()).ask_stats().open == 1);
    if (!hostile::sanitized) CHECK(server.resident() <= before + (std::size_t{4} << 20));
    CHECK(server.finish());
}

TEST_CASE("floods: one that opens and closes as fast as it can leaves nothing behind")
{
    serving server({.drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    std::size_t const before = server.resident();
    for (int i = 0; i < 3'000; ++i) {
        client one(server.port());
        if (i % 3 == 0) one.send(hostile::get("/"));
        if (i % 2 == 0) one.reset();
        if (i % 50 == 0) CHECK(other.served());
    }
    while (other.ask_stats().open > 1) CHECK(other.served());
    if (!hostile::sanitized) CHECK(server.resident() <= before + (std::size_t{2} << 20));
    CHECK(server.finish());
}
