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
    CHECK(reply.reported<weir::limit_facts>()->name == "rate_limit");
    CHECK(reply.reported<weir::limit_facts>()->state.limit == 10);
    CHECK(reply.reported<weir::limit_facts>()->state.remaining == 0);
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
