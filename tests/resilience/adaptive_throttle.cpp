// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/adaptive_throttle.hpp>

#include "breaker_model.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace weir_test;
using weir::verdict;

constexpr weir::time_point start{1h};

/// The throttle as its comment tells it: a list of calls, counted anew each time; the draws by their formula.
class model {
public:
    explicit model(weir::adaptive_throttle_options const& o) : o_(o), draws_(o.seed) {}

    bool admit(weir::time_point now)
    {
        if (!wary_) return true;
        double const chance = rejection(now);
        if (chance <= 0)
            wary_ = false;
        else {
            std::uint64_t z = draws_ + 0x9e3779b97f4a7c15u; // splitmix64
            draws_ = z;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
            z ^= z >> 31;
            if (static_cast<double>(z >> 11) / 9007199254740992.0 < chance) {
                if (o_.force_after == 0ns || now - passed_ < o_.force_after) {
                    seen_.push_back({now, false});
                    ++rejected;
                    return false;
                }
                ++forced;
            }
        }
        passed_ = now;
        return true;
    }
    void settle(weir::time_point now, verdict v)
    {
        if (v == verdict::ignored) return;
        seen_.push_back({now, v == verdict::success});
        if (v == verdict::failure && rejection(now) > 0) wary_ = true;
    }
    void reconfigure(weir::adaptive_throttle_options const& o)
    {
        if (o.window != o_.window) seen_.clear();
        o_ = o;
        wary_ = true;
    }
    [[nodiscard]] std::uint64_t requests(weir::time_point now) const
    {
        return count(now, [](auto const&) { return true; });
    }
    [[nodiscard]] std::uint64_t accepts(weir::time_point now) const
    {
        return count(now, [](auto const& c) { return c.accepted; });
    }
    [[nodiscard]] double rejection(weir::time_point now) const
    {
        auto const r = static_cast<double>(requests(now)), a = static_cast<double>(accepts(now));
        return std::max(0.0, (r - o_.protection - o_.k * a) / (r + 1));
    }
    std::uint64_t rejected = 0, forced = 0;

private:
    struct seen {
        weir::time_point at;
        bool accepted;
    };
    template<class Which>
    [[nodiscard]] std::uint64_t count(weir::time_point now, Which which) const
    {
        unsigned shift = 0; // slices of 2^shift ns, of which fewer than 15 fit in
        while ((o_.window.count() >> shift) >= 15) ++shift;
        auto const slice = [&](weir::time_point t) { return t.time_since_epoch().count() >> shift; };
        return static_cast<std::uint64_t>(std::ranges::count_if(
            seen_, [&](seen const& s) { return slice(now) - slice(s.at) <= (o_.window.count() >> shift) && which(s); }));
    }
    weir::adaptive_throttle_options o_;
    std::uint64_t draws_;
    bool wary_ = false;
    weir::time_point passed_{};
    std::deque<seen> seen_;
};

template<class Threading>
struct schedule {
    static weir::adaptive_throttle_options drawn(auto& random)
    {
        double const ks[] = {1, 1.1, 1.5, 2, 10};
        weir::duration const windows[] = {1ms, 10ms, 100ms};
        std::uint32_t const protections[] = {0, 0, 1, 5};
        weir::duration const forces[] = {0ns, 0ns, 2ms, 50ms};
        return {ks[random() % 5], windows[random() % 3], protections[random() % 4], forces[random() % 4], 1 + random() % 1'000};
    }
    static bool run(story& s, std::uint64_t seed)
    {
        std::minstd_rand random(static_cast<std::uint32_t>(seed * 2 + 1));
        random.discard(3);
        auto const o = drawn(random);
        weir::adaptive_throttle<Threading, told_verdict> throttle{o};
        model expected{o};
        breaker_call call{start};
        int under_way = 0;
        for (int step = 0; step < 40; ++step) {
            if (random() % 3 == 0) call.time += some_time(random) / 2;
            auto const what = random() % 100;
            if (what < 50) {
                auto const a = throttle.admit(call);
                bool const passes = expected.admit(call.time);
                s.step(passes ? "a call passes" : "a call is rejected", call.time);
                if (!s.expect(a.is_admitted() == passes, "the same calls pass")) return false;
                if (!s.expect(passes || a.refusal() == weir::errc::overloaded, "rejected as overloaded")) return false;
                under_way += passes;
            } else if (what < 97 && under_way > 0) {
                --under_way;
                auto const kind = random() % 10;
                verdict const v = kind < 3 ? verdict::success : kind < 9 ? verdict::failure : verdict::ignored;
                s.step("a call ends, " + std::to_string(static_cast<int>(v)), call.time);
                if (kind == 8) {
                    throttle.cancel({});
                    continue;
                }
                throttle.settle({}, v, call);
                expected.settle(call.time, v);
            } else if (what == 99) {
                auto other = drawn(random);
                s.step("reconfigured", call.time);
                throttle.reconfigure(other);
                expected.reconfigure(other);
            }
            auto const stats = throttle.stats(call.time);
            if (!s.expect(stats.requests == expected.requests(call.time) && stats.accepts == expected.accepts(call.time),
                          "the same window") ||
                !s.expect(stats.rejection == expected.rejection(call.time), "the same probability") ||
                !s.expect(stats.rejected == expected.rejected && stats.forced == expected.forced, "as many rejected and forced"))
                return false;
        }
        return true;
    }
};

} // namespace

