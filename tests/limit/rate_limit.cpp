// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/rate_limit.hpp>

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/token_bucket.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

struct request {
    std::string app;
    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name)
    {
        if (name != "x-app-id" || r.app.empty()) return std::nullopt;
        return r.app;
    }
};

struct who {
    using role = weir::gate;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "who";
    weir::admission<> admit(auto& call) const
    {
        call.set(weir::principal{call.request().app});
        return weir::admitted;
    }
};

int ok(request const&)
{
    return 200;
}

} // namespace

TEST_CASE("rate_limit: admits what the limiter admits, and says when to come back")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s, .burst = 2}}}, ok};
    request const r{"a"};
    CHECK(svc(r).has_value());
    CHECK(svc(r).has_value());
    weir::error const refusal = svc(r).error();
    CHECK(refusal == weir::errc::rate_limited);
    CHECK(refusal.retry_after() == 100ms);
    CHECK(refusal.policy() == 1);
    clock.advance(100ms);
    CHECK(svc(r).has_value());
    auto const stats = svc.get<weir::rate_limit>().stats();
    CHECK(stats.admitted == 3);
    CHECK(stats.refused == 1);
}

TEST_CASE("rate_limit: a refusal tells where the limit stands")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s, .burst = 1}}}, ok};
    request const r{"a"};
    CHECK_FALSE(svc.call(r).reported<weir::limit_facts>().has_value());
    auto const reply = svc.call(r);
    REQUIRE(reply.reported<weir::limit_facts>().has_value());
    REQUIRE(reply.reported<weir::limit_facts>()->all().size() == 1);
    weir::limit_fact const& fact = reply.reported<weir::limit_facts>()->all()[0];
    CHECK(fact.name == "rate_limit");
    CHECK(fact.state.limit == 10);
    CHECK(fact.state.remaining == 0);
    CHECK(fact.state.until_more == 100ms);
    CHECK(reply.reported<weir::limit_facts>()->key_of("rate_limit").empty());
    CHECK(reply.answered_by() == 1);
}

TEST_CASE("rate_limit: a limit a key, by header and by principal")
{
    weir::manual_clock clock;
    auto const one_a_second = [](auto key) {
        return weir::rate_limit{weir::keyed{weir::gcra{{.permits = 1, .per = 1s}}, key, {.capacity = 100}}};
    };
    weir::pipeline by_header{weir::timed_by{std::ref(clock)}, one_a_second(weir::by_header<"x-app-id">), ok};
    weir::pipeline by_principal{weir::timed_by{std::ref(clock)}, who{}, one_a_second(weir::by<weir::principal>), ok};
    weir::pipeline by_member{weir::timed_by{std::ref(clock)}, one_a_second(weir::keyed_by(&request::app)), ok};
    for (std::string const app : {"a", "b", ""}) {
        request const r{app};
        CHECK(by_header(r).has_value());
        CHECK(by_principal(r).has_value());
        CHECK(by_member(r).has_value());
        CHECK(by_header(r).error() == weir::errc::rate_limited);
        CHECK(by_principal(r).error() == weir::errc::rate_limited);
        CHECK(by_member(r).error().retry_after() == 1s);
    }
}

TEST_CASE("rate_limit: the permit stays taken, whatever the outcome")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::token_bucket{{.permits = 1, .per = 1s, .burst = 2}}},
                       [](int x) -> int {
                           if (x < 0) throw std::runtime_error("no");
                           return x;
                       }};
    CHECK_THROWS_AS(static_cast<void>(svc(-1)), std::runtime_error);
    CHECK(svc(1).has_value());
    CHECK(svc(1).error() == weir::errc::rate_limited);
}

TEST_CASE("rate_limit: reconfigured while it runs; bad options change nothing")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::named<"all">(weir::rate_limit{weir::gcra{{.permits = 1, .per = 1s, .burst = 1}}}), ok};
    request const r{"a"};
    CHECK(svc(r).has_value());
    auto& limit = svc.get<"all">();
    limit.reconfigure({.permits = 100, .per = 1s, .burst = 1});
    CHECK(svc(r).error().retry_after() >= 10ms);
    CHECK(svc(r).error().retry_after() < 10ms + 1us);
    CHECK_THROWS_AS(limit.reconfigure({.permits = 0, .per = 1s, .burst = 1}), std::invalid_argument);
    CHECK(*limit.settings().permits == 100);
    CHECK(weir::describe(svc).text() == "directive timed_by\ngate rate_limit \"all\" permits=100 per=1s burst=1\n");
}

