// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/single_flight.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using flights_type = weir::single_flight<std::string, int>;
using ticket = flights_type::ticket;
using part = flights_type::part;

/// Tells whether a waiter was woken.
struct bell : weir::notifier {
    bell() noexcept : notifier{[](notifier& self) noexcept { ++static_cast<bell&>(self).rung; }} {}
    int rung = 0;
};

/// A call that asks for a key.
template<class Flights>
struct basic_caller {
    basic_caller(Flights& flights, typename Flights::key_type key) : mine(std::move(key)), is(flights.join(mine))
    {
        if (is == Flights::part::waits) REQUIRE(mine.waiting().attach(told));
    }
    [[nodiscard]] bool woken() const noexcept { return told.rung != 0; }

    bell told;
    typename Flights::ticket mine;
    typename Flights::part is;
};
using caller = basic_caller<flights_type>;

} // namespace

TEST_CASE("single_flight: the first leads, the others wait and get the leader's result")
{
    flights_type flights({});
    caller lead(flights, "a");
    caller second(flights, "a");
    caller third(flights, "a");
    CHECK(lead.is == part::leads);
    CHECK(second.is == part::waits);
    CHECK(third.is == part::waits);
    CHECK(flights.size() == 1);

    flights.settle(lead.mine, [] { return 7; });
    CHECK(flights.size() == 0);
    for (caller* each : {&second, &third}) {
        CHECK(each->told.rung == 1);
        CHECK_FALSE(each->mine.abandon());
        auto const result = each->mine.take();
        REQUIRE(result != nullptr);
        CHECK(*result == 7);
    }
    caller next(flights, "a");
    CHECK(next.is == part::leads);
}

TEST_CASE("single_flight: keys do not meet")
{
    flights_type flights({.max_flights = 2, .seed = 1});
    caller a(flights, "a");
    caller b(flights, "b");
    CHECK(a.is == part::leads);
    CHECK(b.is == part::leads);
    CHECK(flights.size() == 2);
}

TEST_CASE("single_flight: without anybody waiting no result is made")
{
    flights_type flights({});
    caller lead(flights, "a");
    flights.settle(lead.mine, []() -> int { throw std::logic_error("nobody asked"); });
    CHECK(flights.size() == 0);
}

TEST_CASE("single_flight: a leader that gives up makes the longest waiting one the leader")
{
    flights_type flights({});
    std::optional<caller> lead(std::in_place, flights, "a");
    caller heir(flights, "a");
    caller last(flights, "a");
    lead.reset();
    CHECK(heir.woken());
    CHECK(heir.mine.take() == nullptr);
    CHECK_FALSE(last.woken());
    CHECK(flights.size() == 1);

    caller late(flights, "a");
    CHECK(late.is == part::waits);
    flights.settle(heir.mine, [] { return 8; });
    CHECK(*last.mine.take() == 8);
    CHECK(*late.mine.take() == 8);
}

TEST_CASE("single_flight: an heir that is gone before it went on hands the lead on; when all are gone, the flight is over")
{
    flights_type flights({});
    std::deque<caller> callers;
    for (int i = 0; i < 5; ++i) callers.emplace_back(flights, "a");
    while (callers.size() > 1) {
        callers.pop_front();
        CHECK(callers.front().woken());
        CHECK(flights.size() == 1);
    }
    callers.pop_front();
    CHECK(flights.size() == 0);
}

TEST_CASE("single_flight: one who waits may leave, but not once it was woken")
{
    flights_type flights({});
    std::optional<caller> lead(std::in_place, flights, "a");
    caller impatient(flights, "a");
    caller heir(flights, "a");
    CHECK(impatient.mine.abandon());
    lead.reset();
    CHECK_FALSE(impatient.woken());
    CHECK_FALSE(heir.mine.abandon());
    CHECK(heir.mine.take() == nullptr);
}

TEST_CASE("single_flight: nobody joins a flight that is forgotten; those who have joined it get its result")
{
    flights_type flights({});
    caller old(flights, "a");
    caller waits(flights, "a");
    CHECK(flights.forget("a"));
    CHECK_FALSE(flights.forget("a"));
    CHECK_FALSE(flights.forget("b"));
    caller newer(flights, "a");
    caller joins(flights, "a");
    CHECK(newer.is == part::leads);
    CHECK(joins.is == part::waits);
    CHECK(flights.size() == 2);
    CHECK(waits.mine.abandon()); // each finds its own flight
    CHECK_FALSE(old.woken());
    caller other(flights, "b");
    flights.forget_all();
    caller newest(flights, "a");
    caller another(flights, "b");
    CHECK(newest.is == part::leads);
    CHECK(another.is == part::leads);
    flights.settle(old.mine, [] { return 1; });
    CHECK_FALSE(joins.woken());
    flights.settle(newer.mine, [] { return 2; });
    REQUIRE(joins.woken());
    CHECK(*joins.mine.take() == 2);
    CHECK(flights.size() == 3);
}

