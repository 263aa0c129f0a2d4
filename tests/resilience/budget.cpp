// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/budget.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{1h};

} // namespace

TEST_CASE("budget: a part of the calls, and a floor")
{
    weir::budget b{{.ratio = 0.5, .floor_per_second = 1, .window = 2s}};
    CHECK(b.left(start) == 2.0);
    for (int i = 0; i < 4; ++i) b.deposit(start);
    CHECK(b.left(start) == 4.0);
    for (int i = 0; i < 4; ++i) CHECK(b.withdraw(start));
    CHECK_FALSE(b.withdraw(start));
    CHECK(b.left(start + 3s) == 2.0); // both have left the window
}

TEST_CASE("budget: what is borrowed and given back stays as a call, the rest as an extra one")
{
    weir::budget b{{.ratio = 0.5, .floor_per_second = 1, .window = 2s}};
    CHECK(b.borrow(start));
    CHECK(b.left(start) == 1);
    b.deposit(start); // by a retry further in
    CHECK(b.left(start) == 1);
    CHECK(b.borrow(start));
    b.deposit(start);
    CHECK_FALSE(b.borrow(start));
    CHECK_FALSE(b.withdraw(start));
    b.give_back(start, start + 1s);
    CHECK(b.left(start + 1s) == 1.5); // one extra, one call
    CHECK(b.withdraw(start + 1s));
    b.give_back(start - 1s, start + 1s); // it has left the window
    CHECK(b.left(start + 1s) == 0.5);
    CHECK(b.left(start + 4s) == 2);
    b.give_back(start, start + 4s);
    CHECK(b.left(start + 4s) == 2);
}

