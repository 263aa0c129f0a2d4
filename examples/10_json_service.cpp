// SPDX-License-Identifier: BSL-1.0
// Lesson 10: a typed service behind HTTP.
//
// A codec changes the types on the way: outside of it policies see HTTP messages, inside the values that your code is about. Describe the
// structs, and a body is read straight into one, strictly; whatever is wrong with it is told at once, by JSON pointer.
#include "lesson.hpp"

#include <weir/asio.hpp>
#include <weir/http/client.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/json_body.hpp>
#include <weir/http/query_parameters.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server.hpp>
#include <weir/weir.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace http = weir::http;

namespace shop {

/// A strong type says once what its text may be.
struct symbol {
    std::string letters{};
};
enum class side { buy, sell };
BOOST_DESCRIBE_ENUM(side, buy, sell)

struct order {
    shop::symbol symbol{};
    shop::side side{};
    std::uint32_t quantity{};
    std::optional<double> limit{}; // may be left out
    std::vector<std::string> tags{};
};
BOOST_DESCRIBE_STRUCT(order, (), (symbol, side, quantity, limit, tags))

struct receipt {
    std::uint64_t number{};
    std::string text{};
};
BOOST_DESCRIBE_STRUCT(receipt, (), (number, text))

struct quote_request {
    std::string symbol{};
};
BOOST_DESCRIBE_STRUCT(quote_request, (), (symbol))
struct quote {
    std::string symbol{};
    double price{};
};
BOOST_DESCRIBE_STRUCT(quote, (), (symbol, price))

} // namespace shop

template<>
struct weir::json_form<shop::symbol> {
    using type = std::string;
    static constexpr std::string_view expected = "1 to 5 capital letters";
    static bool read(std::string const& text, shop::symbol& into)
    {
        into.letters = text;
        return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    }
    static std::string const& write(shop::symbol const& s) { return s.letters; }
};

namespace {

/// Handlers know nothing of HTTP or JSON.
weir::result<shop::receipt> place(shop::order const& o)
{
    static std::uint64_t last = 0;
    if (o.quantity > 1'000) return weir::errc::forbidden;
    return shop::receipt{++last, fmt::format("{} {} {}", o.side == shop::side::buy ? "buy" : "sell", o.quantity, o.symbol.letters)};
}

asio::awaitable<void> ask(lesson& ten, std::uint16_t port)
{
    http::client client(co_await asio::this_coro::executor);
    http::upstream const service("127.0.0.1", port);
    auto const post = [&](std::string text, std::string_view type = "application/json") -> asio::awaitable<http::response> {
        http::request r("POST", "/orders", std::move(text));
        r.set(http::field::content_type, type);
        weir::result<http::response> came = co_await client.send(service, r);
        co_return came ? std::move(*came) : http::response(http::status::bad_gateway);
    };

    http::response const placed = co_await post(R"({"symbol":"ACME","side":"buy","quantity":7,"tags":[]})");
    ten.shows("a good order: " + placed.body(), placed.result_int() == 200 && placed.body() == R"({"number":1,"text":"buy 7 ACME"})");

    http::response const wrong = co_await post(R"({"symbol":"acme","side":"hold","quantity":-1,"tags":["a",2],"tip":5})");
    ten.shows("a bad one is told all that is wrong: " + wrong.body(),
              wrong.result_int() == 400 && wrong.body().find(R"("name":"/tags/1","expected":"a string")") != std::string::npos &&
                  wrong.body().find(R"("name":"/symbol","expected":"1 to 5 capital letters")") != std::string::npos);

    http::response const cut = co_await post(R"({"symbol":"ACME",)");
    ten.shows("half a document is none", cut.result_int() == 400);
    http::response const text = co_await post("ACME", "text/plain");
    ten.shows("what is not said to be JSON is not read", text.result_int() == 415);
    http::response const refused = co_await post(R"({"symbol":"ACME","side":"buy","quantity":5000,"tags":[]})");
    ten.shows("an error of the handler passes the codec", refused.result_int() == 403);

    // The other codec reads the query of a GET; the cache inside it has the struct's member as its key.
    for (int i = 0; i < 2; ++i) {
        http::request get("GET", "/quotes?symbol=ACME");
        weir::result<http::response> const quoted = co_await client.send(service, get);
        ten.shows(i == 0 ? "a quote" : "the same from the cache", quoted && quoted->body() == R"({"symbol":"ACME","price":83.97})");
    }
}

} // namespace

int main()
{
    lesson ten("A typed service behind HTTP");
    asio::io_context context(1);

    weir::pipeline orders{weir::rate_limit{weir::gcra{{.permits = 100, .per = 1s, .burst = 20}}}, // sees http::request
                          weir::json_body<shop::order>{{.bytes = 4'096}}, place};                 // sees shop::order
    int loads = 0;
    weir::pipeline quotes{
        weir::query_parameters<shop::quote_request>{},
        weir::cached{weir::store<std::string, shop::quote>{{.capacity = 1'000, .ttl = 30s}}, weir::keyed_by(&shop::quote_request::symbol)},
        [&](shop::quote_request const& r) {
            return ++loads, shop::quote{r.symbol, 83.97};
        }};

    http::router routes;
    routes.add("POST", "/orders", http::edge(orders));
    routes.add("GET", "/quotes", http::edge(quotes));
    http::server server(context.get_executor(), std::move(routes));
    asio::co_spawn(context, ask(ten, server.port()), [&](std::exception_ptr) { context.stop(); });
    context.run();
    ten.shows("one quote was made", loads == 1);
    return ten.exit_status();
}
