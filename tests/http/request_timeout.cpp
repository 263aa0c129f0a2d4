// SPDX-License-Identifier: BSL-1.0
//
// A deadline on its way from one service to another: `send_deadline` before the client, `deadline_from` behind the server.
#include "loopback.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/client.hpp>
#include <weir/http/edge.hpp>
#include <weir/resilience/deadline_from.hpp>
#include <weir/resilience/send_deadline.hpp>
#include <weir/resilience/time_text.hpp>
#include <weir/resilience/timeout.hpp>

#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>

using namespace std::chrono_literals;
using weir_tests::run;
namespace asio = boost::asio;
namespace http = weir::http;

namespace {

/// A service that says how much time its call has left, or takes for ever, and a client of it that has so much time.
struct two_services {
    explicit two_services(weir::duration longest) : behind_{weir::deadline_from{{.longest = longest}}, handler{*this}} {}

    weir::result<http::response> ask(weir::duration time, std::string path)
    {
        weir::pipeline front{weir::timeout{time}, weir::send_deadline<>{}, [this](http::request const& r) -> answer {
                                 co_return co_await client.send({"127.0.0.1", server.port()}, r);
                             }};
        http::request const asked("GET", path);
        return run(context, ask_through(front, asked));
    }
    std::optional<weir::duration> told; ///< by the field
    weir::duration left{};              ///< by the call

private:
    using answer = asio::awaitable<weir::result<http::response>>;
    struct handler {
        two_services& all;
        answer operator()(http::request const& r, weir::view<weir::deadline> facts) const
        {
            auto const field = weir::header(r, "Request-Timeout");
            all.told = field ? weir::read_time_text(*field) : std::nullopt;
            all.left = facts.get<weir::deadline>().left(weir::steady::now());
            if (r.path() == "/waits") {
                asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
                co_await timer.async_wait(asio::use_awaitable);
            }
            co_return http::response(http::status::ok, "done");
        }
    };
    static answer ask_through(auto& front, http::request const& asked) { co_return co_await front(asked); }

    asio::io_context context{1};
    weir::pipeline<weir::stack<weir::deadline_from<>>, handler> behind_;
    http::server server{context.get_executor(), http::edge(behind_)};
    http::client client{context.get_executor()};
};

} // namespace

TEST_CASE("Request-Timeout: the service behind has the time that its caller has left")
{
    two_services s(1h);
    auto const r = s.ask(10min, "/");
    REQUIRE(r.has_value());
    CHECK(r->body() == "done");
    REQUIRE(s.told.has_value());
    CHECK(*s.told <= 10min);
    CHECK(*s.told > 9min);
    CHECK(s.left <= *s.told);
    CHECK(s.left > 9min);
}

TEST_CASE("Request-Timeout: it never has more than it gives")
{
    two_services s(1min);
    REQUIRE(s.ask(10min, "/").has_value());
    CHECK(*s.told > 9min);
    CHECK(s.left <= 1min);
}

TEST_CASE("Request-Timeout: when the time is up both ends give up")
{
    two_services s(1h);
    auto const r = s.ask(30ms, "/waits");
    // Either the answer of the one that gave up first, or its own.
    bool const gave_up = r.has_value() ? r->result() == http::status::gateway_timeout : r.error() == weir::errc::deadline_exceeded;
    CHECK(gave_up);
    CHECK(s.left <= 30ms);
}
