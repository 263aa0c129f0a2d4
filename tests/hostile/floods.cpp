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

TEST_CASE("floods: one address has its cap of connections, and others are served meanwhile")
{
    serving server({.connections_per_address = 20, .drain_time = 1s});
    honest other(server.port(), {.from = "127.0.0.2"});
    REQUIRE(other.served());
    std::size_t const before = server.resident();
    std::vector<client> all;
    for (int i = 0; i < 500; ++i) {
        all.emplace_back(server.port());
        if (i % 50 == 0) CHECK(other.served());
    }
    while (other.ask_stats().accepted < all.size() + 1) CHECK(other.served());
    auto const stats = other.ask_stats();
    CHECK(stats.open == 21);
    CHECK(stats.shed == all.size() - 20);
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i >= 20) {
            CHECK(all[i].read_all().empty());
            continue;
        }
        all[i].send(hostile::get("/"));
        CHECK(all[i].take_response().ends_with("GET / 0\n"));
    }
    if (!hostile::sanitized) CHECK(server.resident() <= before + (std::size_t{2} << 20));

    // Their places are free again once they have gone.
    all.clear();
    while (other.ask_stats().open > 1) CHECK(other.served());
    CHECK(honest(server.port()).served());
    CHECK(server.finish());
}
