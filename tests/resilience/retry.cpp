// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/retry.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

/// A call that has come back with an outcome.
struct test_call {
    weir::time_point time = start;
    weir::deadline until{};
    std::uint32_t attempt = 0;
    void set(weir::attempt a) { attempt = a.number; }
    [[nodiscard]] weir::time_point now() const { return time; }
    [[nodiscard]] weir::deadline const& deadline() const { return until; }
    [[nodiscard]] static bool failed(weir::result<int> const& outcome) { return weir::default_classifier{}(outcome); }
};

using outcome_type = weir::result<int>;

} // namespace

TEST_CASE("retry: waits between zero and a bound that doubles up to the cap")
{
    weir::retry<6> policy{{.base = 10ms, .cap = 50ms, .budget = {.floor_per_second = 1e6}, .seed = 7}};
    weir::duration const bounds[] = {10ms, 20ms, 40ms, 50ms, 50ms};
    weir::duration longest[5]{}, shortest[5]{1h, 1h, 1h, 1h, 1h};
    for (int round = 0; round < 2'000; ++round) {
        decltype(policy)::plan plan;
        test_call call;
        outcome_type outcome = weir::errc::unavailable;
        for (int i = 0; i < 5; ++i) {
            weir::next_step const next = policy.after(call, plan, outcome);
            REQUIRE(next.again());
            REQUIRE(next.delay() >= 0ns);
            REQUIRE(next.delay() < bounds[i]);
            longest[i] = std::max(longest[i], next.delay());
            shortest[i] = std::min(shortest[i], next.delay());
        }
        REQUIRE_FALSE(policy.after(call, plan, outcome).again());
    }
    for (int i = 0; i < 5; ++i) { // full jitter: all of the span is used
        CHECK(longest[i] > bounds[i] * 9 / 10);
        CHECK(shortest[i] < bounds[i] / 10);
    }
    CHECK(policy.stats().retries == 10'000);
    CHECK(policy.stats().exhausted == 2'000);
}

TEST_CASE("retry: repeats faults and refusals by a limit, nothing else")
{
    weir::retry<2> policy{{.seed = 1}};
    auto const repeats = [&](outcome_type outcome) {
        decltype(policy)::plan plan;
        test_call call;
        return policy.after(call, plan, outcome).again();
    };
    using weir::errc;
    for (errc const e :
         {errc::unavailable, errc::upstream_failed, errc::handler_threw, errc::deadline_exceeded, errc::overloaded, errc::rate_limited})
        CHECK(repeats(e));
    for (errc const e : {errc::not_found, errc::invalid_request, errc::forbidden, errc::cancelled, errc::circuit_open, errc::bulkhead_full,
                         errc::unauthenticated})
        CHECK_FALSE(repeats(e));
    CHECK_FALSE(repeats(1));
}

TEST_CASE("retry: a time to come back is honoured, unless it is longer than the cap")
{
    weir::retry<3> policy{{.base = 1ms, .cap = 1s, .seed = 1}};
    test_call call;
    {
        decltype(policy)::plan plan;
        outcome_type outcome = weir::error(weir::errc::rate_limited, 700ms);
        CHECK(policy.after(call, plan, outcome).delay() == 700ms);
    }
    decltype(policy)::plan plan;
    outcome_type outcome = weir::error(weir::errc::rate_limited, 1s + 1ns);
    CHECK_FALSE(policy.after(call, plan, outcome).again());
    CHECK(policy.stats().exhausted == 1);
}

TEST_CASE("retry: no attempt begins that would begin after the deadline")
{
    weir::retry<3> policy{{.base = 1ms, .cap = 1s, .seed = 1}};
    outcome_type outcome = weir::error(weir::errc::unavailable, 100ms);
    test_call call{.until = {start + 100ms, 0}};
    decltype(policy)::plan plan;
    CHECK_FALSE(policy.after(call, plan, outcome).again());
    call.until.at = start + 100ms + 1ns;
    CHECK(policy.after(call, plan, outcome).again());
}

TEST_CASE("retry: the budget bounds what all calls together repeat")
{
    weir::retry<10> policy{{.budget = {.ratio = 0.1, .floor_per_second = 0, .window = 10s}, .seed = 1}};
    int repeated = 0;
    for (int i = 0; i < 1'000; ++i) {
        decltype(policy)::plan plan;
        test_call call;
        outcome_type outcome = weir::errc::unavailable;
        while (policy.after(call, plan, outcome).again()) ++repeated;
    }
    CHECK(repeated >= 99);
    CHECK(repeated <= 100);
    CHECK(policy.stats().over_budget >= 900);
}

TEST_CASE("retry: options may lower the attempts of the type, never raise them")
{
    weir::manual_clock clock;
    int attempts = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<5>{{.max_attempts = 2, .seed = 1}},
                       weir::idempotent{[&](int) -> weir::result<int> {
                           ++attempts;
                           return weir::errc::unavailable;
                       }}};
    static_assert(weir::max_attempts<decltype(svc)> == 5);
    CHECK(svc(1).error() == weir::errc::unavailable);
    CHECK(attempts == 2);
    svc.get<weir::retry>().reconfigure({.max_attempts = 5});
    static_cast<void>(svc(1));
    CHECK(attempts == 7);
    CHECK_THROWS_WITH_AS(svc.get<weir::retry>().reconfigure({.max_attempts = 6}),
                         "retry.max_attempts: expected at most the number that the type allows", std::invalid_argument);
    CHECK_THROWS_AS(weir::retry<3>({.base = 0s}), std::invalid_argument);
    CHECK_THROWS_AS(weir::retry<3>({.base = 2s, .cap = 1s}), std::invalid_argument);
    CHECK_THROWS_AS(weir::retry<3>({.budget = {.ratio = 2}}), std::invalid_argument);
}

TEST_CASE("retry: the same seed waits the same times")
{
    std::vector<weir::duration> seen[2];
    for (auto& times : seen) {
        weir::manual_clock clock;
        weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<5>{{.seed = 42}}, weir::idempotent{[&](int) -> weir::result<int> {
                               times.push_back(clock.now().time_since_epoch());
                               return weir::errc::unavailable;
                           }}};
        static_cast<void>(svc(1));
    }
    CHECK(seen[0].size() == 5);
    CHECK(seen[0] == seen[1]);
}
