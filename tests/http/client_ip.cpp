// SPDX-License-Identifier: BSL-1.0
#include <weir/http/client_ip.hpp>

#include "loopback.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/http/edge.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace http = weir::http;
using namespace std::chrono_literals;

namespace {

using lines = std::vector<std::string_view>;

http::request request_of(std::string_view peer, std::string_view field = {}, lines const& values = {})
{
    http::request r("GET", "/");
    r.peer(std::string(peer));
    for (std::string_view const value : values) r.insert(field, value);
    return r;
}

/// Whom the policy takes for the client.
struct finder {
    weir::pipeline<weir::stack<weir::trusted_proxies>, std::string (*)(http::request const&, weir::view<weir::client_ip>)> svc;

    explicit finder(weir::trusted_proxies_options o)
        : svc(
              weir::trusted_proxies(std::move(o)), +[](http::request const&, weir::view<weir::client_ip> v) {
                  weir::client_ip const& found = v.get<weir::client_ip>();
                  return found.address().to_string() + (found.forwarded() ? " forwarded" : "");
              })
    {
    }
    std::string operator()(http::request const& r) { return svc(r).value(); }
    std::string list(lines const& values) { return (*this)(request_of("10.0.0.1", "X-Forwarded-For", values)); }
    std::string standard(lines const& values) { return (*this)(request_of("10.0.0.1", "Forwarded", values)); }
};

weir::trusted_proxies_options const inside{.networks = {"10.0.0.0/8", "2001:db8:aaaa::/48"}};

} // namespace

TEST_CASE("client_ip: nobody is believed but a trusted proxy")
{
    finder trusting(inside);
    finder alone({});
    CHECK(trusting(request_of("192.0.2.1", "X-Forwarded-For", {"203.0.113.9"})) == "192.0.2.1");
    CHECK(alone(request_of("10.0.0.1", "X-Forwarded-For", {"203.0.113.9"})) == "10.0.0.1");
    CHECK(trusting(request_of("10.0.0.1", "X-Forwarded-For", {"203.0.113.9"})) == "203.0.113.9 forwarded");
    CHECK(trusting(request_of("::ffff:10.0.0.1", "X-Forwarded-For", {"203.0.113.9"})) == "203.0.113.9 forwarded");
    CHECK(trusting(request_of("2001:db8:aaaa::1", "x-forwarded-for", {"203.0.113.9"})) == "203.0.113.9 forwarded");
    CHECK(trusting(request_of("fe80::1%eth0")) == "fe80::1");
    CHECK(trusting(request_of("10.0.0.1")) == "10.0.0.1");
    CHECK(trusting(request_of("")) == "::");
    // The other field is the client's own.
    CHECK(trusting(request_of("10.0.0.1", "Forwarded", {"for=203.0.113.9"})) == "10.0.0.1");
}

TEST_CASE("client_ip: the list is walked from its end, to the first who is not trusted")
{
    finder find(inside);
    CHECK(find.list({"203.0.113.9, 198.51.100.7"}) == "198.51.100.7 forwarded");
    CHECK(find.list({"203.0.113.9, 198.51.100.7, 10.1.1.1 ,10.2.2.2"}) == "198.51.100.7 forwarded");
    CHECK(find.list({"203.0.113.9", "198.51.100.7", "10.1.1.1"}) == "198.51.100.7 forwarded"); // lines are one list
    CHECK(find.list({"10.3.3.3, 10.1.1.1"}) == "10.3.3.3 forwarded");                          // all of them are trusted
    CHECK(find.list({"203.0.113.9:4711"}) == "203.0.113.9 forwarded");
    CHECK(find.list({"[2001:db8::1]:4711"}) == "2001:db8::1 forwarded");
    CHECK(find.list({"[2001:db8::1]"}) == "2001:db8::1 forwarded");
    CHECK(find.list({"2001:db8::1"}) == "2001:db8::1 forwarded");
}

TEST_CASE("client_ip: what the client wrote further left makes no difference, what is malformed in the walk does")
{
    finder find(inside);
    for (std::string_view const forged : {"", ",", "nonsense", "\"", "10.0.0.1", "for=\"", "unknown", "1.2.3.4:x"}) {
        CAPTURE(forged);
        CHECK(find.list({std::string(forged) + ", 198.51.100.7, 10.1.1.1"}) == "198.51.100.7 forwarded");
        CHECK(find.list({forged, "198.51.100.7"}) == "198.51.100.7 forwarded");
    }
    for (std::string_view const wrong : {"", " ", "203.0.113.9,", "203.0.113.9, ,10.1.1.1", "203.0.113.9 10.1.1.1", "unknown",
                                         "_hidden, 10.1.1.1", "203.0.113.9:", "203.0.113.9:123456", "203.0.113.9:80x", "[203.0.113.9]",
                                         "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]x", "::1%eth0", "localhost"}) {
        CAPTURE(wrong);
        CHECK(find.list({"203.0.113.9", wrong}) == "10.0.0.1");
    }
    CHECK(find.svc.get<weir::trusted_proxies>().stats().forwarded == 16);
    CHECK(find.svc.get<weir::trusted_proxies>().stats().malformed == 16);
}

