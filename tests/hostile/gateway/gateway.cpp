// SPDX-License-Identifier: BSL-1.0
//
// Hostile streams through the running gateway, with a service behind it that records every byte: what must be refused never reaches that
// service, nor does anything behind it on the connection. The gateway's program is named by WEIR_GATEWAY, its settings lie beside it.
#include "../../../examples/gateway/demo_keys.hpp"
#include "../../../examples/gateway/process.hpp"
#include "../../http/framed.hpp"
#include "../../http/gunicorn.hpp"
#include "../../http/vectors.hpp"
#include "../client.hpp"
#include "recorder.hpp"

#include <weir/sign/encoding.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;
using verdict = weir_tests::framed::verdict;
using hostile::client;
using hostile::recorder;

namespace {

/// What the gateway signs with, and who issues the tokens that it takes.
gateway::demo_keys const& keys()
{
    static gateway::demo_keys const made;
    return made;
}

/// The gateway as it is, but for its ports and keys, and without its limits of rate.
class running_gateway {
public:
    explicit running_gateway(recorder const& service) : process_(program(), arguments(service))
    {
        auto const line = process_.next_line(20s);
        unsigned port = 0;
        if (!line || std::sscanf(line->c_str(), "listening on %u", &port) != 1) throw std::runtime_error("the gateway does not start");
        port_ = static_cast<std::uint16_t>(port);
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] int end() { return process_.end(); }

private:
    static std::string program()
    {
        char const* const name = std::getenv("WEIR_GATEWAY");
        if (name == nullptr) throw std::runtime_error("WEIR_GATEWAY does not name the gateway's program");
        return name;
    }
    static std::vector<std::string> arguments(recorder const& service)
    {
        std::string const port = std::to_string(service.port());
        std::vector<std::string> all;
        for (std::string change : {std::string("/listen/port=0"), std::string("/actuator/port=0"), "/upstreams/quotes/port=" + port,
                                   "/upstreams/orders/port=" + port, std::string("/routes/quotes/rate/permits=1000000"),
                                   std::string("/routes/quotes/rate/burst=1000000"), std::string("/routes/quotes/timeout=10s")}) {
            all.emplace_back("--set");
            all.push_back(std::move(change));
        }
        for (std::string const& file : keys().settings()) {
            all.emplace_back("--set");
            all.push_back(file);
        }
        std::string const name = program();
        all.push_back(name.substr(0, name.rfind('/') + 1) + "gateway.json");
        return all;
    }

    gateway::process process_;
    std::uint16_t port_ = 0;
};

/// The fields of who may read, and an id.
std::string reader(std::string_view id)
{
    static std::string const token = keys().issuer.token();
    return "x-correlation-id: " + std::string(id) + "\r\nx-device-id: till-7\r\nAuthorization: Bearer " + token + "\r\n";
}
/// A request that the gateway sends on to the service, with that id in it.
std::string good(std::string_view id)
{
    return "GET /quotes?limit=9 HTTP/1.1\r\nHost: gateway\r\n" + reader(id) + "\r\n";
}

bool is_plain(std::string_view text, std::string_view more)
{
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
    });
}

/// The stream, its first request turned to a route that is sent on, with an id, and with a Host if it has none and that is wished. A
/// request line that is wrong by itself stays as it is.
std::string routed(std::string const& stream, std::string_view id, bool with_host)
{
    auto const end = stream.find("\r\n");
    std::string const line = stream.substr(0, end);
    auto const first = line.find(' '), last = line.rfind(' ');
    if (end == std::string::npos || first == std::string::npos || line.substr(first + 1, 1) != "/" || first == last) return stream;
    if (!is_plain(line.substr(0, first), "") || !is_plain(line.substr(first + 1, last - first - 1), "/?=&._-")) return stream;
    std::string made = "GET /quotes?limit=7" + line.substr(last) + "\r\n" + reader(id);
    std::string rest = stream.substr(end + 2);
    if (with_host && rest.find("Host:") == std::string::npos && rest.find("HOST:") == std::string::npos) made += "Host: gateway\r\n";
    return made + rest;
}

struct counts {
    int streams = 0, refused = 0, sent_on = 0, behind_sent_on = 0;
};

