// SPDX-License-Identifier: BSL-1.0
//
// Clients that go away in the middle, by a reset or by ending their side, after each byte of a conversation.
#include "client.hpp"
#include "serving.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using hostile::client;
using hostile::honest;
using hostile::serving;

namespace {

constexpr std::string_view conversation = "GET /first HTTP/1.1\r\nHost: x\r\n\r\n"
                                          "POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                                          "POST /third HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                          "5;a=b\r\nhello\r\n0\r\nTrailer: x\r\n\r\n";

/// Whether, sooner or later, the honest client's connection is the only one.
bool alone(honest& other)
{
    auto const last = std::chrono::steady_clock::now() + hostile::patience;
    while (other.ask_stats().open > 1) {
        if (std::chrono::steady_clock::now() > last) return false;
    }
    return true;
}

} // namespace

TEST_CASE("resets: after each byte of a conversation, the server goes on and keeps nothing")
{
    serving server({.drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    std::size_t const before = server.resident();
    for (std::size_t size = 0; size <= conversation.size(); ++size) {
        for (int again = 0; again < 5; ++again) {
            client one(server.port());
            one.send(conversation.substr(0, size));
            one.reset();
        }
        CHECK(other.served());
    }
    CHECK(alone(other));
    if (!hostile::sanitized) CHECK(server.resident() <= before + (std::size_t{2} << 20));
    CHECK(server.finish());
}

TEST_CASE("resets: one whose client ends its side after any byte is ended, with the answers that were asked for")
{
    serving server({.drain_time = 1s});
    honest other(server.port());
    for (std::size_t size = 0; size <= conversation.size(); ++size) {
        client one(server.port());
        one.send(conversation.substr(0, size));
        one.end_output();
        std::string const& said = one.read_all();
        std::size_t const second = conversation.find("POST /second"), third = conversation.find("POST /third");
        CAPTURE(size);
        CHECK((said.find("GET /first 0\n") != std::string::npos) == (size >= second));
        CHECK((said.find("POST /second 5\n") != std::string::npos) == (size >= third));
        CHECK((said.find("POST /third 5\n") != std::string::npos) == (size == conversation.size()));
    }
    CHECK(alone(other));
    CHECK(server.finish());
}

TEST_CASE("resets: in the middle of an answer the server goes on and keeps nothing")
{
    serving server({.drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    std::size_t const before = server.resident();
    for (int again = 0; again < 30; ++again) {
        client one(server.port(), {.receive_buffer = 4096});
        one.send(hostile::get("/large"));
        while (one.came().size() < 100'000) REQUIRE(one.read());
        one.reset();
        CHECK(other.served());
    }
    CHECK(alone(other));
    if (!hostile::sanitized) CHECK(server.resident() <= before + (std::size_t{20} << 20));
    CHECK(server.finish());
}

TEST_CASE("resets: while the handler works it is cancelled, and nothing is kept")
{
    serving server({.drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    for (int again = 0; again < 100; ++again) {
        client one(server.port());
        one.send(hostile::get("/waits"));
        if (again % 2 == 0) one.send(hostile::get("/behind"));
        one.reset();
        CHECK(other.served());
    }
    CHECK(alone(other));
    CHECK(server.finish());
}

TEST_CASE("resets: in the middle of what streams, in either direction, the server goes on and keeps nothing")
{
    serving server({.drain_time = 1s});
    honest other(server.port());
    REQUIRE(other.served());
    std::size_t const before = server.resident();
    for (std::size_t again = 0; again < 50; ++again) {
        client down(server.port());
        down.send(hostile::get("/stream"));
        while (down.came().size() < again * 10'000 + 1) REQUIRE(down.read());
        down.reset();
        client up(server.port());
        up.send("POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (std::size_t i = 0; i < again; ++i) up.send("5\r\nhello\r\n");
        if (again % 2 == 0)
            up.reset();
        else
            up.end_output();
        CHECK(other.served());
        if (again % 2 != 0) CHECK(up.read_all().starts_with("HTTP/1.1 400 "));
    }
    CHECK(alone(other));
    if (!hostile::sanitized) CHECK(server.resident() <= before + (std::size_t{4} << 20));
    CHECK(server.finish());
}
