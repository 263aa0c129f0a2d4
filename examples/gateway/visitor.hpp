// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_keys.hpp"
#include "keys.hpp"
#include "scene.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/client.hpp>
#include <weir/http/correlation_id.hpp>
#include <weir/sign/open_response.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
namespace http = weir::http;
namespace json = boost::json;

/// An answer of the gateway as its client sees it.
struct answer {
    unsigned status = 0; ///< 0: there was none
    std::string policy;  ///< that refused; of a failure its code. `open_response`: what came is not what the gateway answered
    std::string reason;  ///< why: the detail of the problem
    bool degraded = false;
    http::response response;
};

/// A request of a client, and to whom it goes.
struct question : http::request {
    http::upstream const* to = nullptr;
};

/// Where a client's pipeline ends.
struct sends {
    http::client* by;

    asio::awaitable<weir::result<http::response>> operator()(question const& q) const { return by->send(*q.to, q); }
};

/// The clock of a client, by which an answer may come late.
struct client_clock {
    weir::duration ahead{};
    [[nodiscard]] weir::wall_time wall_now() const
    {
        return weir::system_wall().wall_now() + std::chrono::duration_cast<weir::wall_time::duration>(ahead);
    }
};

/// A client takes no answer that the gateway has not sealed: lately, for this request, with this body.
inline auto client_of(http::client& by, weir::message_keys<> const& keys, client_clock const& clock)
{
    return weir::pipeline{
        weir::open_response{weir::http_signature{seal()}, std::ref(keys), std::ref(clock)},
        sends{&by},
    };
}

/// A client of the gateway, which also looks behind it. Used by one thread.
class visitor {
public:
    visitor(asio::io_context& context, demo_keys const& keys, std::uint16_t port, std::uint16_t actuator, std::uint16_t quotes,
            std::uint16_t orders)
        : token(keys.issuer.token()),
          context_(context),
          client_(context.get_executor(), {.connections_per_upstream = 1'024}),
          keys_(keys.public_keys()),
          opens_(client_of(client_, keys_, clock)),
          gateway_(local, port),
          actuator_(local, actuator),
          quotes_(local, quotes),
          orders_(local, orders)
    {
    }

    /// A request with an id of its own.
    [[nodiscard]] http::request make(std::string_view method, std::string_view target, std::string body = {})
    {
        http::request made(method, target, std::move(body));
        made.set(http::field::host, gateway_.address());
        made.set(weir::correlation_id::field, fmt::format("demo-{}", ++last_id_));
        return made;
    }
    /// One that may read, on the device that its token is for.
    [[nodiscard]] http::request reading(std::string_view target, std::string_view with)
    {
        http::request made = make("GET", target);
        made.set(http::field::authorization, fmt::format("Bearer {}", with));
        made.set("x-device-id", "till-7");
        return made;
    }
    /// Sends a request to the gateway, or to who says he is it, opens the answer, and notes what came of it.
    asio::awaitable<answer> ask(scene& in, http::request const& r, http::upstream const* to = nullptr)
    {
        in.sent();
        weir::time_point const begun = weir::steady::now();
        question const q{r, to != nullptr ? to : &gateway_};
        auto came = co_await opens_.call(q);
        answer got;
        if (came.has_value()) {
            got.response = std::move(*came.result());
            got.status = got.response.result_int();
            if (got.status >= 400) got.policy = member(got.response.body(), "policy");
            if (got.status >= 400) got.reason = member(got.response.body(), "detail");
        } else if (auto const& broken = came.template reported<weir::violation>()) {
            got.policy = "open_response";
            got.reason = to_string(*broken);
        }
        got.degraded = weir::header(got.response, "x-degraded").has_value();
        if (got.status >= 500 && got.policy.empty()) got.policy = member(got.response.body(), "code"); // nobody refused: it failed
        in.answered(got.status, got.policy, got.degraded, weir::steady::now() - begun);
        co_return got;
    }
    asio::awaitable<answer> get(scene& in, std::string target)
    {
        http::request const r = reading(target, token);
        co_return co_await ask(in, r);
    }

    /// Sends bytes as they are, on a connection of their own, and gives back all that comes until the gateway closes it, or
    /// nothing if it does not within two seconds.
    asio::awaitable<std::string> say(scene& in, std::string_view bytes, std::string_view refuses = "framing")
    {
        in.sent();
        weir::time_point const begun = weir::steady::now();
        asio::ip::tcp::socket socket(context_);
        asio::steady_timer patience(context_, std::chrono::seconds(2));
        bool too_late = false;
        patience.async_wait([&](boost::system::error_code stopped) {
            if (stopped) return;
            too_late = true;
            boost::system::error_code ignored;
            socket.close(ignored);
        });
        boost::system::error_code failed;
        asio::ip::tcp::endpoint const there(asio::ip::make_address(local), gateway_.port());
        co_await socket.async_connect(there, asio::redirect_error(asio::use_awaitable, failed));
        while (!bytes.empty() && !failed)
            bytes.remove_prefix(co_await socket.async_write_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed)));
        std::string came;
        char part[4096];
        while (!failed) {
            std::size_t const size = co_await socket.async_read_some(asio::buffer(part), asio::redirect_error(asio::use_awaitable, failed));
            came.append(part, size);
        }
        patience.cancel();
        if (too_late) came.clear();
        unsigned const status = came.size() > 12 ? static_cast<unsigned>(std::stoul(came.substr(9, 3))) : 0;
        in.answered(status, status >= 400 ? refuses : "", false, weir::steady::now() - begun);
        co_return came;
    }