TEST_CASE("budget: never lends more than the window's calls allow, whatever the history")
{
    std::mt19937_64 random(3);
    weir::budget b{{.ratio = 0.2, .floor_per_second = 2, .window = 1s}};
    std::vector<std::pair<weir::time_point, bool>> seen;
    weir::time_point now = start;
    for (int step = 0; step < 4'000; ++step) {
        now += weir::duration(static_cast<std::int64_t>(random() % 20'000'000));
        if (random() % 2 == 0) {
            b.deposit(now);
            seen.emplace_back(now, false);
        } else {
            // The model counts by the same slices of 2^26 ns, of which 15 fall into the window.
            auto const slice = [](weir::time_point t) { return static_cast<std::uint64_t>(t.time_since_epoch().count()) >> 26; };
            double calls = 0, extra = 0;
            for (auto const& [at, is_extra] : seen)
                if (slice(now) - slice(at) <= (1'000'000'000u >> 26)) (is_extra ? extra : calls) += 1;
            bool const expected = 2 + 0.2 * calls - extra >= 1;
            REQUIRE(b.withdraw(now) == expected);
            if (expected) seen.emplace_back(now, true);
        }
    }
}

TEST_CASE("budget: bad options name the member")
{
    CHECK_THROWS_WITH_AS(weir::budget({.ratio = -0.1}), "budget.ratio: expected a ratio in [0, 1]", std::invalid_argument);
    CHECK_THROWS_AS(weir::budget({.floor_per_second = -1}), std::invalid_argument);
    CHECK_THROWS_AS(weir::budget({.window = 0s}), std::invalid_argument);
}

TEST_CASE("budget: random schedules come out as the model says")
{
    std::uint64_t const first = weir_test::first_seed();
    std::uint64_t lent = 0, refused = 0;
    double nothing = 0;
    for (std::uint64_t seed = first; seed < first + weir_test::schedules(); ++seed) {
        std::mt19937 draws(static_cast<std::uint32_t>(seed));
        auto const random = [&] { return static_cast<std::uint32_t>(draws()); };
        weir::budget_options o{.ratio = (random() % 5) * 0.25,
                               .floor_per_second = (random() % 3) * 3.0,
                               .window = std::chrono::milliseconds(random() % 4 == 0 ? 1 : 1 + random() % 4'000)};
        weir::budget b{o};
        enum class kind { call, extra, loan, returned };
        struct step {
            weir::time_point at;
            kind what;
        };
        std::vector<step> seen;
        weir::time_point now = start + std::chrono::microseconds(random() % 1'000'000);
        std::uint32_t const steps = 10 + random() % 40;
        for (std::uint32_t i = 0; i < steps; ++i) {
            now += std::chrono::microseconds(random() % 8 == 0 ? random() % 5'000'000 : random() % 60'000);
            if (random() % 40 == 0) { // other bounds: the same window keeps what it counted, another one begins empty
                weir::budget_options const other{.ratio = (random() % 5) * 0.25,
                                                 .floor_per_second = (random() % 3) * 3.0,
                                                 .window = random() % 2 == 0 ? o.window : o.window + 1ms};
                if (other.window != o.window) seen.clear();
                o = other;
                b.reconfigure(o);
            }
            if (random() % 2 == 0) {
                b.deposit(now);
                seen.push_back({now, kind::call});
                continue;
            }
            if (random() % 4 == 0) { // one that was borrowed is given back
                auto const lent_at = [](step const& s) { return s.what == kind::loan; };
                auto const found = std::find_if(seen.begin(), seen.end(), lent_at);
                if (found != seen.end()) {
                    b.give_back(found->at, now);
                    if (now - found->at < o.window) found->what = kind::returned;
                }
                continue;
            }
            bool const borrows = random() % 2 == 0;
            unsigned shift = 0; // the window is cut into slices of 2^shift ns, 15 at most
            while ((o.window.count() >> shift) >= 15) ++shift;
            double calls = 0, extra = 0, loans = 0;
            for (step const& s : seen)
                if ((now.time_since_epoch().count() >> shift) - (s.at.time_since_epoch().count() >> shift) <= (o.window.count() >> shift))
                    (s.what == kind::call ? calls : s.what == kind::extra ? extra : s.what == kind::loan ? loans : nothing) += 1;
            double const floor = o.floor_per_second * (static_cast<double>(o.window.count()) / 1e9);
            bool const expected = floor + o.ratio * std::max(calls - loans, 0.0) - extra - loans >= 1;
            if ((borrows ? b.borrow(now) : b.withdraw(now)) != expected)
                FAIL("seed " << seed << " step " << i << ": " << calls << " calls, " << extra << " extra, " << loans << " borrowed, ratio "
                             << o.ratio << ", floor " << floor << ": expected " << (expected ? "one more" : "no more"));
            (expected ? lent : refused) += 1;
            if (expected) seen.push_back({now, borrows ? kind::loan : kind::extra});
        }
    }
    CHECK(lent > weir_test::schedules());
    CHECK(refused > weir_test::schedules());
}

TEST_CASE("budget: several threads together take no more than there is")
{
    for (int round = 0; round < 20; ++round) {
        weir::budget b{{.ratio = 0, .floor_per_second = 10, .window = 10s}};
        std::atomic<int> lent{0};
        auto const take = [&] {
            for (int i = 0; i < 200; ++i) lent += i % 2 == 0 ? b.withdraw(start) : b.borrow(start);
        };
        std::thread one(take), two(take);
        one.join();
        two.join();
        CHECK(lent == 100);
    }
}

TEST_CASE("budget: a share is one's own, or refers to another's")
{
    weir::budget b{{.ratio = 0, .floor_per_second = 1, .window = 1s}};
    weir::budget_share const own{weir::budget_options{}}, by_reference{std::ref(b)},
        by_pointer{std::make_shared<weir::budget>(weir::budget_options{})};
    CHECK(own.is_own());
    CHECK_FALSE(by_reference.is_own());
    CHECK_FALSE(by_pointer.is_own());
    CHECK(&*by_reference == &b);
    CHECK(by_reference->withdraw(start));
    CHECK(b.left(start) == 0);
}
