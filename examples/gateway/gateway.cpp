// SPDX-License-Identifier: BSL-1.0
// An HTTP gateway whose routes are pipelines (routes.hpp), set up by a file (gateway.json).
// usage: gateway [--set /PATH=VALUE]... FILE
// SIGHUP reads the file again and puts it into force; a bad one leaves the settings as they are. SIGTERM and SIGINT end it.
#include "config.hpp"
#include "reload.hpp"
#include "routes.hpp"

#include <weir/http/actuator.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/router.hpp>
#include <weir/http/server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace http = weir::http;

namespace {

struct arguments {
    std::string file;
    std::vector<std::string> changes;
};

arguments read_arguments(std::span<char*> all)
{
    arguments read;
    for (std::size_t i = 1; i < all.size(); ++i) {
        std::string_view const word = all[i];
        if (word == "--set" && i + 1 < all.size())
            read.changes.emplace_back(all[++i]);
        else if (!word.starts_with('-') && read.file.empty())
            read.file = word;
        else
            throw std::invalid_argument("usage: gateway [--set /PATH=VALUE]... FILE");
    }
    if (read.file.empty()) throw std::invalid_argument("usage: gateway [--set /PATH=VALUE]... FILE");
    return read;
}

/// A service whose breaker is not closed is in trouble, and the gateway does without it.
http::health_state health_of(weir::circuit_breaker<> const& breaker)
{
    if (breaker.stats(weir::steady::now()).now == weir::breaker_state::closed) return {};
    return {http::health_status::degraded, "the circuit breaker keeps calls away"};
}

/// Says how it went in one line.
void reload(auto& in_force, arguments const& given)
{
    try {
        fmt::print("reloaded {}: {}\n", given.file, in_force.change_to(gateway::read_config(given.file, given.changes)));
    } catch (std::exception const& e) {
        std::string why = e.what();
        std::ranges::replace(why, '\n', ';');
        fmt::print("not reloaded, the settings stay as they are: {}\n", why);
    }
    std::fflush(stdout);
}
/// Until a signal comes that ends the gateway.
void reload_on_hangup(asio::signal_set& signals, auto& in_force, arguments const& given)
{
    signals.async_wait([&](boost::system::error_code failed, int signal) {
        if (failed || signal != SIGHUP) return;
        reload(in_force, given);
        reload_on_hangup(signals, in_force, given);
    });
}

void run(arguments const& given)
{
    gateway::config settings = gateway::read_config(given.file, given.changes);
    asio::io_context context(1);
    http::client client(context.get_executor());
    gateway::service const quotes(client, settings.quotes_upstream);
    gateway::service const orders(client, settings.orders_upstream);

    gateway::quote_store known(settings.quotes.cache);
    weir::load_limit loads(settings.quotes.loads);
    weir::circuit_breaker breaker(settings.quotes.breaker);
    weir::scope work; // refreshes: they end by themselves, as attempts are limited in time
    gateway::keys_in_force keys(settings);
    auto one_quote = gateway::one_quote(settings, keys, known, loads, breaker, quotes, work);
    auto list = gateway::list_of_quotes(settings, keys, breaker, quotes);
    auto order = gateway::place_order(settings, keys, orders);

    http::router routes;
    routes.add("POST", "/orders", http::edge(order));
    routes.add("GET", "/quotes", [one = http::edge(one_quote), all = http::edge(list)](http::request const& r) {
        return http::query(r, "symbol") ? one(r) : all(r);
    });
    auto sealed = gateway::sealed(keys, std::move(routes));

    auto const at = [&](gateway::listener const& l) {
        return http::server_options{.address = l.address, .port = l.port, .drain_time = settings.drain};
    };
    http::server server(context.get_executor(), http::edge(sealed), at(settings.listen));
    http::actuator inside;
    inside.add("sealed", sealed).add("one_quote", one_quote).add("list_of_quotes", list).add("place_order", order);
    inside.add_server("public", [&] { return server.stats(); });
    inside.health().add("quotes", [&] { return health_of(breaker); });
    inside.health().add("orders", [&] { return health_of(order.get<weir::circuit_breaker>()); });
    http::server operators(context.get_executor(), inside, at(settings.actuator));

    gateway::settings_in_force in_force(std::move(settings), loads, breaker, keys, one_quote, list, order);
    asio::signal_set signals(context, SIGHUP, SIGTERM, SIGINT);
    reload_on_hangup(signals, in_force, given);
    server.drain_on({SIGTERM, SIGINT});
    operators.drain_on({SIGTERM, SIGINT});
    fmt::print("listening on {}, actuator on {}\n", server.port(), operators.port());
    std::fflush(stdout);
    context.run();
}

} // namespace

int main(int argc, char** argv)
try {
    run(read_arguments({argv, static_cast<std::size_t>(argc)}));
    return 0;
} catch (std::exception const& e) {
    fmt::print(stderr, "gateway: {}\n", e.what());
    return 1;
}
