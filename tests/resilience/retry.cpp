// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/retry.hpp>

#include "../schedules.hpp"

#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
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

TEST_CASE("retry: decorrelated jitter stays between the base and three times the wait before, fixed waits are fixed")
{
    weir::retry<8> policy{
        {.base = 10ms, .cap = 200ms, .backoff = weir::backoff::decorrelated, .budget = {.floor_per_second = 1e6}, .seed = 3}};
    weir::duration longest{};
    for (int round = 0; round < 500; ++round) {
        decltype(policy)::plan plan;
        test_call call;
        outcome_type outcome = weir::errc::unavailable;
        weir::duration before = 10ms;
        for (int i = 0; i < 7; ++i) {
            weir::next_step const next = policy.after(call, plan, outcome);
            REQUIRE(next.again());
            REQUIRE(next.delay() >= 10ms);
            REQUIRE(next.delay() <= std::min<weir::duration>(200ms, 3 * before));
            before = next.delay();
            longest = std::max(longest, before);
        }
    }
    CHECK(longest > 190ms);

    weir::retry<4> steady{{.base = 30ms, .cap = 1s, .backoff = weir::backoff::fixed, .seed = 3}};
    decltype(steady)::plan plan;
    test_call call;
    outcome_type outcome = weir::errc::unavailable;
    for (int i = 0; i < 3; ++i) CHECK(steady.after(call, plan, outcome).delay() == 30ms);
}

TEST_CASE("retry: by error, and by what came back")
{
    using weir::errc;
    weir::retry<2, weir::on_errors<errc::circuit_open, errc::not_found>> by_error{{.seed = 1}};
    weir::retry<2, [](weir::result<int> const& r) { return r.has_value() && *r < 0; }> by_value{{.seed = 1}};
    auto const repeats = [](auto& policy, outcome_type outcome) {
        typename std::remove_reference_t<decltype(policy)>::plan plan;
        test_call call;
        return policy.after(call, plan, outcome).again();
    };
    CHECK(repeats(by_error, errc::circuit_open));
    CHECK(repeats(by_error, errc::not_found));
    CHECK_FALSE(repeats(by_error, errc::unavailable));
    CHECK_FALSE(repeats(by_error, 1));
    CHECK(repeats(by_value, -1));
    CHECK_FALSE(repeats(by_value, 1));
    CHECK_FALSE(repeats(by_value, errc::unavailable));
}

TEST_CASE("retry: a time to come back that is too long may be cut down to the cap")
{
    weir::retry<3> policy{{.base = 1ms, .cap = 1s, .clamp_retry_after = true, .seed = 1}};
    decltype(policy)::plan plan;
    test_call call;
    outcome_type outcome = weir::error(weir::errc::rate_limited, 1h);
    CHECK(policy.after(call, plan, outcome).delay() == 1s);
}

TEST_CASE("retry: no attempt begins with less time left than it needs")
{
    weir::retry<3> policy{{.base = 1ms, .cap = 1s, .min_time_left = 50ms, .seed = 1}};
    outcome_type outcome = weir::error(weir::errc::unavailable, 100ms);
    test_call call{.until = {start + 150ms, 0}};
    decltype(policy)::plan plan;
    CHECK_FALSE(policy.after(call, plan, outcome).again());
    call.until.at += 1ns;
    CHECK(policy.after(call, plan, outcome).again());
}

TEST_CASE("retry: several policies share one budget, by reference or by pointer")
{
    auto const shared = std::make_shared<weir::budget>(weir::budget_options{.ratio = 0, .floor_per_second = 0.5, .window = 10s});
    weir::retry<3> a{{.seed = 1}, shared}, b{{.seed = 1}, std::ref(*shared)};
    int repeated = 0;
    for (int i = 0; i < 10; ++i) {
        test_call call;
        outcome_type outcome = weir::errc::unavailable;
        decltype(a)::plan plan;
        repeated += a.after(call, plan, outcome).again();
        decltype(b)::plan other;
        repeated += b.after(call, other, outcome).again();
    }
    CHECK(repeated == 5);
    a.reconfigure({.budget = {.ratio = 1}}); // shared: it is not the policy's to change
    CHECK(shared->settings().ratio == 0);
    shared->reconfigure({.ratio = 0, .floor_per_second = 1, .window = 10s});
    CHECK(a.budget().left(start) == 5);
    CHECK_THROWS_AS((weir::retry<3>{{}, std::shared_ptr<weir::budget>()}), std::invalid_argument);

    weir::retry<3> own{{.seed = 1}};
    own.reconfigure({.budget = {.ratio = 0.5}});
    CHECK(own.budget().settings().ratio == 0.5);
    CHECK_THROWS_AS(own.reconfigure({.max_attempts = 2, .budget = {.ratio = 5}}), std::invalid_argument);
    CHECK(own.settings().max_attempts == 0);
}

