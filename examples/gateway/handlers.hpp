// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/contracts.hpp>
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

/// Where the gateway's pipeline ends and the request to a service begins: of what the client sent, method, target, body and its type go on, and
/// the id of the call; of what the service answers, status, body, its type and a location come back.
///
/// Errors: `not_found` for the service's 404; `upstream_failed` if it answers with a status of 500 or more, or does not take the gateway's
/// signature (401), which is no fault of the client.
struct as_the_service_sees_it {
    using role = weir::codec;
    using inner_request = http::request;
    template<class Answer>
    using outer_value = http::response;
    using needs = weir::facets<weir::correlation_id>;
    static constexpr std::string_view name = "as_the_service_sees_it";

    weir::admission<> decode(auto& call, http::request& into) const
    {
        http::request const& r = call.request();
        return ask(call, http::request(r.method_string(), r.target(), r.body()), into);
    }
    weir::result<http::response> encode(auto&, http::response&& came) const
    {
        if (came.result() == http::status::not_found) return weir::errc::not_found;
        if (came.result_int() >= 500 || came.result() == http::status::unauthorized) return weir::errc::upstream_failed;
        http::response made(came.result(), std::move(came.body()));
        made.set(http::field::content_type, weir::header(came, "content-type").value_or("application/json"));
        if (auto const where = weir::header(came, "location")) made.set(http::field::location, *where);
        return made;
    }

protected:
    static weir::admission<> ask(auto& call, http::request&& asked, http::request& into)
    {
        if (auto const type = weir::header(call.request(), "content-type")) asked.set(http::field::content_type, *type);
        call.template get<weir::correlation_id>().write_to(asked);
        into = std::move(asked);
        return weir::admitted;
    }
};

/// The same for a page of the list, as `paging` has read it from the request.
struct page_as_the_service_sees_it : as_the_service_sees_it {
    using needs = weir::facets<weir::correlation_id, weir::page>;

    weir::admission<> decode(auto& call, http::request& into) const
    {
        auto const [limit, offset] = call.template get<weir::page>();
        return ask(call, http::request("GET", fmt::format("/quotes?limit={}&offset={}", limit, offset)), into);
    }
};

/// A service behind the gateway. It binds the call's own cancellation to its sockets, so that a `timeout` costs an entry in a list and no
/// coroutine. Errors are those of the client.
class service {
public:
    using answer = asio::awaitable<weir::result<http::response>>;

    /// The client outlives it.
    service(http::client& client, http::upstream to) : client_(&client), to_(std::move(to)) {}

    answer operator()(http::request const& r, weir::view<weir::cancellation> known) const
    {
        return client_->send(to_, r, known.get<weir::cancellation>().slot);
    }

private:
    http::client* client_;
    http::upstream to_;
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