TEST_CASE("single_flight: the heirs of a flight that is forgotten join the newer one, or lead one that others can join")
{
    flights_type flights({});
    auto old = std::make_unique<caller>(flights, "a");
    caller first(flights, "a");
    caller second(flights, "a");
    flights.forget("a");
    SUBCASE("there is a newer one")
    {
        caller newer(flights, "a");
        old.reset();
        CHECK_FALSE(first.woken());
        CHECK(flights.size() == 1);
        flights.settle(newer.mine, [] { return 3; });
        CHECK(*first.mine.take() == 3);
        CHECK(*second.mine.take() == 3);
    }
    SUBCASE("there is none")
    {
        old.reset();
        CHECK(first.woken());
        CHECK(first.mine.take() == nullptr);
        caller joins(flights, "a");
        CHECK(joins.is == part::waits);
        flights.settle(first.mine, [] { return 4; });
        CHECK(*second.mine.take() == 4);
        CHECK(*joins.mine.take() == 4);
    }
    CHECK(flights.size() == 0);
}

TEST_CASE("single_flight: one who would rather not wait leads, or is told no; its load goes on without anybody")
{
    struct job final : weir::work {
        int cancelled = 0;
        void cancel() noexcept override { ++cancelled; }
    };
    flights_type flights({.max_flights = 1});
    job watched;
    job unwatched;
    ticket mine{"a"};
    CHECK(flights.lead(mine));
    ticket too{"a"};
    CHECK_FALSE(flights.lead(too));
    ticket full{"b"};
    CHECK_FALSE(flights.lead(full));
    CHECK(flights.hash_of("a") == mine.hash());

    ticket fork{"a"};
    flights.pass_on(mine, fork);
    fork.runs_as(unwatched);
    CHECK_FALSE(mine.leads());
    CHECK(fork.leads());
    {
        caller joins(flights, "a");
        CHECK(joins.is == part::waits);
        CHECK(joins.mine.abandon());
    }
    CHECK(unwatched.cancelled == 0);
    flights.settle(fork, [] { return 1; });

    for (bool const goes_on : {false, true}) {
        ticket lead{"a"};
        CHECK(flights.lead(lead));
        ticket load{"a"};
        flights.hand_over(lead, load);
        load.runs_as(watched);
        CHECK(lead.abandon(goes_on)); // the last one
        CHECK(watched.cancelled == 1);
        flights.settle(load, [] { return 1; });
    }
}

TEST_CASE("single_flight: who waits learns what the load runs as, of whoever leads now; who was woken, nothing")
{
    struct running : weir::work {
        void cancel() noexcept override {}
    } one, other;
    flights_type flights({});
    std::optional<caller> lead(std::in_place, flights, "a");
    caller heir(flights, "a");
    caller last(flights, "a");
    caller apart(flights, "b");
    CHECK(last.mine.waits_for() == nullptr); // not said yet
    apart.mine.runs_as(other);
    lead->mine.runs_as(one);
    CHECK(heir.mine.waits_for() == &one);
    CHECK(last.mine.waits_for() == &one);
    lead.reset();
    CHECK(heir.mine.waits_for() == nullptr); // it leads
    CHECK(last.mine.waits_for() == nullptr);
    heir.mine.runs_as(other);
    CHECK(last.mine.waits_for() == &other);
    flights.settle(heir.mine, [] { return 1; });
    CHECK(last.mine.waits_for() == nullptr);
    CHECK(*last.mine.take() == 1);
}

TEST_CASE("single_flight: who comes when there are too many flights flies alone")
{
    flights_type flights({.max_flights = 1});
    caller lead(flights, "a");
    caller alone(flights, "b");
    caller follower(flights, "a");
    CHECK(alone.is == part::alone);
    CHECK(follower.is == part::waits);
    flights.settle(alone.mine, [] { return 1; });
    CHECK_FALSE(follower.woken());
    flights.settle(lead.mine, [] { return 2; });
    CHECK(*follower.mine.take() == 2);
}

TEST_CASE("single_flight: a result that cannot be made leaves the lead where it was")
{
    flights_type flights({});
    std::optional<caller> lead(std::in_place, flights, "a");
    caller heir(flights, "a");
    CHECK_THROWS_AS(flights.settle(lead->mine, []() -> int { throw std::bad_alloc(); }), std::bad_alloc);
    CHECK_FALSE(heir.woken());
    lead.reset();
    CHECK(heir.woken());
}