TEST_CASE("retry: a service that fails for everybody gets at most 1 + budget times the calls")
{
    for (double const ratio : {0.0, 0.1, 0.2, 0.5}) {
        weir::manual_clock clock;
        std::uint64_t sent = 0;
        weir::pipeline svc{weir::timed_by{std::ref(clock)},
                           weir::retry<5>{{.base = 1ms, .cap = 1ms, .budget = {.ratio = ratio, .floor_per_second = 0}, .seed = 1}},
                           weir::idempotent{[&](int) -> weir::result<int> {
                               ++sent;
                               return weir::errc::unavailable;
                           }}};
        constexpr std::uint64_t calls = 20'000;
        for (std::uint64_t i = 0; i < calls; ++i) {
            static_cast<void>(svc(1));
            clock.advance(100us);
        }
        double const times = static_cast<double>(sent) / calls;
        MESSAGE("budget " << ratio << ": " << times << " times the calls");
        CHECK(times <= 1 + ratio);
        CHECK(times >= 1 + ratio * 0.9);
    }
}

TEST_CASE("retry: three layers of services stay within the product of their attempts, and far below it by their budgets")
{
    weir::manual_clock clock;
    std::uint64_t sent = 0;
    auto const run = [&](double ratio, double floor, std::uint64_t calls) {
        sent = 0;
        weir::retry_options const o{.base = 1ms, .cap = 1ms, .budget = {.ratio = ratio, .floor_per_second = floor}, .seed = 1};
        weir::pipeline third{weir::timed_by{std::ref(clock)}, weir::retry<3>{o}, weir::idempotent{[&](int) -> weir::result<int> {
                                 ++sent;
                                 return weir::errc::unavailable;
                             }}};
        weir::pipeline second{weir::timed_by{std::ref(clock)}, weir::retry<3>{o}, weir::idempotent{[&](int n) { return third(n); }}};
        weir::pipeline first{weir::timed_by{std::ref(clock)}, weir::retry<3>{o}, weir::idempotent{[&](int n) { return second(n); }}};
        static_assert(weir::max_attempts<decltype(first)> * weir::max_attempts<decltype(second)> * weir::max_attempts<decltype(third)> ==
                      27);
        for (std::uint64_t i = 0; i < calls; ++i) {
            std::uint64_t const before = sent;
            CHECK(first(1).error() == weir::errc::unavailable);
            CHECK(sent - before <= 27);
            clock.advance(1ms);
        }
        return static_cast<double>(sent) / static_cast<double>(calls);
    };
    double const without = run(1, 1e6, 100);
    double const with = run(0.2, 0, 5'000);
    MESSAGE("three layers of retry<3>: " << without << " times the calls without a budget, " << with << " with one of 20 %");
    CHECK(without == 27);
    CHECK(with <= 1.2 * 1.2 * 1.2);
}

namespace {

/// A retry of the naive kind: it keeps every call and every extra one with its time, and counts them anew for each question.
struct naive_retry {
    weir::retry_options o;
    std::uint32_t most;
    std::vector<weir::time_point> calls{}, extra{};
    std::uint64_t retries = 0, exhausted = 0, over_budget = 0;

    [[nodiscard]] static bool repeats(outcome_type const& r)
    {
        using weir::errc;
        if (r.has_value()) return false;
        switch (r.error().kind()) {
        case errc::deadline_exceeded:
        case errc::handler_threw:
        case errc::upstream_failed:
        case errc::unavailable:
        case errc::overloaded:
        case errc::rate_limited: return true;
        default: return false;
        }
    }
    /// As the window counts: by slices of 2^k ns, of which up to 15 fall into it.
    [[nodiscard]] double within(std::vector<weir::time_point> const& which, weir::time_point now) const
    {
        unsigned shift = 0;
        while ((o.budget.window.count() >> shift) >= 15) ++shift;
        double n = 0;
        for (weir::time_point const t : which)
            n += (now.time_since_epoch().count() >> shift) - (t.time_since_epoch().count() >> shift) <= (o.budget.window.count() >> shift);
        return n;
    }
    /// Whether the attempt with this number is followed by another one, given how long that would be waited for.
    bool again(std::uint32_t attempt, weir::time_point now, weir::time_point deadline, outcome_type const& r, weir::duration drawn)
    {
        if (attempt == 1) calls.push_back(now);
        if (!repeats(r)) return false;
        weir::duration asked = r.error().retry_after();
        if (o.clamp_retry_after) asked = std::min(asked, o.cap);
        weir::duration const wait = std::max(asked, drawn);
        if (attempt >= most || asked > o.cap || (deadline != weir::never && now + wait + o.min_time_left >= deadline)) {
            ++exhausted;
            return false;
        }
        double const floor = o.budget.floor_per_second * static_cast<double>(o.budget.window.count()) / 1e9;
        double const spent = within(extra, now);
        if (floor + o.budget.ratio * within(calls, now) - spent < 1) {
            ++over_budget;
            return false;
        }
        extra.push_back(now);
        ++retries;
        return true;
    }
};

} // namespace

TEST_CASE("retry: random schedules come out as the model says")
{
    using weir::errc;
    constexpr errc kinds[] = {errc::unavailable,  errc::upstream_failed, errc::handler_threw,  errc::deadline_exceeded,
                              errc::overloaded,   errc::rate_limited,    errc::not_found,      errc::cancelled,
                              errc::circuit_open, errc::forbidden,       errc::invalid_request};
    std::uint64_t repeated = 0, refused = 0;
    auto const run = [&](std::uint64_t seed, std::ostream* story) { // false: it came out otherwise
        std::mt19937 random(static_cast<std::uint32_t>(seed));
        auto const below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
        weir::retry_options o{.base = std::chrono::milliseconds(1 + below(20)),
                              .cap = std::chrono::milliseconds(20 + below(300)),
                              .backoff = weir::backoff{static_cast<std::uint8_t>(below(3))},
                              .clamp_retry_after = below(2) == 0,
                              .min_time_left = std::chrono::milliseconds(below(3) == 0 ? below(100) : 0),
                              .budget = {.ratio = below(3) * 0.25,
                                         .floor_per_second = below(2) == 0 ? 0.0 : 4.0,
                                         .window = std::chrono::milliseconds(below(2) == 0 ? 1'000 : 100 + below(5'000))},
                              .seed = seed | 1};
        o.max_attempts = below(4); // 0 to 3
        weir::retry<3> policy{o};
        naive_retry model{o, o.max_attempts == 0 ? 3 : o.max_attempts};
        weir::time_point now = start + std::chrono::milliseconds(below(100'000));
        std::uint32_t const calls = 1 + below(12);
        bool wrong = false;
        for (std::uint32_t c = 0; c < calls && !wrong; ++c) {
            now += std::chrono::microseconds(below(4) == 0 ? below(3'000'000) : below(50'000));
            weir::retry<3>::plan plan;
            test_call call{.time = now};
            if (below(3) == 0) call.until.at = now + std::chrono::milliseconds(below(500));
            static_cast<void>(policy.begin(call, plan));
            for (std::uint32_t attempt = 1;; ++attempt) {
                outcome_type outcome = 1;
                if (below(4) != 0) outcome = weir::error(kinds[below(11)], std::chrono::milliseconds(below(3) == 0 ? below(500) : 0));
                call.time += std::chrono::milliseconds(below(30));
                wrong = call.attempt != attempt;
                weir::next_step const next = policy.after(call, plan, outcome);
                // What is drawn is the policy's own affair: its bounds are the model's.
                weir::duration const asked = outcome.has_value()   ? weir::duration{}
                                             : o.clamp_retry_after ? std::min(outcome.error().retry_after(), o.cap)
                                                                   : outcome.error().retry_after();
                weir::duration const drawn = next.again() ? next.delay() : weir::duration{};
                std::uint64_t const exhausted_before = model.exhausted;
                bool const expected = model.again(attempt, call.time, call.until.at, outcome, drawn);
                // One that ends for want of time may have drawn a longer wait than none.
                bool const excused = !next.again() && model.exhausted == exhausted_before &&
                                     policy.stats().exhausted == exhausted_before + 1 && call.until.at != weir::never &&
                                     call.time + o.cap + o.min_time_left >= call.until.at;
                if (excused) {
                    if (expected) model.extra.pop_back();
                    --(expected ? model.retries : model.over_budget);
                    ++model.exhausted;
                } else if (next.again() != expected)
                    wrong = true;
                if (next.again() && (next.delay() < asked || next.delay() > o.cap)) wrong = true;
                if (story != nullptr)
                    *story << "call " << c << " attempt " << attempt << (outcome.has_value() ? " answered" : " failed") << ": "
                           << (next.again() ? "again" : "done") << (expected ? " (again)" : " (done)") << '\n';
                if (wrong || !next.again()) break;
                call.time += next.delay();
            }
            now = call.time;
        }
        auto const got = policy.stats();
        repeated += got.retries;
        refused += got.over_budget;
        return !wrong && got.retries == model.retries && got.exhausted == model.exhausted && got.over_budget == model.over_budget;
    };
    std::uint64_t const first = weir_test::first_seed();
    for (std::uint64_t seed = first; seed < first + weir_test::schedules(); ++seed) {
        if (run(seed, nullptr)) continue;
        std::ostringstream story;
        run(seed, &story);
        FAIL("seed " << seed << "\n" << story.str());
    }
    CHECK(repeated > weir_test::schedules() / 4);
    CHECK(refused > weir_test::schedules() / 10);
}