/// Sends stream after stream, each on a connection of its own, with a good request behind it.
class sender {
public:
    void send(std::string const& stream, std::string const& name, bool must_refuse = false)
    {
        for (bool with_host : {false, true}) {
            std::string const id = "stream-" + std::to_string(all_.streams);
            std::string const sent = routed(stream, id + "-first", with_host);
            if (with_host && sent == routed(stream, id + "-first", false)) continue;
            judge(sent, id, name, must_refuse && !with_host);
        }
    }
    [[nodiscard]] counts const& so_far() const noexcept { return all_; }
    /// The gateway is in order, ends, and all that the service has is well formed.
    void finish()
    {
        client last(gateway_.port());
        last.send(good("at-last"));
        CHECK(last.take_response().starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(service_.has_seen("at-last"));
        CHECK(gateway_.end() == 0);
        for (std::string const& one : service_.record()) {
            CAPTURE(one);
            CHECK(weir_tests::frame(one).found == verdict::accept);
        }
    }

private:
    void judge(std::string const& sent, std::string const& id, std::string const& name, bool must_refuse)
    {
        CAPTURE(name);
        CAPTURE(sent);
        ++all_.streams;
        auto const wanted = weir_tests::frame(sent);
        if (must_refuse) REQUIRE(wanted.found != verdict::accept);
        client one(gateway_.port());
        one.send(sent);
        one.send(good(id + "-behind"));
        one.end_output();
        std::string const said = one.read_all();
        bool const first = service_.has_seen(id + "-first"), behind = service_.has_seen(id + "-behind");
        all_.sent_on += first;
        all_.behind_sent_on += behind;
        if (wanted.found != verdict::accept) {
            ++all_.refused;
            CHECK_FALSE(behind);
            if (wanted.complete == 0) CHECK_FALSE(first);
            // Unless one before it has ended the connection, whoever is refused is told so.
            if (wanted.found == verdict::reject && wanted.complete == 0) {
                bool const is_told = said.find("HTTP/1.1 4") != std::string::npos || said.find("HTTP/1.1 5") != std::string::npos;
                CHECK(is_told);
            }
        } else if (sent.find(id) != std::string::npos) {
            CHECK(first);
        }
    }

    recorder service_;
    running_gateway gateway_{service_};
    counts all_;
};

} // namespace