TEST_CASE("adaptive_throttle: random schedules go as the model says")
{
    run_all<schedule<weir::shared>>(2);
    run_all<schedule<weir::confined>>(2);
}

TEST_CASE("adaptive_throttle: a service that answers so many a second gets about k times as many, and all again when it works")
{
    weir::manual_clock clock;
    int calls = 0, answered = 0, capacity = 1'000;
    weir::adaptive_throttle throttle{{.k = 2, .window = 10s, .seed = 5}};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, std::ref(throttle), [&](int n) -> weir::result<int> {
                           ++calls;
                           if (answered == capacity) return weir::errc::overloaded;
                           ++answered;
                           return n;
                       }};
    auto const offer = [&](int seconds) {
        calls = 0;
        for (int i = 0; i < seconds * 100; ++i) {
            if (i % 100 == 0) answered = 0;
            static_cast<void>(svc(i));
            clock.advance(10ms);
        }
        return calls / seconds;
    };
    CHECK(offer(20) == 100);
    CHECK(throttle.stats(clock.now()).rejection == 0);
    capacity = 10; // a second
    offer(60);
    int const sent = offer(60); // about twice what it answers, of the 100 offered
    CHECK(sent >= 15);
    CHECK(sent <= 25);
    CHECK(throttle.stats(clock.now()).rejection > 0.7);
    capacity = 1'000;
    offer(60);
    CHECK(offer(10) == 100);
}

TEST_CASE("adaptive_throttle: one that nothing has got through recovers, by its window or by force")
{
    for (weir::duration const force : {weir::duration(0), weir::duration(1s)}) {
        weir::adaptive_throttle<weir::confined, told_verdict> throttle{{.window = 10s, .force_after = force, .seed = 3}};
        breaker_call call{start};
        for (int i = 0; i < 1'000; ++i) throttle.settle({}, verdict::failure, call);
        CHECK(throttle.stats(start).rejection > 0.99);
        for (int i = 0; i < 30'000; ++i) { // a call each 10 ms, all of which succeed if they pass
            call.time += 10ms;
            if (throttle.admit(call)) throttle.settle({}, verdict::success, call);
        }
        CHECK(throttle.stats(call.time).rejection == 0);
        if (force != 0ns) CHECK(throttle.stats(call.time).forced >= 1);
    }
}

TEST_CASE("adaptive_throttle: go-zero's settings let so many fail before any is rejected")
{
    weir::adaptive_throttle<weir::confined, told_verdict> throttle{{.k = 1.5, .window = 10s, .protection = 5, .force_after = 1s}};
    breaker_call call{start};
    for (int i = 0; i < 5; ++i) throttle.settle({}, verdict::failure, call);
    CHECK(throttle.stats(start).rejection == 0);
    throttle.settle({}, verdict::failure, call);
    CHECK(throttle.stats(start).rejection == doctest::Approx(1.0 / 7));
}

TEST_CASE("adaptive_throttle: bad options name the member")
{
    CHECK_THROWS_WITH_AS(weir::adaptive_throttle{{.k = 0.9}}, "adaptive_throttle.k: expected 1 to 1,000", std::invalid_argument);
    CHECK_THROWS_AS(weir::adaptive_throttle{{.window = 1us}}, std::invalid_argument);
    weir::adaptive_throttle throttle;
    CHECK_THROWS_WITH_AS(throttle.reconfigure({.force_after = -1s}), "adaptive_throttle.force_after: expected 0 or more",
                         std::invalid_argument);
}

TEST_CASE("adaptive_throttle: a classifier of its own")
{
    weir::adaptive_throttle throttle{{}, [](auto const& outcome) { return outcome.has_error(); }};
    weir::pipeline svc{std::ref(throttle), [](int) -> weir::result<int> { return weir::errc::not_found; }};
    static_cast<void>(svc(1));
    CHECK(throttle.stats(weir::steady::now()).accepts == 0);
    CHECK(throttle.stats(weir::steady::now()).requests == 1);
}

TEST_CASE("adaptive_throttle: threads may use it, reconfigure it and look at it at once")
{
    weir::adaptive_throttle<weir::shared, told_verdict> throttle{{.window = 1ms, .force_after = 100us}};
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 3; ++t)
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            breaker_call call{start};
            for (int i = 0; i < 5'000; ++i) {
                call.time += weir::duration(random() % 1'000);
                if (throttle.admit(call)) throttle.settle({}, random() % 3 == 0 ? verdict::success : verdict::failure, call);
            }
        });
    for (int i = 0; i < 300; ++i) {
        throttle.reconfigure({.window = i % 2 == 0 ? weir::duration(1ms) : weir::duration(2ms), .force_after = 100us});
        CHECK(throttle.stats(start).accepts <= 15'000);
    }
    for (auto& t : threads) t.join();
    CHECK(throttle.stats(start).rejected + throttle.stats(start).forced > 0);
}
