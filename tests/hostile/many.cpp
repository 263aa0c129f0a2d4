// SPDX-License-Identifier: BSL-1.0
//
// Ten thousand of something.
#include "client.hpp"
#include "serving.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using hostile::client;
using hostile::honest;
using hostile::serving;

TEST_CASE("many: ten thousand connections that ask nothing take a bounded memory each, and others are served")
{
    constexpr std::size_t spare = 100;
    std::size_t const files = hostile::raise_file_limit();
    std::size_t const count = hostile::sanitized ? 500 : 10'000;
    if (files < count + spare) {
        MESSAGE("skipped: this process may open " << files << " files, the test wants " << count + spare);
        return;
    }
    serving server({.connections = count + spare, .idle_time = 10min, .header_time = 10min, .drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    std::size_t const before = server.resident();

    std::vector<client> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        all.emplace_back(server.port());
        if (i % 100 == 0) CHECK(other.served());
    }
    while (other.ask_stats().open < count + 1) CHECK(other.served());
    std::size_t const idle = (server.resident() - before) / count;
    MESSAGE(count << " idle connections: " << idle << " bytes of the server's memory each");

    for (client& c : all) c.send("GET / HTTP/1.1\r\nHost: x\r\nX-Half: ");
    for (int i = 0; i < 100; ++i) CHECK(other.served());
    std::size_t const begun = (server.resident() - before) / count;
    MESSAGE("with a header begun: " << begun << " bytes each");
    if (!hostile::sanitized) {
        CHECK(idle <= 8'192);
        CHECK(begun <= 12'288);
    }

    // All of them go on: each is served.
    for (client& c : all) c.send("and whole\r\n\r\n");
    for (client& c : all) CHECK(c.take_response().ends_with("GET / 0\n"));
    CHECK(other.ask_stats().open == count + 1);
    CHECK(server.finish());
    for (client& c : all) CHECK(c.read_all().empty());
}

TEST_CASE("many: ten thousand pipelined requests are answered in order, and what is not read yet is not answered yet")
{
    constexpr std::size_t count = 10'000;
    serving server({.drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    std::size_t const before = server.resident();

    std::string requests;
    for (std::size_t i = 0; i < count; ++i) requests += hostile::get("/" + std::to_string(i));
    client one(server.port());
    std::string_view left = requests;
    std::size_t answered = 0, most = 0;
    while (answered < count) {
        left.remove_prefix(one.send_some(left));
        one.read(left.empty() ? hostile::patience : 0ms);
        for (; one.came().ends_with("\n") && answered < count; ++answered) {
            std::string const answer = one.take_response();
            REQUIRE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
            REQUIRE(answer.ends_with("\r\n\r\nGET /" + std::to_string(answered) + " 0\n"));
            if (answered % 100 == 0) {
                CHECK(other.served());
                most = std::max(most, server.resident());
            }
            if (one.came().empty()) {
                ++answered;
                break;
            }
        }
        REQUIRE_FALSE(one.ended());
    }
    CHECK(one.came().empty());
    if (!hostile::sanitized) CHECK(most <= before + (std::size_t{2} << 20));
    CHECK(server.finish());
}