    /// Calls that have reached the services so far.
    asio::awaitable<std::uint64_t> calls_behind()
    {
        co_await count(quotes_, quotes_calls_);
        co_await count(orders_, orders_calls_);
        co_return quotes_calls_ + orders_calls_;
    }
    /// The status of what the quotes service answers to whoever goes to it himself; 0 if nothing.
    asio::awaitable<unsigned> status_of_quotes(http::request const& r)
    {
        auto const came = co_await client_.send(quotes_, r);
        co_return came ? came->result_int() : 0;
    }
    /// Makes the quotes service `slow`, `fail` or `ok`.
    asio::awaitable<void> change_quotes(std::string_view mode) { return control(quotes_, fmt::format("mode={}", mode)); }
    /// Puts the clock of the orders service so far ahead of all others: what comes to it comes so late.
    asio::awaitable<void> orders_clock_ahead(std::chrono::seconds by) { return control(orders_, fmt::format("ahead={}", by.count())); }
    /// What the actuator says.
    asio::awaitable<std::string> look(std::string target)
    {
        http::request const r("GET", target);
        auto const came = co_await client_.send(actuator_, r);
        if (!came) throw std::runtime_error("the gateway's actuator does not answer");
        co_return came->body();
    }

    /// A figure that a policy of the pipeline for one quote counts, from the metrics. Throws if there is none.
    asio::awaitable<double> figure(std::string name, std::string policy)
    {
        std::string const page = co_await look("/metrics");
        for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) {
            std::string_view const line = std::string_view(page).substr(at, page.find('\n', at) - at);
            bool const wanted = line.starts_with(name + '{') && line.find("\"one_quote\"") != std::string_view::npos &&
                                line.find(fmt::format("policy=\"{}\"", policy)) != std::string_view::npos;
            if (wanted) co_return std::stod(std::string(line.substr(line.rfind(' ') + 1)));
        }
        throw std::runtime_error(fmt::format("the metrics have no {} of {}", name, policy));
    }

    /// A text member of a JSON object; empty if there is none.
    [[nodiscard]] static std::string member(std::string_view text, std::string_view name)
    {
        boost::system::error_code wrong;
        json::value const whole = json::parse(text, wrong);
        json::value const* const found = wrong || !whole.is_object() ? nullptr : whole.get_object().if_contains(name);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
    }

    std::string token; ///< that it reads with
    client_clock clock;

private:
    static constexpr char const* local = "127.0.0.1";

    asio::awaitable<void> control(http::upstream const& service, std::string change)
    {
        http::request const r("POST", "/control?" + change);
        auto const came = co_await client_.send(service, r);
        if (!came || came->result() != http::status::ok) throw std::runtime_error("a service does not take " + change);
    }
    /// A service that has ended is not called any more.
    asio::awaitable<void> count(http::upstream const& service, std::uint64_t& calls)
    {
        http::request const r("GET", "/control");
        auto const came = co_await client_.send(service, r);
        if (came) calls = json::parse(came->body()).at("calls").to_number<std::uint64_t>();
    }

    asio::io_context& context_;
    http::client client_;
    weir::message_keys<> keys_; // the gateway's, public
    decltype(client_of(std::declval<http::client&>(), std::declval<weir::message_keys<>&>(), std::declval<client_clock&>())) opens_;
    http::upstream gateway_, actuator_, quotes_, orders_;
    std::uint64_t last_id_ = 0, quotes_calls_ = 0, orders_calls_ = 0;
};

/// Coroutines that run at the same time, and whoever waits for all of them.
class crowd {
public:
    explicit crowd(asio::io_context& context) : context_(context), all_done_(context, weir::never) {}

    void join(asio::awaitable<void> one)
    {
        ++running_;
        asio::co_spawn(context_, std::move(one), [this](std::exception_ptr thrown) {
            if (thrown) thrown_ = thrown;
            if (--running_ == 0) all_done_.cancel();
        });
    }
    asio::awaitable<void> wait()
    {
        boost::system::error_code ignored;
        while (running_ > 0) co_await all_done_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (thrown_) std::rethrow_exception(thrown_);
    }

private:
    asio::io_context& context_;
    asio::steady_timer all_done_;
    std::size_t running_ = 0;
    std::exception_ptr thrown_;
};

} // namespace gateway
