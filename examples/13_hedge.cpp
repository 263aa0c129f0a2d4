// SPDX-License-Identifier: BSL-1.0
// Lesson 13: calls that are made again, on purpose.
//
// A retry makes a call again when it has failed, a hedge when it takes long: both may run the handler twice, so both want one that is
// `idempotent`, or calls that carry an idempotency key. Both spend from a budget, so that a service in trouble is not asked three times as
// often as in good times. And all of it happens within the time that the caller has.
#include "lesson.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>
#include <weir/resilience/deadline_from.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/idempotency_key.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/send_deadline.hpp>
#include <weir/resilience/send_idempotency_key.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace asio = boost::asio;
namespace http = weir::http;
using namespace std::chrono_literals;

int main()
{
    lesson thirteen("Retries, hedges, and how a service tells that it was asked before");
    weir::simulation world;
    weir::scope jobs; // attempts that lose the race end here

    // A service that hangs now and then.
    int asked = 0;
    std::string told;
    auto const price = [&](http::request const& r) -> asio::awaitable<int> {
        bool const hangs = ++asked == 1;
        told = weir::header(r, "Request-Timeout").value_or("nothing");
        co_await world.sleep(hangs ? 1h : 10ms);
        co_return 70;
    };
    weir::budget extra{{.ratio = 0.2}}; // one call in five may be made again, by whatever policy
    weir::pipeline prices{weir::timed_by{std::ref(world.clock())},
                          weir::within{jobs},
                          weir::deadline_from{{.longest = 2s}}, // the caller's own deadline, never more than 2 s
                          weir::hedge<2>{{.after = 50ms, .quantile = 0.95}, std::ref(extra)}, // 50 ms, or what 95 % took lately
                          weir::send_deadline<>{},                                            // each attempt says how much time is left
                          weir::idempotent{price}};

    // The same with orders: nobody may place one twice. The service remembers its answers by the key that the client sends.
    int placed = 0;
    auto const place = [&](http::request const&) -> asio::awaitable<int> { co_return ++placed; };
    weir::pipeline service{weir::timed_by{std::ref(world.clock())},
                           weir::idempotency_key{weir::answer_store<int>{{.capacity = 10'000, .ttl = 24h}}, weir::by_header<"x-app-id">},
                           place};
    int sent = 0;
    auto const over_the_wire = [&](http::request const& r) -> asio::awaitable<weir::result<int>> {
        auto const number = co_await service(r);
        if (++sent == 1) co_return weir::errc::upstream_failed; // the order was placed, but the answer is lost
        co_return number;
    };
    // Without the key a retry around a handler that is not idempotent does not compile.
    weir::pipeline orders{weir::timed_by{std::ref(world.clock())}, weir::send_idempotency_key<>{}, weir::retry<3>{{}, std::ref(extra)},
                          over_the_wire};

    auto const caller = [&]() -> asio::awaitable<void> {
        http::request quote("GET", "/price?symbol=ACME");
        quote.set("Request-Timeout", "500m");
        auto const began = world.clock().now();
        auto const answer = co_await prices(quote);
        auto const took = world.clock().now() - began;
        thirteen.shows("the second attempt answers, 10 ms after it began", answer.has_value() && took < 65ms);
        thirteen.shows("the first one was cancelled", asked == 2 && jobs.size() <= 1);
        auto const left = weir::read_time_text(told);
        thirteen.shows("the second one was told how much time was left", left && *left < 451ms && *left > 440ms);

        http::request order("POST", "/orders", R"({"symbol":"ACME","quantity":10})");
        order.set("x-app-id", "till-7");
        auto const number = co_await orders(order);
        thirteen.shows("the answer was lost, the retry got it", number.has_value() && *number == 1 && sent == 2);
        thirteen.shows("and the order was placed once", placed == 1);
    };
    world.spawn(caller());
    world.run();
    thirteen.shows("nothing is left running", jobs.size() == 0);
    return thirteen.exit_status();
}
