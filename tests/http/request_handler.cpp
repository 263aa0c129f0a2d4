// SPDX-License-Identifier: BSL-1.0
#include <weir/http/request_handler.hpp>

#include <weir/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

asio::awaitable<http::response> function(http::request& r)
{
    co_return http::response(http::status::ok, std::string(r.target()));
}

} // namespace

TEST_CASE("request_handler: a function and an object are handlers; a request that is handed on is the same one")
{
    weir::simulation world;
    http::request const* seen = nullptr;
    auto const object = [&seen](http::request& r) -> asio::awaitable<http::response> {
        seen = &r;
        return function(r);
    };
    auto const ask = [&](http::request_handler handler, http::request& r) -> asio::awaitable<void> {
        http::response const answer = co_await handler(r);
        CHECK(answer.body() == "/a");
    };
    http::request r("GET", "/a");
    world.spawn(ask(function, r));
    world.spawn(ask(object, r));
    world.run();
    CHECK(seen == &r);
}

TEST_CASE("request_handler: an answer that is there already is moved through")
{
    weir::simulation world;
    std::string body(1'000, 'x');
    char const* const at = body.data();
    auto const ask = [&]() -> asio::awaitable<void> {
        http::response answer = co_await http::detail::say(http::response(http::status::not_found, std::move(body)));
        CHECK(answer.result() == http::status::not_found);
        CHECK(answer.body().size() == 1'000);
        CHECK(std::string_view(answer.body()).data() == at); // no copy on its way
    };
    world.spawn(ask());
    world.run();
}
