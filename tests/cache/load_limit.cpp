// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/load_limit.hpp>

#include <weir/cache/cached.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// What a gate sees of a call.
struct timeless_call {
    [[nodiscard]] static weir::time_point now() { return weir::time_point{1h}; }
};

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });

/// A load in the schedules: a place, or a waiter in the line.
struct load {
    weir::waiter waiting;
    bool inside = false;
};

/// One random schedule: loads that come, end and give up, and somebody who tightens; says what went wrong, or nothing.
std::string run_schedule(std::uint64_t seed)
{
    std::uint64_t random = seed;
    auto const below = [&](std::uint64_t n) { return weir::detail::splitmix64(random) % n; };
    auto const most = static_cast<std::uint32_t>(1 + below(6));
    auto const max_waiting = static_cast<std::uint32_t>(below(4));
    weir::load_limit limit{{.max_loads = most, .max_wait = 1h, .max_waiting = max_waiting}};
    timeless_call call;
    std::deque<load> all; // addresses stay
    std::deque<load*> inside, line;
    std::uint32_t allowed = most;
    std::string story = "most " + std::to_string(most) + ", waiting " + std::to_string(max_waiting) + ":";
    // Who waits gets a place as soon as there is one, first come first served.
    auto const admit_waiting = [&] {
        while (!line.empty() && inside.size() < allowed) {
            inside.push_back(line.front());
            line.pop_front();
        }
    };
    for (int i = 0; i < 40; ++i) {
        switch (below(5)) {
        case 0:
        case 1: {
            load& l = all.emplace_back();
            auto const said = limit.admit(call, l.waiting);
            story += " come";
            if (inside.size() < allowed && line.empty()) {
                if (!said) return story + ": a load was not admitted";
                inside.push_back(&l);
            } else if (line.size() < max_waiting) {
                if (!said.is_parked()) return story + ": a load does not wait";
                line.push_back(&l);
            } else if (said || said.is_parked() || said.refusal() != weir::errc::bulkhead_full)
                return story + ": a load was not refused";
            break;
        }
        case 2:
            if (inside.empty()) break;
            story += " end";
            inside.erase(inside.begin() + static_cast<std::ptrdiff_t>(below(inside.size())));
            admit_waiting();
            below(2) != 0 ? limit.cancel({}) : limit.settle({}, 0, call);
            break;
        case 3: {
            if (line.empty()) break;
            story += " leave";
            auto const at = line.begin() + static_cast<std::ptrdiff_t>(below(line.size()));
            if (!limit.abandon((*at)->waiting)) return story + ": one that waits is not in the line";
            line.erase(at);
            break;
        }
        default: {
            double const to = static_cast<double>(below(5)) / 4;
            story += " tighten " + std::to_string(to);
            allowed = std::max(1u, static_cast<std::uint32_t>(most * to));
            admit_waiting();
            limit.tighten(to);
        }
        }
        auto const seen = limit.stats();
        if (seen.limit != allowed || seen.loading != inside.size() || seen.waiting != line.size()) return story + ": the numbers differ";
        for (load* l : line)
            if (!l->waiting.linked()) return story + ": one that should wait was woken";
        for (load* l : inside)
            if (l->waiting.linked()) return story + ": one that has a place waits";
    }
    return {};
}

} // namespace

TEST_CASE("load_limit: does what the model does, whatever the schedule")
{
    for (std::uint64_t i = 0; i < weir_test::schedules(); ++i) {
        std::uint64_t const seed = weir_test::first_seed() + i;
        if (std::string const wrong = run_schedule(seed); !wrong.empty()) FAIL("seed " << seed << ": " << wrong);
    }
}

TEST_CASE("load_limit: hits take no place, and a load that is refused is not kept")
{
    weir::load_limit loads{{.max_loads = 1}};
    int asked = 0;
    std::function<void()> meanwhile;
    weir::pipeline svc{weir::cached{weir::store<int, int>{{.capacity = 100}}, itself}, std::ref(loads), [&](int key) {
                           ++asked;
                           if (key == 2) meanwhile();
                           return key * 10;
                       }};
    meanwhile = [&] { // the only place is taken
        CHECK(svc(1).value() == 10);
        CHECK(svc(3).error() == weir::errc::bulkhead_full);
    };
    CHECK(svc(1).value() == 10);
    CHECK(svc(2).value() == 20);
    CHECK(svc(3).value() == 30);
    CHECK(asked == 3);
    CHECK(loads.stats().refused == 1);
    CHECK(loads.stats().loading == 0);
    CHECK(weir::describe(svc).text().find("max_loads=1") != std::string::npos);
}

TEST_CASE("load_limit: many threads of cold keys, and never more loads at once than it allows")
{
    weir::load_limit loads{{.max_loads = 3, .max_wait = 1h}};
    std::atomic<int> inside{0}, most{0};
    weir::pipeline svc{weir::cached{weir::store<int, int>{{.capacity = 10'000}}, itself}, std::ref(loads), [&](int key) {
                           int const now = ++inside;
                           for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
                           std::this_thread::yield();
                           --inside;
                           return key;
                       }};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 5; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 500; ++i)
                if (auto const r = svc(i * 5 + t % 2); !r.has_value() || *r != i * 5 + t % 2) ++wrong;
        });
    for (int i = 0; i < 300; ++i) {
        loads.tighten(i % 3 / 2.0);
        static_cast<void>(loads.stats());
    }
    for (auto& t : threads) t.join();
    CHECK(wrong == 0);
    CHECK(most <= 3);
    CHECK(loads.stats().loading == 0);
}

TEST_CASE("load_limit: as tight as it is told, one load at least, and as the settings say again")
{
    weir::load_limit limit{{.max_loads = 10, .max_wait = 5ms, .max_waiting = 7}};
    limit.tighten(0.25);
    CHECK(limit.stats().limit == 2);
    CHECK(limit.stats().tightness == 0.25);
    CHECK(*limit.settings().max_loads == 10);
    limit.reconfigure({.max_loads = 40, .max_wait = 5ms});
    CHECK(limit.stats().limit == 10);
    for (double const none : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
        limit.tighten(none);
        CHECK(limit.stats().limit == 1);
    }
    limit.tighten(7);
    CHECK(limit.stats().limit == 40);
    limit.tighten(0.5);
    limit.loosen();
    CHECK(limit.stats().limit == 40);
    CHECK(limit.settings().max_wait == 5ms);
}

TEST_CASE("load_limit: bad options name their member")
{
    CHECK_THROWS_WITH_AS(weir::load_limit({.max_loads = 0}), "load_limit.max_loads: expected at least 1", std::invalid_argument);
    weir::load_limit limit{{.max_loads = 3}};
    CHECK_THROWS_WITH_AS(limit.reconfigure({.max_loads = 1, .max_wait = -1ns}), "load_limit.max_wait: expected 0 or more",
                         std::invalid_argument);
    CHECK(limit.stats().limit == 3);
}
