// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/enough_time.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string_view>

using namespace std::chrono_literals;

namespace {

/// Gives the call as much time as it asks for, without an end to it.
struct gives_time {
    using role = weir::loop;
    using plan = weir::deadline;
    static constexpr std::string_view name = "gives_time";
    weir::admission<> begin(auto& call, plan& before)
    {
        if (call.request() > std::chrono::seconds(0)) before = call.limit(weir::after(call.now(), call.request()));
        return weir::admitted;
    }
    weir::next_step after(auto& call, plan& before, auto&)
    {
        call.put_back(before);
        return weir::done;
    }
};

} // namespace

TEST_CASE("enough_time: calls that cannot be done in time are refused before anything is spent on them")
{
    weir::manual_clock clock;
    weir::duration takes = 50ms;
    int asked = 0;
    auto const handler = [&](weir::duration) {
        ++asked;
        clock.advance(takes);
        return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, gives_time{},
                       weir::enough_time{{.min_time_left = 10ms, .quantile = 0.5, .minimum_calls = 20}}, handler};
    CHECK(svc(10ms).has_value());
    CHECK(svc(9ms).error() == weir::errc::deadline_exceeded);
    CHECK(asked == 1);
    for (int i = 0; i < 40; ++i) CHECK(svc(0s).has_value()); // it learns: 50 ms
    auto const known = svc.get<weir::enough_time>().stats();
    CHECK(known.needed >= 50ms);
    CHECK(known.needed < 54ms);
    asked = 0;
    int refused = 0;
    for (int i = 0; i < 100; ++i) refused += svc(40ms).has_error();
    CHECK(refused == 90); // each tenth passes, and tells whether it is still so
    CHECK(asked == 10);
    CHECK(svc(60ms).has_value());
    takes = 5ms; // it has become quicker: the probes and the others find out
    for (int i = 0; i < 4'000; ++i) static_cast<void>(svc(40ms));
    CHECK(svc(40ms).has_value());
    CHECK_THROWS_AS(weir::enough_time({.quantile = 1}), std::invalid_argument);
    CHECK_THROWS_AS(weir::enough_time({.min_time_left = -1s}), std::invalid_argument);
}
