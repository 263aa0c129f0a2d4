// SPDX-License-Identifier: BSL-1.0
//
// Everything without an end: each is cut at its limit, with the answer that says so.
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

/// Sends the beginning, then the piece again and again until the server ends the connection: what it said.
std::string endless(serving const& server, std::string_view beginning, std::string_view piece)
{
    constexpr std::size_t far_too_much = std::size_t{64} << 20; // the systems' buffers take some of it
    std::string block;
    while (block.size() < 32'768) block += piece;
    client one(server.port());
    one.send(beginning);
    std::size_t sent = 0;
    for (std::string_view left = block; !one.ended() && sent < far_too_much;) {
        std::size_t const now = one.send_some(left);
        sent += now;
        left.remove_prefix(now);
        if (left.empty()) left = block;
        // What the server says is read before its last reset comes.
        one.read(now > 0 ? 0ms : 5ms);
    }
    CHECK(sent < far_too_much);
    return one.came();
}

void is_answered(serving const& server, std::string_view beginning, std::string_view piece, std::string_view status)
{
    CAPTURE(beginning);
    CAPTURE(piece);
    std::string const said = endless(server, beginning, piece);
    CHECK(said.starts_with("HTTP/1.1 " + std::string(status) + " "));
    CHECK(said.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(said.find("HTTP/1.1", 8) == std::string::npos); // one answer, and nothing behind it
    CHECK(honest(server.port()).served());
}

} // namespace

TEST_CASE("oversized: whatever has no end is refused at its limit, and takes a bounded memory")
{
    serving server({.limits = {.body_bytes = 100'000}, .streamed_body_bytes = 1'000'000, .drain_time = 1s});
    REQUIRE(honest(server.port()).served());
    std::size_t const before = server.resident();
    std::string const head = "POST / HTTP/1.1\r\nHost: x\r\n";
    std::string const chunked = head + "Transfer-Encoding: chunked\r\n\r\n";

    is_answered(server, "", "\r\n", "431");
    is_answered(server, "", "G", "414");
    is_answered(server, "GET /", "a", "414");
    is_answered(server, "GET /?", "a=b&", "414");
    is_answered(server, "GET / HTTP/1.1", "1", "414");
    is_answered(server, head, "A: b\r\n", "431");
    is_answered(server, head, "A", "431");
    is_answered(server, head + "A: ", "b", "431");
    is_answered(server, head + "A:", " ", "431");
    is_answered(server, head + "Content-Length: ", "9", "431");
    is_answered(server, head + "Content-Length: 999999999999999999\r\n\r\n", "x", "413");
    is_answered(server, head + "Content-Length: 100001\r\n\r\n", "x", "413");
    is_answered(server, chunked, "3\r\nabc\r\n", "413");
    is_answered(server, chunked + "fffffffffffffff\r\n", "x", "413");
    is_answered(server, chunked, "0", "400");
    is_answered(server, chunked + "5;", "a", "400");
    is_answered(server, chunked, "1;a=b\r\nx\r\n", "400");
    is_answered(server, chunked + "5", ";a=\"b\"", "400");
    is_answered(server, chunked + "5;a=\"", "b", "400");
    is_answered(server, "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "413");
    is_answered(server, "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;", "a", "400");
    is_answered(server, chunked + "0\r\n", "A: b\r\n", "431");
    is_answered(server, chunked + "0\r\nA: ", "b", "431");

    std::size_t const after = server.resident();
    CAPTURE(before);
    CAPTURE(after);
    if (!hostile::sanitized) CHECK(after <= before + (std::size_t{4} << 20));
    CHECK(server.finish());
}

TEST_CASE("oversized: what is as large as it may be is taken")
{
    serving server(
        {.limits = {.line_bytes = 200, .field_bytes = 100, .header_bytes = 400, .fields = 4, .body_bytes = 1'000}, .drain_time = 1s});
    auto const status = [&](std::string const& request) {
        client one(server.port());
        one.send(request);
        std::string const said = one.take_response();
        return said.substr(9, 3);
    };
    auto const line = [](std::size_t size) { return "GET /" + std::string(size - 16, 'a') + " HTTP/1.1\r\n"; };
    auto const field = [](std::size_t size) { return "A: " + std::string(size - 5, 'b') + "\r\n"; };
    CHECK(status(line(200) + "Host: x\r\n\r\n") == "200");
    CHECK(status(line(201) + "Host: x\r\n\r\n") == "414");
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\n" + field(100) + "\r\n") == "200");
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\n" + field(101) + "\r\n") == "431");
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\n" + field(90) + field(90) + field(90) + "\r\n") == "200");
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\n" + field(10) + field(10) + field(10) + field(10) + "\r\n") == "431");
    CHECK(status(line(200) + "Host: x\r\n" + field(100) + field(89) + "\r\n") == "200");
    CHECK(status(line(200) + "Host: x\r\n" + field(100) + field(90) + "\r\n") == "431");
    std::string const post = "POST / HTTP/1.1\r\nHost: x\r\n";
    CHECK(status(post + "Content-Length: 1000\r\n\r\n" + std::string(1'000, 'x')) == "200");
    CHECK(status(post + "Content-Length: 1001\r\n\r\n") == "413");
    CHECK(status(post + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + std::string(1'000, 'x') + "\r\n0\r\n\r\n") == "200");
    CHECK(status(post + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + std::string(1'000, 'x') + "\r\n1\r\n") == "413");
    CHECK(server.finish());
}
