// SPDX-License-Identifier: BSL-1.0
// Lesson 3: an asynchronous handler, and a limit to its time.
//
// A pipeline is asynchronous if its handler returns an awaitable: then a call is awaited, too. Nothing else changes, and the policies
// are the same ones. A timeout stands around asynchronous handlers only, as nothing can interrupt a function.
// The simulation runs coroutines in virtual time: whenever all of them wait, its clock goes on to the next alarm.
#include "lesson.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace asio = boost::asio;
using namespace std::chrono_literals;

int main()
{
    lesson three("A timeout around a handler that takes its time");
    weir::simulation world;

    weir::duration takes = 50ms;
    int finished = 0;
    auto const slow = [&](int symbol) -> asio::awaitable<int> {
        co_await world.sleep(takes); // stands for a request to a service far away
        ++finished;
        co_return symbol * 10;
    };
    weir::pipeline quotes{weir::timed_by{std::ref(world.clock())}, weir::timeout{200ms}, slow};

    // Each attempt has 80 ms, all of them together 400. As the times stand in the types the compiler checks that they fit.
    int attempts = 0;
    auto const first_is_slow = [&](int symbol) -> asio::awaitable<int> {
        ++attempts;
        co_await world.sleep(attempts == 1 ? 1h : 1ms);
        co_return symbol * 10;
    };
    weir::pipeline patient{weir::timed_by{std::ref(world.clock())}, weir::timeout<weir::ms{400}>{},
                           weir::retry<3>{{.base = 10ms, .cap = 20ms}}, weir::attempt_timeout<weir::ms{80}>{},
                           weir::idempotent{first_is_slow}};

    auto const caller = [&]() -> asio::awaitable<void> {
        int const symbol = 7; // named first: g++ 12 is not to be trusted with temporaries in a co_await expression
        auto const in_time = co_await quotes(symbol);
        three.shows("50 ms are in time", in_time.has_value() && *in_time == 70);

        takes = 1h;
        auto const began = world.clock().now();
        auto const too_late = co_await quotes(symbol);
        auto const took = world.clock().now() - began;
        three.shows("an hour is not", too_late.has_error() && too_late.error() == weir::errc::deadline_exceeded);
        three.shows("its caller knows after 200 ms", took >= 200ms && took < 210ms);
        three.shows("the handler was cancelled on the way", finished == 1);

        auto const second = co_await patient(symbol);
        three.shows("an attempt_timeout inside a retry limits one attempt: the second one answers", second.has_value() && attempts == 2);
    };
    world.spawn(caller());
    world.run();
    return three.exit_status();
}
