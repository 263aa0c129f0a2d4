// SPDX-License-Identifier: BSL-1.0
// Lesson 12: how many calls may be inside at a time, and who waits in which order?
//
// A limit of calls at the same time keeps a service from being buried: what it cannot do at once it refuses, or lets wait for a little. The right
// number is hard to know, and changes with every release, so an adaptive limit finds it by the time that the calls take. And when callers have to
// wait, not all are alike.
#include "lesson.hpp"

#include <weir/asio.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/adaptive_limit.hpp>
#include <weir/limit/by_priority.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/fair_by.hpp>
#include <weir/limit/vegas.hpp>
#include <weir/testing/load.hpp>
#include <weir/testing/simulated_upstream.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct order {
    int importance = 0; // 0 is the most important
    std::string user;
};

/// A service that can do 40 calls at a time, 20 ms each: 2,000 a second. 3,000 come.
void finds_the_limit(lesson& twelve)
{
    weir::schedule s(1);
    weir::simulated_upstream shop(s, {.takes = weir::latency::even(15ms, 25ms), .workers = 40});
    weir::simulation world(s);
    auto const ask = [&](int) -> asio::awaitable<weir::result<int>> {
        auto const served = co_await shop.serve();
        if (!served) co_return served.error();
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::adaptive_limit{weir::vegas{}, {.ceiling = 200, .seed = 1}}, ask};
    long served = 0;
    weir::duration slowest{0};
    weir::offer_load(world, {{3'000, 20s}}, [&](std::uint64_t) -> asio::awaitable<void> {
        auto const began = world.clock().now();
        auto const r = co_await svc(1);
        if (world.clock().now() < weir::manual_clock::noon + 10s) co_return; // it is still looking for the limit
        served += r.has_value();
        if (r.has_value()) slowest = std::max(slowest, world.clock().now() - began);
    });
    world.run();
    auto const limit = svc.get<weir::adaptive_limit<weir::vegas>>().stats().limit;
    fmt::print("  (found a limit of {}; {} calls a second served, the slowest in {} ms)\n", limit, served / 10, slowest / 1ms);
    twelve.shows("the limit is a little above the 40 workers", limit >= 40 && limit <= 52);
    twelve.shows("nearly all is served that can be", served / 10 > 1'800);
    twelve.shows("and nobody waits long for it", slowest < 60ms);
    twelve.shows("an operator sees it", weir::describe(svc).text().find("algorithm=\"vegas\"") != std::string::npos);
}

/// One place, and many that want it.
void says_who_is_next(lesson& twelve)
{
    weir::simulation world;
    std::string done;
    auto const work = [&](order const& o) -> asio::awaitable<int> {
        co_await world.sleep(10ms);
        done += o.user;
        co_return 1;
    };
    auto const send = [&](auto& svc, order o) -> asio::awaitable<void> { static_cast<void>(co_await svc(o)); };

    // The important ones go first, but one place in four is for the others: nobody starves.
    weir::pipeline by_class{
        weir::timed_by{std::ref(world.clock())},
        weir::concurrency_limit{{.max_concurrent = 1, .max_wait = 1s}, weir::by_priority{weir::keyed_by(&order::importance), 0.0, 0.25}},
        work};
    for (int i = 0; i < 5; ++i) world.spawn(send(by_class, {1, "b"}));
    for (int i = 0; i < 6; ++i) world.spawn(send(by_class, {0, "A"}));
    world.run();
    twelve.shows("the important ones go first, and each fourth place is for the others: " + done, done == "bAAAbAAAbbb");

    // Users take turns, however many calls each has sent.
    done.clear();
    weir::pipeline by_user{weir::timed_by{std::ref(world.clock())},
                           weir::concurrency_limit{{.max_concurrent = 1, .max_wait = 1s}, weir::fair_by{weir::keyed_by(&order::user)}},
                           work};
    for (int i = 0; i < 5; ++i) world.spawn(send(by_user, {0, "x"}));
    world.spawn(send(by_user, {0, "y"}));
    world.spawn(send(by_user, {0, "z"}));
    world.run();
    twelve.shows("users take turns: " + done, done == "xxyzxxx");
}

} // namespace

int main()
{
    lesson twelve("A limit that finds itself, and queues that are fair");
    finds_the_limit(twelve);
    says_who_is_next(twelve);
    return twelve.exit_status();
}
