// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio.hpp>
#include <weir/cache/store.hpp>
#include <weir/http/client.hpp>
#include <weir/http/correlation_id.hpp>
#include <weir/validate/paging.hpp>

#include <boost/asio/awaitable.hpp>

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

/// What stands at the end of the routes' pipelines.
namespace gateway {

namespace asio = boost::asio;
namespace http = weir::http;

/// Sends the request on to the service behind the gateway, and its answer back.
///
/// It binds the call's own cancellation to its sockets, so that a `timeout` costs an entry in a list and no coroutine. Errors:
/// `upstream_failed` if that service answers with a status of 500 or more, or not in HTTP; `not_found` for its 404; else those of the client.
class forward {
public:
    using facts = weir::view<weir::cancellation, weir::correlation_id>;
    using answer = asio::awaitable<weir::result<http::response>>;

    /// The client outlives it.
    forward(http::client& client, http::upstream to) : client_(&client), to_(std::move(to)) {}

    answer operator()(http::request const& r, facts known) const
    {
        http::request sent(r.method_string(), r.target(), r.body());
        if (auto const type = weir::header(r, "content-type")) sent.set(http::field::content_type, *type);
        return send(std::move(sent), known);
    }
    /// Sends another request than the one that came.
    answer send(http::request sent, facts known) const
    {
        known.get<weir::correlation_id>().write_to(sent);
        weir::result<http::response> came = co_await client_->send(to_, sent, known.get<weir::cancellation>().slot);
        if (!came) co_return came.error();
        if (came->result_int() == 404) co_return weir::errc::not_found;
        if (came->result_int() >= 500) co_return weir::errc::upstream_failed;

        // Not passed on: what is said from one end of a connection to the other, and what that service says of itself.
        http::response made(came->result(), std::move(came->body()), weir::header(*came, "content-type").value_or("application/json"));
        if (auto const where = weir::header(*came, "location")) made.set(http::field::location, *where);
        co_return made;
    }

private:
    http::client* client_;
    http::upstream to_;
};

/// Asks a service for the page that `paging` has read from the request.
struct page_from {
    using facts = weir::view<weir::page, weir::cancellation, weir::correlation_id>;

    forward service;

    forward::answer operator()(http::request const&, facts known) const
    {
        auto const [limit, offset] = known.get<weir::page>();
        http::request sent("GET", fmt::format("/quotes?limit={}&offset={}", limit, offset));
        return service.send(std::move(sent), forward::facts(known));
    }
};

/// The last answer for each symbol, kept for longer than it is fresh.
using quote_store = weir::store<std::string, http::response>;

/// What is answered while there is no quote to be had: the last one, however old, or none.
struct last_known {
    quote_store& quotes;

    weir::result<http::response> operator()(http::request const& r, weir::error) const
    {
        std::string const symbol(http::query(r, "symbol")->view());
        if (auto const found = quotes.find_stale(symbol, weir::steady::now()); found.hit()) return *found;
        return http::response(http::status::ok, fmt::format(R"({{"symbol":"{}","price":null}})", symbol), "application/json");
    }
};

} // namespace gateway
