// SPDX-License-Identifier: BSL-1.0
#include <weir/http/tls_server_group.hpp>

#include "loopback.hpp"
#include "tls_keys.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace asio = boost::asio;
namespace http = weir::http;

TEST_CASE("tls_server_group: each thread speaks TLS, by one context")
{
    weir_tests::tls_keys files;
    http::tls_server_context tls(files.issue({}));
    auto const make = []() -> http::request_handler {
        return [](http::request&) { return http::detail::say(http::response(http::status::ok, "hello")); };
    };
    http::tls_server_group group(2, make, tls);
    http::tls_client_context const trust({.ca_file = files.root_file});
    asio::io_context mine;
    for (int i = 0; i < 20; ++i) {
        http::tls_client client(mine.get_executor(), trust);
        http::upstream const to("127.0.0.1", group.port());
        http::request const r("GET", "/");
        CHECK(weir_tests::run(mine, client.send(to, r)).value().body() == "hello");
        client.close_idle();
    }
    CHECK(group.stats().requests == 20);
    group.drain();
    group.wait();
    CHECK(group.stats().open == 0);
    CHECK_THROWS_AS(http::tls_server_group(2, make, tls, {.connections = 0}), std::invalid_argument);
}