TEST_CASE("client_ip: Forwarded is read as RFC 7239 has it")
{
    finder find({.networks = inside.networks, .field = weir::forwarding_field::forwarded});
    CHECK(find.standard({"for=203.0.113.9"}) == "203.0.113.9 forwarded");
    CHECK(find.standard({"For=\"[2001:db8:cafe::17]:4711\""}) == "2001:db8:cafe::17 forwarded");
    CHECK(find.standard({"proto=http;by=203.0.113.43;for=192.0.2.60"}) == "192.0.2.60 forwarded");
    CHECK(find.standard({"for=192.0.2.43, for=198.51.100.17"}) == "198.51.100.17 forwarded");
    CHECK(find.standard({"for=192.0.2.43;host=\"a,b;c\" , for=10.1.1.1 ; proto=https"}) == "192.0.2.43 forwarded");
    CHECK(find.standard({"for=192.0.2.43", "for=\"10.1.1.1:80\""}) == "192.0.2.43 forwarded");
    CHECK(find.standard({"for=\"", "for=192.0.2.43"}) == "192.0.2.43 forwarded"); // a line of the client's own
    for (std::string_view const wrong :
         {"", "for", "for=", "for=\"\"", "for=unknown", "for=_hidden", "for=\"_x:1\"", "for=2001:db8::1", "for=\"192.0.2.43",
          "for=192.0.2.43;", "for=192.0.2.43,", "for=192.0.2.43;for=192.0.2.44", "by=192.0.2.43", "for=\"192\\.0.2.43\"",
          "for = 192.0.2.43", "for=192.0.2.43 for=192.0.2.44", "192.0.2.43", "for=\", for=192.0.2.43"}) {
        CAPTURE(wrong);
        CHECK(find.standard({wrong}) == "10.0.0.1");
    }
    CHECK(find(request_of("10.0.0.1", "X-Forwarded-For", {"203.0.113.9"})) == "10.0.0.1");
}

TEST_CASE("client_ip: a network that is none is refused by name")
{
    CHECK_THROWS_WITH_AS(weir::trusted_proxies({.networks = {"10.0.0.0/8", "10.0.0.1/8"}}), doctest::Contains("10.0.0.1/8"),
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::trusted_proxies({.networks = {"proxy"}}), doctest::Contains("networks"), std::invalid_argument);
}

TEST_CASE("client_ip: is a key, so that each client has a limit of its own")
{
    weir::pipeline svc{weir::trusted_proxies{inside},
                       weir::rate_limit{weir::keyed{weir::gcra{{.permits = 1, .per = 1h}}, weir::by<weir::client_ip>, {.capacity = 100}}},
                       [](http::request const&) { return 1; }};
    auto const passes = [&](std::string_view client) { return svc(request_of("10.0.0.1", "X-Forwarded-For", {client})).has_value(); };
    CHECK(passes("203.0.113.9"));
    CHECK_FALSE(passes("203.0.113.9"));
    CHECK(passes("203.0.113.10"));
    CHECK(passes("2001:db8::1"));
    CHECK_FALSE(passes("2001:db8::2")); // the same /64
    CHECK(passes("2001:db8:0:1::1"));
}

TEST_CASE("client_ip: over a socket it is the peer's address")
{
    boost::asio::io_context context(1);
    weir::pipeline svc{weir::trusted_proxies{{.networks = {"127.0.0.0/8"}}}, [](http::request const&, weir::view<weir::client_ip> v) {
                           return http::response(http::status::ok, v.get<weir::client_ip>().address().to_string());
                       }};
    http::server server(context.get_executor(), http::edge(svc));
    auto const ask = [&](std::string const& field) {
        return weir_tests::talk(context, server.port(), "GET / HTTP/1.1\r\nHost: x\r\n" + field + "\r\n");
    };
    CHECK(ask("").ends_with("\r\n\r\n127.0.0.1"));
    CHECK(ask("X-Forwarded-For: 203.0.113.9\r\n").ends_with("\r\n\r\n203.0.113.9"));
}
