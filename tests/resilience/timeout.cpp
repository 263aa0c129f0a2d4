// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{};

struct timed_call {
    weir::time_point time = start;
    weir::deadline set{};

    weir::time_point now() const noexcept { return time; }
    weir::deadline limit(weir::time_point at) noexcept
    {
        weir::deadline const before = set;
        if (at < set.at) set.at = at;
        return before;
    }
    void put_back(weir::deadline before) noexcept { set = before; }
};

template<class Policy>
struct turn { // one call through one timeout
    Policy& policy;
    timed_call& call;
    weir::deadline plan{};
    int outcome = 0;

    weir::admission<> begin() { return policy.begin(call, plan); }
    weir::next_step end() { return policy.after(call, plan, outcome); }
};
template<class Policy>
turn(Policy&, timed_call&) -> turn<Policy>;

TEST_CASE("timeout: the call has until its limit from when it arrived, and afterwards what it had before")
{
    weir::timeout limit{200ms};
    timed_call call{.time = start + 1s};
    turn one{limit, call};
    CHECK(one.begin().is_admitted());
    CHECK(call.set.at == start + 1200ms);
    CHECK_FALSE(one.end().again());
    CHECK(call.set.at == weir::never);
}

TEST_CASE("timeout: an earlier deadline further out stays in force")
{
    weir::timeout outer{100ms}, inner{200ms};
    timed_call call;
    turn out{outer, call}, in{inner, call};
    CHECK(out.begin().is_admitted());
    CHECK(in.begin().is_admitted());
    CHECK(call.set.at == start + 100ms);
    CHECK_FALSE(in.end().again());
    CHECK(call.set.at == start + 100ms);
    CHECK_FALSE(out.end().again());
    CHECK(call.set.at == weir::never);
}

TEST_CASE("timeout: a shorter limit further in holds for what is inside it only")
{
    weir::timeout outer{200ms}, inner{50ms};
    timed_call call;
    turn out{outer, call}, in{inner, call};
    CHECK(out.begin().is_admitted());
    call.time += 100ms;
    CHECK(in.begin().is_admitted());
    CHECK(call.set.at == start + 150ms);
    CHECK_FALSE(in.end().again());
    CHECK(call.set.at == start + 200ms);
}

TEST_CASE("timeout: a call whose time is already up is refused at once, by whoever set the deadline")
{
    weir::timeout limit{200ms};
    for (auto const late : {0ms, 1ms, 5000ms}) {
        timed_call call{.time = start + 100ms + late, .set = {.at = start + 100ms, .policy = 4}};
        turn one{limit, call};
        weir::admission<> const said = one.begin();
        CHECK_FALSE(said.is_admitted());
        CHECK(said.refusal().kind() == weir::errc::deadline_exceeded);
        CHECK(said.refusal().policy() == 4);
        CHECK(call.set.at == start + 100ms);
        CHECK(call.set.policy == 4);
    }
}

TEST_CASE("timeout: a limit too long for the clock is no limit")
{
    weir::timeout limit{weir::duration::max()};
    timed_call call{.time = start + 1h};
    turn one{limit, call};
    CHECK(one.begin().is_admitted());
    CHECK(call.set.at == weir::never);
}

TEST_CASE("timeout: another limit holds for calls that begin afterwards")
{
    weir::timeout limit{200ms};
    timed_call first, second;
    turn before{limit, first};
    CHECK(before.begin().is_admitted());
    limit.reconfigure(1s);
    turn after{limit, second};
    CHECK(after.begin().is_admitted());
    CHECK(first.set.at == start + 200ms);
    CHECK(second.set.at == start + 1s);
    CHECK(limit.settings() == 1s);
}

TEST_CASE("timeout: a limit that is not above 0 is refused, and the old one stays")
{
    for (auto const bad : {0ns, -1ns})
        CHECK_THROWS_WITH_AS(weir::timeout{bad}, "timeout.limit: expected more than 0", std::invalid_argument);
    weir::timeout limit{200ms};
    for (auto const bad : {0ns, -1ns})
        CHECK_THROWS_WITH_AS(limit.reconfigure(bad), "timeout.limit: expected more than 0", std::invalid_argument);
    CHECK(limit.settings() == 200ms);
}

TEST_CASE("timeout: the limit of the type is its limit, and the most that it can be given")
{
    using fast = weir::timeout<weir::ms{200}>;
    static_assert(fast::time_limit_ns == 200'000'000);
    static_assert(weir::timeout<>::time_limit_ns == 0 && !std::is_default_constructible_v<weir::timeout<>>);
    fast limit;
    CHECK(limit.settings() == 200ms);
    timed_call call;
    turn one{limit, call};
    CHECK(one.begin().is_admitted());
    CHECK(call.set.at == start + 200ms);

    limit.reconfigure(50ms);
    CHECK(limit.settings() == 50ms);
    limit.reconfigure(200ms);
    CHECK_THROWS_WITH_AS(limit.reconfigure(200ms + 1ns), "timeout.limit: expected at most the limit that the type states",
                         std::invalid_argument);
    CHECK_THROWS_AS(limit.reconfigure(0ms), std::invalid_argument);
    CHECK(limit.settings() == 200ms);
    CHECK(fast{50ms}.settings() == 50ms);
}

TEST_CASE("timeout: describes its limit")
{
    std::string told;
    weir::timeout{3s}.describe(
        [&](std::string_view field, weir::duration d) { told += std::string(field) + "=" + std::to_string(d.count()); });
    CHECK(told == "limit=3000000000");
}

} // namespace
