// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/client.hpp>
#include <weir/http/server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
namespace http = weir::http;

/// A man in the middle: who believes that he is the other end talks to him. He passes on what he likes, as he likes. Used by one thread.
class middleman {
public:
    middleman(asio::io_context& context, http::upstream other_end)
        : client_(context.get_executor()),
          other_end_(std::move(other_end)),
          server_(context.get_executor(), [this](http::request& r) { return pass(r); }, {.port = 0}),
          here_("127.0.0.1", server_.port())
    {
    }
    middleman(middleman const&) = delete;
    middleman& operator=(middleman const&) = delete;

    std::function<void(http::request&)> on_request;   ///< what he does to what goes there
    std::function<void(http::response&)> on_response; ///< what he does to what comes back
    std::optional<http::response> instead;            ///< he passes nothing on, and answers this
    bool twice = false;                               ///< he sends each request twice, and answers what the second one got

    [[nodiscard]] http::upstream const& here() const noexcept { return here_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return here_.port(); }
    /// The honest way.
    void behave()
    {
        on_request = {};
        on_response = {};
        instead.reset();
        twice = false;
    }

private:
    asio::awaitable<http::response> pass(http::request const& r)
    {
        if (instead) co_return *instead;
        http::request sent = r;
        if (on_request) on_request(sent);
        weir::result<http::response> came = co_await client_.send(other_end_, sent);
        if (twice) came = co_await client_.send(other_end_, sent);
        if (!came) co_return http::response(http::status::bad_gateway);
        if (on_response) on_response(*came);
        co_return std::move(*came);
    }

    http::client client_;
    http::upstream other_end_;
    http::server server_;
    http::upstream here_;
};

} // namespace gateway
