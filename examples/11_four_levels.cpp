// SPDX-License-Identifier: BSL-1.0
// Lesson 11: limits at four levels, gateway, service, instance and interface.
//
// They are one policy four times, each with another key: no key for the whole gateway, the service's name, the instance that the call goes to,
// the interface that it asks for. In a row each takes its permit and keeps it, even where a later one refuses. `all_of` makes one limit of
// them: a call takes from all or from none, so that a refused one costs nobody anything.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/limit/all_of.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/hot_keys.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/leased.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/testing/manual_clock.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;

namespace {

struct question {
    std::string service;
    std::string instance;
    std::string interface; // method and path, as the router knows it
};
int forward(question const&)
{
    return 200;
}

/// The name of the limit that has nothing left, as the caller is told it.
std::string_view used_up(auto const& reply)
{
    for (weir::limit_fact const& each : reply.template reported<weir::limit_facts>()->all())
        if (each.state.remaining == 0) return each.name;
    return "";
}

/// One level: so many permits a second for each value of a part of the question.
auto level(std::uint64_t permits, std::string question::*part)
{
    return weir::keyed{weir::gcra{{.permits = permits, .per = 1s}}, weir::keyed_by(part), {.capacity = 10'000}};
}

} // namespace

int main()
{
    lesson eleven("Limits at four levels");
    weir::manual_clock clock;

    // The whole gateway has one limit for all pipelines, so it stands outside of them. Every call of every thread passes it: it is leased, so
    // that threads take permits by the dozen and seldom meet.
    weir::leased gateway{weir::gcra{{.permits = 1'000, .per = 1s}}, {.batch = 8, .life = 10ms}};

    weir::pipeline routes{
        weir::timed_by{std::ref(clock)},
        weir::rate_limit{weir::all_of{
            weir::named<"gateway">(std::ref(gateway)),
            weir::named<"service">(level(20, &question::service)),
            weir::named<"instance">(level(10, &question::instance)),
            weir::named<"interface">(level(5, &question::interface)),
        }},
        forward,
    };

    question const price{"quotes", "quotes-1", "GET /price"};
    question const chart{"quotes", "quotes-1", "GET /chart"};
    question const other{"quotes", "quotes-2", "GET /list"};

    bool five = true;
    for (int i = 0; i < 5; ++i) five = five && routes(price).has_value();
    eleven.shows("five calls of an interface pass", five);
    auto const sixth = routes.call(price);
    eleven.shows("the sixth is refused, by the interface's limit", sixth.result().has_error() && used_up(sixth) == "interface");
    eleven.shows("and may come back when that has a permit", sixth.result().error().retry_after() == 200ms);

    // A hundred more of them are refused, and none takes anything from the levels above.
    for (int i = 0; i < 100; ++i) static_cast<void>(routes(price));
    auto& levels = routes.get<weir::rate_limit>().algorithm();
    eleven.shows("refused calls take nothing from the other levels", levels.at<"service">().available("quotes", clock.now()) == 15);

    for (int i = 0; i < 5; ++i) static_cast<void>(routes(chart));
    question const third{"quotes", "quotes-1", "GET /third"};
    eleven.shows("another interface has its own five, the instance then has no more", used_up(routes.call(third)) == "instance");
    eleven.shows("another instance of the service has", routes(other).has_value());

    // A level is changed while calls go through it, and keeps what it knows.
    levels.at<"instance">().reconfigure({.permits = 100, .per = 1s});
    eleven.shows("with a larger limit the instance goes on", routes(third).has_value());

    // Another pipeline under the same roof: the gateway's limit is the same object.
    weir::pipeline admin{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::named<"gateway">(std::ref(gateway))}, forward};
    auto const before = gateway.available(clock.now());
    eleven.shows("the gateway's limit counts the calls of every pipeline",
                 admin(price).has_value() && gateway.available(clock.now()) == before - 1);

    // And where there are millions of values, a level for those that everybody wants at once, without a limit for each of the others.
    weir::pipeline sale{
        weir::timed_by{std::ref(clock)},
        weir::rate_limit{weir::hot_keys{weir::gcra{{.permits = 3, .per = 1s}}, weir::keyed_by(&question::interface), {.top = 1}}}, forward};
    int passed = 0;
    for (int i = 0; i < 50; ++i) passed += sale(price).has_value() ? 1 : 0;
    eleven.shows("the one that comes most often is limited", passed == 3);
    for (int i = 0; i < 10; ++i) passed += sale(other).has_value() ? 1 : 0;
    eleven.shows("and those that come seldom are not", passed == 13);
    return eleven.exit_status();
}