TEST_CASE("rate_limit: in a pipeline it decides as the limiter alone would")
{
    std::mt19937_64 random(11);
    weir::manual_clock clock;
    weir::gcra alone{{.permits = 50, .per = 1s, .burst = 5}};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::gcra{{.permits = 50, .per = 1s, .burst = 5}}}, ok};
    request const r{"a"};
    for (int i = 0; i < 5'000; ++i) {
        clock.advance(weir::duration(static_cast<std::int64_t>(random() % 35'000'000)));
        weir::decision const expected = alone.try_acquire(clock.now());
        auto const got = svc(r);
        REQUIRE(got.has_value() == static_cast<bool>(expected));
        if (got.has_error()) REQUIRE(got.error().retry_after() == expected.retry_after());
    }
}

TEST_CASE("rate_limit: a call costs what its request says")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s}}, weir::cost_of{[](int const& x) { return x; }}},
                       [](int x) { return x; }};
    CHECK(svc(6).has_value());
    CHECK(svc(5).error().retry_after() == 100ms);
    CHECK(svc(0).has_value());
    CHECK(svc(4).has_value());
    clock.advance(10min);
    CHECK(svc(11).error().retry_after() == weir::duration::max()); // never
    CHECK(svc(-1).error().retry_after() == weir::duration::max()); // a mistake does not pass
    CHECK(svc(10).has_value());
}

TEST_CASE("rate_limit: a call costs what a facet says, with or without its request")
{
    weir::manual_clock clock;
    auto const by_name = weir::cost_by<weir::principal>([](weir::principal const& p) { return p.name == "dear" ? 5u : 1u; });
    auto const by_both =
        weir::cost_by<weir::principal>([](weir::principal const& p, request const& r) { return p.name.size() + r.app.size(); });
    weir::pipeline one{weir::timed_by{std::ref(clock)}, who{}, weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s}}, by_name}, ok};
    weir::pipeline two{weir::timed_by{std::ref(clock)}, who{}, weir::rate_limit{weir::gcra{{.permits = 10, .per = 1s}}, by_both}, ok};
    request const dear{"dear"};
    CHECK(one(dear).has_value());
    CHECK(one(request{"a"}).has_value());
    CHECK(one(dear).error().retry_after() == 100ms);
    CHECK(two(dear).has_value());
    CHECK(two(dear).error().retry_after() == 600ms);
}

TEST_CASE("rate_limit: told with every call, and with its key, where that is wanted")
{
    weir::manual_clock clock;
    weir::pipeline svc{
        weir::timed_by{std::ref(clock)}, weir::rate_limit{weir::named<"all">(weir::gcra{{.permits = 100, .per = 1s}}), weir::tell_always},
        weir::rate_limit{
            weir::named<"app">(weir::keyed{weir::gcra{{.permits = 10, .per = 1s}}, weir::by_header<"x-app-id">, {.capacity = 9}}),
            weir::tell_key, weir::tell_always, weir::cost_of{[](request const&) { return 3; }}},
        ok};
    request const r{"a"};
    auto const reply = svc.call(r);
    REQUIRE(reply.has_value());
    weir::limit_facts const& told = *reply.reported<weir::limit_facts>();
    auto const facts = told.all();
    REQUIRE(facts.size() == 2);
    CHECK(facts[0].name == "all");
    CHECK(facts[0].state.remaining == 99);
    CHECK(told.key_of("all").empty());
    CHECK(facts[1].name == "app");
    CHECK(facts[1].state.remaining == 7);
    CHECK(told.key_of("app") == "a");
    request const longer{std::string(weir::partition_key::most + 1, 'x')};
    CHECK(svc.call(longer).reported<weir::limit_facts>()->key_of("app").empty());
}

TEST_CASE("rate_limit: the keys that a limit holds are among its figures")
{
    weir::pipeline svc{weir::rate_limit{weir::keyed{weir::gcra{{.permits = 1, .per = 1h}}, weir::keyed_by(&request::app), {.capacity = 9}}},
                       ok};
    CHECK(svc(request{"a"}).has_value());
    CHECK(svc(request{"b"}).has_value());
    CHECK(svc(request{"b"}).has_error());
    std::map<std::string, std::uint64_t> figures;
    svc.get<weir::rate_limit>().stats().each([&](std::string_view field, std::uint64_t n) { figures[std::string(field)] = n; });
    CHECK(figures.at("admitted_total") == 2);
    CHECK(figures.at("refused_total") == 1);
    CHECK(figures.at("keys") == 2);
}