TEST_CASE("single_flight: bad options are refused by name")
{
    CHECK_THROWS_WITH_AS(flights_type({.max_flights = 0}), doctest::Contains("single_flight.max_flights"), std::invalid_argument);
    CHECK_THROWS_AS(flights_type({.max_flights = (1u << 24) + 1}), std::invalid_argument);
}

TEST_CASE_TEMPLATE("single_flight: a random history against a list a key", Threading, weir::shared, weir::confined)
{
    using flights_of_numbers = weir::single_flight<int, int, Threading>;
    using call = basic_caller<flights_of_numbers>;
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        auto const below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
        std::size_t const bound = 1 + below(6);
        flights_of_numbers flights({.max_flights = bound, .seed = seed});
        std::map<int, std::deque<call*>> expected; // the leader first
        std::vector<std::unique_ptr<call>> calls;
        auto const forget = [&](std::unique_ptr<call>& c) {
            std::swap(c, calls.back());
            calls.pop_back();
        };

        for (int step = 0; step < 2'000; ++step) {
            if (calls.empty() || (calls.size() < 40 && below(2) == 0)) {
                int const key = static_cast<int>(below(8));
                calls.push_back(std::make_unique<call>(flights, key));
                call& c = *calls.back();
                if (auto const flight = expected.find(key); flight != expected.end()) {
                    REQUIRE(c.is == flights_of_numbers::part::waits);
                    flight->second.push_back(&c);
                } else if (expected.size() == bound) {
                    REQUIRE(c.is == flights_of_numbers::part::alone);
                } else {
                    REQUIRE(c.is == flights_of_numbers::part::leads);
                    expected[key].push_back(&c);
                }
            } else {
                auto& chosen = calls[below(calls.size())];
                int const key = chosen->mine.key();
                auto const flight = expected.find(key);
                bool const flies = chosen->is != flights_of_numbers::part::alone && flight != expected.end();
                if (flies && flight->second.front() == chosen.get() && below(2) == 0) {
                    flights.settle(chosen->mine, [&] { return step; });
                    for (call* each : flight->second) {
                        if (each == chosen.get()) continue;
                        REQUIRE(each->woken());
                        REQUIRE(*each->mine.take() == step);
                    }
                    std::deque<call*> const landed = flight->second;
                    expected.erase(flight);
                    for (call* each : landed)
                        forget(*std::find_if(calls.begin(), calls.end(), [&](auto const& c) { return c.get() == each; }));
                } else {
                    if (flies) {
                        auto& queue = flight->second;
                        bool const led = queue.front() == chosen.get();
                        queue.erase(std::find(queue.begin(), queue.end(), chosen.get()));
                        if (!led && below(2) == 0) REQUIRE(chosen->mine.abandon());
                        if (queue.empty()) expected.erase(flight);
                    }
                    forget(chosen);
                }
            }
            REQUIRE(flights.size() == expected.size());
            for (auto const& [key, queue] : expected)
                for (std::size_t i = 1; i < queue.size(); ++i) REQUIRE_FALSE(queue[i]->woken());
        }
    }
}

TEST_CASE("single_flight: threads that join, lead, give up and leave all come to an end")
{
    weir::single_flight<int, int> flights({.max_flights = 128});
    std::array<std::atomic<int>, 3> loading{};
    std::atomic<int> wrong = 0;
    auto const work = [&](unsigned seed) {
        std::mt19937 random(seed);
        for (int i = 0; i < 3'000; ++i) {
            int const key = static_cast<int>(random() % loading.size());
            weir::single_flight<int, int>::ticket mine(key);
            auto const is = flights.join(mine);
            if (is == weir::single_flight<int, int>::part::waits) {
                if (random() % 8 == 0 && mine.abandon()) continue;
                weir::detail::thread_notifier self;
                self.wait(mine.waiting(), weir::never);
                if (auto const result = mine.take()) {
                    if (*result != key) ++wrong;
                    continue;
                }
            }
            if (++loading[static_cast<std::size_t>(key)] != 1) ++wrong;
            if (random() % 4 == 0) std::this_thread::yield();
            --loading[static_cast<std::size_t>(key)];
            if (random() % 4 != 0) flights.settle(mine, [&] { return key; });
        }
    };
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, i);
    for (std::thread& each : threads) each.join();
    CHECK(wrong == 0);
    CHECK(flights.size() == 0);
}
