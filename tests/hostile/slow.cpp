// SPDX-License-Identifier: BSL-1.0
//
// Clients that take their time: each is cut when its time is up, and others are served meanwhile.
#include "client.hpp"
#include "serving.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
using hostile::client;
using hostile::honest;
using hostile::serving;

namespace {

/// Short, so that the tests are.
weir::http::server_options impatient()
{
    return {.idle_time = 300ms, .header_time = 300ms, .body_time = 300ms, .request_time = 600ms, .drain_time = 1s};
}

bool all_ended(std::vector<client> const& all)
{
    return std::ranges::all_of(all, [](client const& c) { return c.ended(); });
}

/// Each of them does a little, then an honest client asks, until all are cut. Returns the most memory that the server had.
template<class DoALittle>
std::size_t slowly(serving const& server, std::vector<client>& all, DoALittle little)
{
    auto const last = std::chrono::steady_clock::now() + hostile::patience;
    std::size_t most = 0;
    honest other(server.port());
    while (!all_ended(all)) {
        for (client& c : all)
            if (!c.ended()) little(c);
        CHECK(other.served());
        most = std::max(most, server.resident());
        REQUIRE(std::chrono::steady_clock::now() < last);
    }
    return most;
}

void check_growth(std::size_t before, std::size_t most, std::size_t bound)
{
    if (hostile::sanitized) return;
    CAPTURE(before);
    CAPTURE(most);
    CHECK(most <= before + bound);
}

/// Opens many connections, sends the beginning on each, then the bytes, one after the other and from the start again, until all are cut
/// and told that status. Where it is empty they may be told nothing: whether half an empty line begins a request is the server's to say.
void trickle(std::string_view beginning, std::string_view bytes, std::string_view status)
{
    constexpr std::size_t count = 40;
    serving server(impatient());
    REQUIRE(honest(server.port()).served());
    std::size_t const before = server.resident();
    std::vector<client> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.emplace_back(server.port());
        all.back().send(beginning);
    }
    std::map<int, std::size_t> sent; // by socket
    std::size_t const most = slowly(server, all, [&](client& c) {
        c.send_some(bytes.substr(sent[c.socket()]++ % bytes.size(), 1));
        c.read(1ms);
    });
    check_growth(before, most, std::size_t{4} << 20);
    std::size_t told = 0;
    for (client const& c : all) {
        CAPTURE(c.came());
        bool const is_status = c.came().starts_with("HTTP/1.1 408 ") || c.came().starts_with("HTTP/1.1 504 ");
        CHECK((c.came().empty() || is_status));
        told += c.came().starts_with("HTTP/1.1 " + std::string(status));
    }
    CHECK((told > 0 || status.empty())); // all of them, unless this process itself is slow
    CHECK(honest(server.port()).ask_stats().timed_out >= count);
    CHECK(server.finish());
}

} // namespace

TEST_CASE("slow clients: one that sends its header byte by byte is cut when the header's time is up")
{
    trickle("GET / HTTP/1.1\r\nHost: x\r\nX-Never-Ending: ", "a", "408");
}

TEST_CASE("slow clients: one that sends its request line byte by byte is cut, too")
{
    trickle("", "G", "408");
}

TEST_CASE("slow clients: one that sends empty lines before its request is cut, too")
{
    trickle("", "\r\n", "");
}

TEST_CASE("slow clients: one that sends its body byte by byte is cut when the body's time is up")
{
    trickle("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "a", "408");
    trickle("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n", "a", "408");
}

TEST_CASE("slow clients: one that sends chunk heads or trailers byte by byte is cut, too")
{
    trickle("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;extension=", "a", "408");
    trickle("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: ", "a", "408");
}

TEST_CASE("slow clients: one that sends a body byte by byte to a handler that reads it so is cut when the request's time is up")
{
    trickle("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "a", "504");
    trickle("POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "504");
}

TEST_CASE("slow clients: one that stops in the middle of such a body is cut when its next bytes do not come")
{
    serving server({.body_time = 300ms, .drain_time = 1s});
    std::vector<client> all;
    for (int i = 0; i < 40; ++i) {
        all.emplace_back(server.port());
        all.back().send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhello");
    }
    slowly(server, all, [](client& c) { c.read(1ms); });
    for (client const& c : all) CHECK(c.came().starts_with("HTTP/1.1 408 "));
    CHECK(server.finish());
}

TEST_CASE("slow clients: one that says nothing is cut")
{
    serving server(impatient());
    std::vector<client> all;
    for (int i = 0; i < 40; ++i) all.emplace_back(server.port());
    slowly(server, all, [](client& c) { c.read(1ms); });
    CHECK(server.finish());
}

TEST_CASE("slow clients: one that keeps its connection after an answer without asking again is cut")
{
    serving server({.idle_time = 300ms, .drain_time = 1s});
    std::vector<client> all;
    for (int i = 0; i < 40; ++i) {
        all.emplace_back(server.port());
        all.back().send(hostile::get("/first"));
    }
    slowly(server, all, [](client& c) { c.read(1ms); });
    for (client const& c : all) CHECK(c.came().ends_with("GET /first 0\n"));
    CHECK(server.finish());
}

TEST_CASE("slow clients: one that does not read its answers is cut, and its requests wait in the system's buffers")
{
    constexpr std::size_t answer = std::size_t{8} << 20;
    serving server(impatient());
    REQUIRE(honest(server.port()).served());
    std::size_t const before = server.resident();
    std::string many;
    for (int i = 0; i < 1'000; ++i) many += hostile::get("/large");
    for (bool reads_a_little : {false, true, false, true}) {
        CAPTURE(reads_a_little);
        auto const timed_out = [&] { return honest(server.port()).ask_stats().timed_out; };
        std::uint64_t const cut_before = timed_out();
        std::vector<client> all;
        for (int i = 0; i < 6; ++i) {
            all.emplace_back(server.port(), client::how{.receive_buffer = 4096});
            all.back().send_some(many);
        }
        auto const last = std::chrono::steady_clock::now() + hostile::patience;
        std::size_t most = 0;
        while (timed_out() < cut_before + all.size()) {
            if (reads_a_little)
                for (client& c : all) c.read(1ms, 100);
            most = std::max(most, server.resident());
            REQUIRE(std::chrono::steady_clock::now() < last);
        }
        // One answer each, and the system's library keeps freed memory for a while.
        check_growth(before, most, 2 * all.size() * answer);
        for (client& c : all) CHECK(c.read_all().size() < answer);
    }
    CHECK(honest(server.port()).ask_stats().open == 1);
    CHECK(server.finish());
}

TEST_CASE("slow clients: one that does not read a stream is cut, and next to nothing of the stream is kept for it")
{
    serving server({.body_time = 300ms, .drain_time = 1s});
    REQUIRE(honest(server.port()).served());
    std::size_t const before = server.resident();
    std::vector<client> all;
    for (int i = 0; i < 10; ++i) {
        all.emplace_back(server.port(), client::how{.receive_buffer = 4096});
        all.back().send(hostile::get("/stream"));
    }
    auto const last = std::chrono::steady_clock::now() + hostile::patience;
    std::size_t most = 0;
    while (honest(server.port()).ask_stats().timed_out < all.size()) {
        most = std::max(most, server.resident());
        REQUIRE(std::chrono::steady_clock::now() < last);
    }
    check_growth(before, most, all.size() * 2 * 65'536 + (std::size_t{4} << 20));
    for (client& c : all) CHECK_FALSE(c.read_all().ends_with("\r\n0\r\n\r\n"));
    CHECK(server.finish());
}
