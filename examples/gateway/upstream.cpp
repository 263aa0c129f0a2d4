// SPDX-License-Identifier: BSL-1.0
// A service that the gateway protects: it has prices, or takes orders. It answers what the gateway has signed for it, once, and nothing else.
// It can be made slow or failing, and counts what it is asked.
// usage: gateway_upstream {quotes|orders} [PORT [NAME=FILE]...]     the gateway's public keys; without one, all is refused
//   GET  /quotes?symbol=ACME   the price of a symbol (quotes)
//   GET  /quotes?limit=10      a part of the list (quotes)
//   POST /orders               takes an order (orders)
//   GET  /control              {"mode":"ok","calls":17,"refused":0}
//   POST /control?mode=slow    answers after a second; fail: answers 500; ok: as it should
//   POST /control?ahead=60     its clock is so many seconds ahead, up to an hour: what is asked comes late
#include "keys.hpp"
#include "market.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/problem.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server.hpp>
#include <weir/sign/replay_guard.hpp>
#include <weir/sign/timestamp.hpp>
#include <weir/sign/verify_signature.hpp>
#include <weir/validate/number.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// What all services have: modes and a count. Used by one thread.
class service {
public:
    explicit service(std::string_view name) : name_(name) {}

    using answer = asio::awaitable<http::response>;

    /// Those routes that anybody may call; `work` has its own policies before it.
    [[nodiscard]] http::router routes(std::function<answer(http::request&)> work)
    {
        http::router made;
        made.add("GET", "/control", [this](http::request&) { return tell(); });
        made.add("POST", "/control", [this](http::request& r) { return change(r); });
        made.add(name_ == "quotes" ? "GET" : "POST", name_ == "quotes" ? "/quotes" : "/orders", [this, work](http::request& r) {
            ++asked_;
            return work(r);
        });
        return made;
    }
    answer work(http::request const& r)
    {
        ++calls_;
        if (mode_ == "slow") {
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::seconds(1));
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (mode_ == "fail") co_return http::problem(http::status::internal_server_error);
        co_return name_ == "quotes" ? quote(r) : order(r);
    }

    [[nodiscard]] weir::wall_time wall_now() const { return weir::system_wall().wall_now() + ahead_; }

private:
    static http::response json(http::status code, std::string text) { return http::response(code, std::move(text), "application/json"); }

    answer tell()
    {
        co_return json(http::status::ok, fmt::format(R"({{"mode":"{}","calls":{},"refused":{}}})", mode_, calls_, asked_ - calls_));
    }
    answer change(http::request& r)
    {
        if (auto const ahead = http::query(r, "ahead")) {
            auto const read = weir::parse_number<std::uint32_t>(ahead->view());
            if (!read || read.value > 3'600)
                co_return http::problem(weir::errc::invalid_request, {.detail = "query ahead: expected 0 to 3600 seconds"});
            ahead_ = std::chrono::seconds(read.value);
            co_return co_await tell();
        }
        auto const mode = http::query(r, "mode");
        if (!mode || (*mode != "ok" && *mode != "slow" && *mode != "fail"))
            co_return http::problem(weir::errc::invalid_request, {.detail = "query mode: expected ok, slow or fail"});
        mode_ = mode->view();
        co_return co_await tell();
    }
    http::response quote(http::request const& r)
    {
        auto const symbol = http::query(r, "symbol");
        if (!symbol) return list(r);
        auto const found = std::ranges::find(gateway::symbols, symbol->view());
        if (found == gateway::symbols.end()) return http::problem(weir::errc::not_found);
        return json(http::status::ok, quote_of(*found));
    }
    http::response list(http::request const& r)
    {
        auto const number = [&](std::string_view name, std::size_t otherwise) {
            auto const text = http::query(r, name);
            auto const read = weir::parse_number<std::size_t>(text ? text->view() : std::string_view());
            return read ? read.value : otherwise;
        };
        std::size_t const begin = std::min(number("offset", 0), gateway::symbols.size());
        std::size_t const end = begin + std::min(number("limit", gateway::symbols.size()), gateway::symbols.size() - begin);
        std::string text;
        for (std::size_t i = begin; i < end; ++i) text += (text.empty() ? "" : ",") + quote_of(gateway::symbols[i]);
        return json(http::status::ok, '[' + text + ']');
    }
    http::response order(http::request const&)
    {
        http::response made = json(http::status::created, fmt::format(R"({{"order":{}}})", ++orders_));
        made.set(http::field::location, fmt::format("/orders/{}", orders_));
        return made;
    }
    /// Prices move a little with every look.
    std::string quote_of(std::string_view symbol)
    {
        std::uint64_t const cents =
            1'000 + static_cast<unsigned char>(symbol[1]) * 97u + static_cast<unsigned char>(symbol[3]) * 13u + ++looks_ % 10;
        return fmt::format(R"({{"symbol":"{}","price":{}.{:02}}})", symbol, cents / 100, cents % 100);
    }

    std::string_view name_;
    std::string mode_ = "ok";
    std::uint64_t asked_ = 0; // requests for work
    std::uint64_t calls_ = 0; // those that were taken
    std::uint64_t looks_ = 0;
    std::uint64_t orders_ = 0;
    std::chrono::seconds ahead_{0};
};

} // namespace

int main(int argc, char** argv)
try {
    std::string_view const name = argc > 1 ? argv[1] : "";
    auto const port = weir::parse_number<std::uint16_t>(argc > 2 ? argv[2] : "0");
    if ((name != "quotes" && name != "orders") || !port) {
        fmt::print(stderr, "usage: gateway_upstream {{quotes|orders}} [PORT [NAME=FILE]...]\n");
        return 2;
    }
    std::vector<weir::message_key> keys;
    for (int i = 3; i < argc; ++i) keys.push_back(gateway::read_gateway_key(argv[i]));

    asio::io_context context(1);
    service all(name);
    weir::http_signature_options const agreed = gateway::asked_of(name);
    weir::pipeline taken{
        weir::verify_signature{weir::http_signature{agreed}, weir::message_keys<>{std::move(keys)}, std::ref(all)},
        weir::replay_guard{weir::nonce_store<>{{.capacity = 100'000, .late = agreed.max_age + agreed.skew, .early = agreed.skew}},
                           std::ref(all)},
        [&all](http::request const& r) { return all.work(r); },
    };
    http::server server(context.get_executor(), all.routes(http::edge(taken)), {.port = port.value, .drain_time = std::chrono::seconds(1)});
    server.drain_on({SIGTERM, SIGINT});
    fmt::print("listening on {}\n", server.port());
    std::fflush(stdout);
    context.run();
    return 0;
} catch (std::exception const& e) {
    fmt::print(stderr, "gateway_upstream: {}\n", e.what());
    return 1;
}
