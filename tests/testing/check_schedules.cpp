// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/check_schedules.hpp>

#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/simulation.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// A limit of two calls a second with an error: it counts to three.
class off_by_one {
public:
    using role = weir::gate;
    static constexpr std::string_view name = "off_by_one";
    weir::admission<> admit(auto& call)
    {
        while (!began_.empty() && began_.front() <= call.now() - 1s) began_.pop_front();
        if (began_.size() > 2) return weir::errc::rate_limited; // >= 2 would be right
        began_.push_back(call.now());
        return weir::admitted;
    }

private:
    std::deque<weir::time_point> began_;
};

/// Calls at drawn times; never more than two of them are let through within a second.
void at_most_two_a_second(weir::schedule& s)
{
    std::vector<weir::time_point> through;
    weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, off_by_one{}, [&](int) -> asio::awaitable<int> {
                           through.push_back(s.now());
                           co_await weir::sleep(s, s.between(0ms, 50ms));
                           co_return 1;
                       }};
    weir::simulation world(s);
    auto const ask = [&](int number, weir::duration when) -> asio::awaitable<void> {
        co_await weir::sleep(s, when);
        weir::observed watched{svc, weir::story_of{s, "call " + std::to_string(number)}};
        static_cast<void>(co_await watched(number));
        auto const last = through.size();
        s.expect(last < 3 || through[last - 1] - through[last - 3] >= 1s, "at most two calls go through within a second");
    };
    int number = 0;
    while (number < 40 && s.chance(0.95)) world.spawn(ask(++number, s.between(0s, 20s)));
    world.run();
}

} // namespace

TEST_CASE("check_schedules: what holds is well, and every schedule has a seed of its own")
{
    std::vector<std::uint64_t> first;
    auto const report = weir::check_schedules({.seed = 10, .schedules = 50}, [&](weir::schedule& s) { first.push_back(s.draw(1u << 30)); });
    CHECK(report);
    CHECK(report.schedules == 50);
    CHECK(report.text() == "50 schedules: all is well\n");
    std::sort(first.begin(), first.end());
    CHECK(std::unique(first.begin(), first.end()) == first.end());
}

TEST_CASE("check_schedules: a bug of one too many comes out as the least number of calls that show it, at the same time")
{
    auto const report = weir::check_schedules({.schedules = 200}, at_most_two_a_second);
    REQUIRE_FALSE(report);
    CHECK(report.why == "at most two calls go through within a second");
    CHECK(report.drawn > 20);
    // Three calls at once: each "one more", all times 0.
    CHECK(report.draws == std::vector<std::uint64_t>{1, 0, 1, 0, 1});
    INFO(report.text());
    CHECK(report.story.text() == "    0.000 000 000  call 1    admitted by off_by_one\n"
                                 "    0.000 000 000  call 1    the handler begins\n"
                                 "    0.000 000 000  call 2    admitted by off_by_one\n"
                                 "    0.000 000 000  call 2    the handler begins\n"
                                 "    0.000 000 000  call 3    admitted by off_by_one\n"
                                 "    0.000 000 000  call 3    the handler begins\n"
                                 "    0.000 000 000  call 1    the handler answers\n"
                                 "    0.000 000 000  call 1    off_by_one hears of success\n"
                                 "    0.000 000 000  call 1    ends well\n"
                                 "    0.000 000 000  schedule  failed: at most two calls go through within a second\n");
    // The report says how to see it again.
    auto const again = weir::check_schedules({.replay = report.draws}, at_most_two_a_second);
    CHECK(again.failed);
    CHECK(again.why == report.why);
    CHECK(again.story.text() == report.story.text());
    std::ostringstream out;
    out << report;
    CHECK(out.str().find("to run it again: .replay = {1, 0, 1, 0, 1}\n") != std::string::npos);
}

TEST_CASE("check_schedules: the same options give the same report")
{
    auto const one = weir::check_schedules({.seed = 5, .schedules = 200}, at_most_two_a_second);
    auto const two = weir::check_schedules({.seed = 5, .schedules = 200}, at_most_two_a_second);
    CHECK(one.text() == two.text());
}

TEST_CASE("check_schedules: a count that says how many follow is shrunk with them")
{
    // Fails if any of them is above 900.
    auto const report = weir::check_schedules({.schedules = 1'000}, [](weir::schedule& s) {
        std::uint64_t const count = s.draw(20);
        for (std::uint64_t i = 0; i < count; ++i) s.expect(s.draw(1'000) <= 900, "at most 900");
    });
    REQUIRE_FALSE(report);
    CHECK(report.draws == std::vector<std::uint64_t>{1, 901});
}

TEST_CASE("check_schedules: sums, and numbers that have to be apart")
{
    auto const report = weir::check_schedules({.schedules = 1'000}, [](weir::schedule& s) {
        std::uint64_t const a = s.draw(1'000'000), b = s.draw(1'000'000);
        return !(a > b + 1'000);
    });
    REQUIRE_FALSE(report);
    CHECK(report.why == "the property returned false");
    CHECK(report.draws == std::vector<std::uint64_t>{1'001});
}

TEST_CASE("check_schedules: an exception fails, and is not shrunk into another failure")
{
    auto const report = weir::check_schedules({.schedules = 100}, [](weir::schedule& s) {
        auto const n = s.draw(1'000);
        if (n > 500) throw std::runtime_error("too many");
        s.expect(n != 3, "not three");
    });
    REQUIRE_FALSE(report);
    CHECK((report.why == "an exception: too many" ? report.draws.front() == 501 : report.draws.front() == 3));
}

TEST_CASE("check_schedules: a schedule without end is stopped, and says so")
{
    auto const report = weir::check_schedules({.schedules = 1, .max_draws = 1'000, .max_shrinks = 10}, [](weir::schedule& s) {
        for (;;) static_cast<void>(s.draw(2));
    });
    REQUIRE_FALSE(report);
    CHECK(report.why == "an exception: weir: a schedule draws more than max_draws allows; simplify it, or allow more");
}

TEST_CASE("check_schedules: a property that depends on more than its draws is told so")
{
    int runs = 0;
    auto const report = weir::check_schedules({.schedules = 10}, [&](weir::schedule& s) {
        static_cast<void>(s.draw(10));
        s.expect(++runs != 3, "not the third time");
    });
    REQUIRE_FALSE(report);
    CHECK(report.why == "not the third time (but not when it is run again: it depends on more than its draws)");
}