TEST_CASE("through the gateway: what must be refused never reaches the service, nor what stands behind it")
{
    sender all;
    std::string const get = "GET /x HTTP/1.1\r\nHost: x\r\n";
    std::string const chunked = get + "Transfer-Encoding: chunked\r\n";
    std::string const refused[] = {
        get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        get + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        get + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
        get + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        get + "Content-Length: 0, 5\r\n\r\nhello",
        get + "Content-Length: +5\r\n\r\nhello",
        get + "Content-Length: 0x5\r\n\r\nhello",
        get + "Content-Length: 5 \x0b\r\n\r\nhello",
        get + "Content-Length : 5\r\n\r\nhello",
        get + "Content-Length\t: 5\r\n\r\nhello",
        get + " Content-Length: 5\r\n\r\nhello",
        get + "X: y\r\n Content-Length: 5\r\n\r\nhello",
        get + "X: y\nContent-Length: 5\r\n\r\nhello",
        get + "X: y\rContent-Length: 5\r\n\r\nhello",
        get + "X: y" + std::string(1, '\0') + "\r\n\r\n",
        get + "Host: y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: x@y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: x/y\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: [v1.a b]\r\n\r\n",
        "GET /x HTTP/1.1\nHost: x\n\n",
        "GET /x HTTP/1.1\r\r\nHost: x\r\n\r\n",
        "GET  /x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /x HTTP/1.1 \r\nHost: x\r\n\r\n",
        "GET /x HTTP/1.2\r\nHost: x\r\n\r\n",
        "GET /x HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET /x\r\n\r\n",
        "GET /x\ty HTTP/1.1\r\nHost: x\r\n\r\n",
        get + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        get + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        get + "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
        get + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        get + "Transfer-Encoding:\x0b"
              "chunked\r\n\r\n0\r\n\r\n",
        get + "Transfer-Encoding\x01: chunked\r\n\r\n0\r\n\r\n",
        "GET /x HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        chunked + "\r\n5 \r\nhello\r\n0\r\n\r\n",
        chunked + "\r\n+5\r\nhello\r\n0\r\n\r\n",
        chunked + "\r\n0x5\r\nhello\r\n0\r\n\r\n",
        chunked + "\r\n5\nhello\r\n0\r\n\r\n",
        chunked + "\r\n5\r\nhelloX0\r\n\r\n",
        chunked + "\r\n5\r\nhello\n0\r\n\r\n",
        chunked + "\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
        chunked + "\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
        chunked + "\r\n-5\r\nhello\r\n0\r\n\r\n",
        chunked + "\r\n0\r\nContent-Length: 5\r\n\r\n",
        chunked + "\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunked + "\r\n0\r\nHost: y\r\n\r\n",
        chunked + "\r\n0\r\nA : b\r\n\r\n",
        chunked + "\r\n0\r\n A: b\r\n\r\n",
        chunked + "\r\n0\n\n",
        get + "Content-Length: 99999999999999999999\r\n\r\n",
        get + "Content-Length: 1048577\r\n\r\n",
        get + "Content-Length: 100000\r\n\r\n",
        chunked + "\r\nffff\r\n",
        get + "X: " + std::string(20'000, 'x') + "\r\n\r\n",
    };
    for (std::string const& stream : refused) all.send(stream, "of our own", true);
    CHECK(all.so_far().sent_on == 0);
    CHECK(all.so_far().behind_sent_on == 0);

    std::string const taken[] = {
        get + "\r\n",
        "\r\n" + get + "\r\n",
        get + "Content-Length: 5\r\n\r\nhello",
        chunked + "\r\n5;a=\"b\"\r\nhello\r\n0\r\nA: b\r\n\r\n",
        get + "Content-Length: 0\r\n\r\n",
    };
    int const before = all.so_far().behind_sent_on;
    for (std::string const& stream : taken) all.send(stream, "of our own, good");
    CHECK(all.so_far().behind_sent_on - before == std::ssize(taken));
    all.finish();
}

TEST_CASE("through the gateway: the samples")
{
    auto files = weir_tests::vectors("samples");
    if (files["http.jsonl"].empty()) {
        MESSAGE("skipped: no vectors here, set WEIR_VECTORS");
        return;
    }
    sender all;
    std::istringstream lines(files["http.jsonl"]);
    auto const member = [](std::string const& line, std::string const& name) {
        auto const from = line.find("\"" + name + "\"");
        auto const begin = line.find('"', from + name.size() + 2) + 1;
        return line.substr(begin, line.find('"', begin) - begin);
    };
    for (std::string line; std::getline(lines, line);) {
        auto const stream = weir::from_base64(member(line, "raw_b64"));
        REQUIRE(stream.has_value());
        all.send(*stream, member(line, "source"), member(line, "server_verdict") == "reject");
    }
    MESSAGE(all.so_far().streams << " streams, " << all.so_far().refused << " to be refused");
    CHECK(all.so_far().refused > 30);
    CHECK(all.so_far().behind_sent_on > 0);
    all.finish();
}

TEST_CASE("through the gateway: the requests of gunicorn's tests")
{
    if (weir_tests::vectors("gunicorn-http/invalid").empty()) {
        MESSAGE("skipped: no vectors here, set WEIR_VECTORS");
        return;
    }
    using namespace weir_tests::gunicorn;
    sender all;
    for (auto const& [name, text] : weir_tests::vectors("gunicorn-http/invalid")) {
        bool const by_limit = beyond_limits.contains(name) || name == stands_in_both;
        all.send(weir_tests::unescape(text), "invalid/" + name, !by_limit);
    }
    for (auto const& [name, text] : weir_tests::vectors("gunicorn-http/valid")) {
        all.send(weir_tests::unescape(text), "valid/" + name, refused_though_valid.contains(name));
    }
    MESSAGE(all.so_far().streams << " streams, " << all.so_far().refused << " to be refused");
    CHECK(all.so_far().refused > 60);
    CHECK(all.so_far().behind_sent_on > 0);
    all.finish();
}
