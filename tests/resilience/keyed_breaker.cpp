// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/keyed_breaker.hpp>

#include "breaker_model.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/key.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace weir_test;
using weir::breaker_state;
using weir::verdict;

/// Breakers by key, against a model a key; what is full, and what may be forgotten, by the list.
template<class Window, class Threading>
class keyed {
    static constexpr auto key_of = weir::keyed_by<int>([](int k) { return k; });
    using breaker_type = weir::keyed_breaker<std::remove_const_t<decltype(key_of)>, Window, Threading, told_verdict>;
    struct kept {
        breaker_model<Window> model;
        weir::time_point used;
    };
    struct running {
        typename breaker_type::permit_type permit;
        int key;
        std::uint64_t tenant; // of the model's; 0: let through without
        typename breaker_model<Window>::permit expected;
    };

public:
    static bool run(story& s, std::uint64_t seed)
    {
        std::minstd_rand random(static_cast<std::uint32_t>(seed * 2 + 1));
        random.discard(3);
        auto o = drawn_breaker<typename Window::options>(random);
        o.jitter = 0;
        std::size_t const capacity = 1 + random() % 4;
        auto const overflow = random() % 2 == 0 ? weir::breaker_overflow::pass : weir::breaker_overflow::refuse;
        breaker_type breaker{o, key_of, {.capacity = capacity, .overflow = overflow, .forget_after = 10ms, .seed = 1}};
        std::map<int, std::vector<typename breaker_type::transition>> heard;
        breaker.listen([&](auto const& t) { heard[t.key].push_back(t); });
        std::map<int, kept> models;
        std::map<int, std::uint64_t> tenants;
        std::vector<running> calls;
        std::uint64_t tenant = 0, overflowed = 0, late = 0;
        breaker_call call{weir::time_point(1h)};
        auto const may_go = [&](kept const& k) {
            auto const now = k.model.now();
            bool const waits =
                (now == breaker_state::open || (now == breaker_state::half_open && k.model.out() > 0)) && k.model.wait(call.time) > 0ns;
            return call.time - k.used >= 10ms && now <= breaker_state::half_open && !waits;
        };
        for (int step = 0, steps = 20 + static_cast<int>(random() % 40); step < steps; ++step) {
            if (random() % 2 == 0) call.time += some_time(random);
            call.key = static_cast<int>(random() % 6);
            auto const what = random() % 100;
            if (what < 50 && calls.size() < 10) {
                auto const a = breaker.admit(call);
                // With so few keys one turn of the hand sees them all: if any may go, or there is room, the key is held.
                if (!models.contains(call.key)) {
                    std::size_t stay = 0;
                    for (auto const& [k, m] : models) stay += !may_go(m);
                    for (auto m = models.begin(); m != models.end();) m = may_go(m->second) ? models.erase(m) : std::next(m);
                    if (stay < capacity) {
                        models.emplace(call.key, kept{breaker_model<Window>(o), call.time});
                        tenants[call.key] = ++tenant;
                        heard.erase(call.key);
                    }
                }
                s.step("a call of key " + std::to_string(call.key), call.time);
                auto const found = models.find(call.key);
                if (found == models.end()) {
                    ++overflowed;
                    if (!s.expect(a.is_admitted() == (overflow == weir::breaker_overflow::pass), "overflow as told")) return false;
                    if (a) calls.push_back({a.permit(), call.key, 0, {}});
                } else {
                    typename breaker_model<Window>::permit p{};
                    bool const passes = found->second.model.admit(call.time, p);
                    found->second.used = call.time;
                    if (!s.expect(a.is_admitted() == passes, "the same calls pass")) return false;
                    if (!passes &&
                        !s.expect(a.refusal().retry_after() == found->second.model.wait(call.time), "the time until probes start"))
                        return false;
                    if (a) calls.push_back({a.permit(), call.key, tenants[call.key], p});
                }
            } else if (what < 95 && !calls.empty()) {
                std::size_t const which = random() % calls.size();
                running const r = calls[which];
                calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(which));
                auto const found = models.find(r.key);
                bool const is_held = r.tenant != 0 && found != models.end() && tenants[r.key] == r.tenant;
                auto const kind = random() % 10;
                s.step("a call of key " + std::to_string(r.key) + " ends, " + std::to_string(kind), call.time);
                if (kind == 0) {
                    breaker.cancel(r.permit);
                    if (is_held) found->second.model.cancel(r.expected);
                } else {
                    verdict const v = kind < 6 ? verdict::success : kind < 9 ? verdict::failure : verdict::ignored;
                    breaker.settle(r.permit, v, call);
                    if (is_held) {
                        std::uint64_t const before = found->second.model.late;
                        found->second.model.settle(call.time, r.expected, v, false);
                        found->second.used = call.time;
                        late += found->second.model.late - before;
                    } else
                        late += r.tenant != 0;
                }
            }
            auto const stats = breaker.stats();
            if (!s.expect(stats.keys <= capacity, "never more keys than there is room") ||
                !s.expect(stats.overflowed == overflowed, "as many calls without room") || !s.expect(stats.late == late, "as many late"))
                return false;
            for (auto const& [k, m] : models) {
                auto const& told = heard[k];
                if (!s.expect(breaker.state_of(k) == m.model.now(), "the state of the model") ||
                    !s.expect(told.size() == m.model.changes.size(), "each transition told once") ||
                    !s.expect(told.empty() || (told.back().to == m.model.changes.back().to && told.back().number == told.size()),
                              "in order"))
                    return false;
            }
        }
        return true;
    }
};

constexpr weir::time_point start{1h};
inline constexpr auto by_number = weir::keyed_by<int>([](int k) { return k; });

/// One call of a key, as the policy sees it.
bool one(auto& breaker, int key, weir::time_point now, bool good)
{
    breaker_call call{now, key};
    auto const a = breaker.admit(call);
    if (a) breaker.settle(a.permit(), good ? verdict::success : verdict::failure, call);
    return a.is_admitted();
}

} // namespace

TEST_CASE("keyed_breaker: random schedules go as a model a key says")
{
    run_all<keyed<weir::time_window, weir::shared>>(2);
    run_all<keyed<weir::failures_in_a_row, weir::confined>>(2);
}

TEST_CASE("keyed_breaker: a key that fails is kept away, the others are not")
{
    struct request {
        std::string host;
        bool works;
    };
    weir::manual_clock clock;
    weir::keyed_breaker breaker{
        weir::circuit_breaker_options{.minimum_calls = 2, .name = "hosts"}, weir::keyed_by(&request::host), {.capacity = 100}};
    std::vector<std::string> heard;
    breaker.listen([&](auto const& t) {
        heard.push_back(std::string(t.name.view()) + "/" + t.key + ": " + std::string(to_string(t.to)));
        static_cast<void>(breaker.state_of(t.key)); // no lock is held
    });
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, std::ref(breaker), [](request const& r) -> weir::result<int> {
                           if (!r.works) return weir::errc::unavailable;
                           return 1;
                       }};
    std::vector<std::string> told;
    weir::observed watched{svc, [&](weir::keyed_breaker_transition<std::string> const& t) { told.push_back(t.key); }};
    request const broken{"a.example", false}, fine{"b.example", true};
    for (int i = 0; i < 2; ++i) static_cast<void>(watched(broken));
    CHECK(svc(broken).error() == weir::errc::circuit_open);
    CHECK(svc(broken).error().retry_after() == 5s);
    CHECK(svc(fine).has_value());
    CHECK(breaker.state_of("a.example") == breaker_state::open);
    CHECK(breaker.state_of("b.example") == breaker_state::closed);
    CHECK(breaker.state_of("c.example") == breaker_state::closed);
    CHECK(heard == std::vector<std::string>{"hosts/a.example: open"});
    CHECK(told == std::vector<std::string>{"a.example"});
    auto const stats = breaker.stats();
    CHECK(stats.keys == 2);
    CHECK(stats.not_closed == 1);
    CHECK(stats.refused == 2);
    CHECK(stats.tripped == 1);
    CHECK(weir::describe(svc).text().find("capacity=100") != std::string::npos);
}

TEST_CASE("keyed_breaker: an open key is not forgotten, a key that nobody calls is")
{
    weir::keyed_breaker breaker{weir::row_breaker_options{.failures = 1, .open_for = 1h},
                                by_number,
                                {.capacity = 2, .overflow = weir::breaker_overflow::refuse, .forget_after = 1s},
                                told_verdict{}};
    CHECK(one(breaker, 1, start, false)); // open
    CHECK(one(breaker, 2, start, true));
    CHECK_FALSE(one(breaker, 3, start, true)); // full
    CHECK(one(breaker, 3, start + 1s, true));  // in the place of 2
    CHECK(breaker.state_of(1) == breaker_state::open);
    CHECK(breaker.stats().forgotten == 1);
    CHECK(breaker.stats().overflowed == 1);
    CHECK(one(breaker, 4, start + 30min, true)); // in the place of 3
    CHECK(breaker.state_of(1) == breaker_state::open);
    CHECK_FALSE(one(breaker, 1, start + 30min, true));
    CHECK(one(breaker, 5, start + 2h, true)); // by now its open time is over, too
    CHECK(one(breaker, 6, start + 2h, true));
    CHECK(breaker.stats().forgotten == 4);
}

TEST_CASE("keyed_breaker: a hand on a key, and what is set by hand is not forgotten")
{
    weir::keyed_breaker breaker{weir::circuit_breaker_options{}, by_number, {.capacity = 1, .forget_after = 1s}, told_verdict{}};
    CHECK(breaker.force_open(7, start));
    CHECK_FALSE(breaker.disable(8, start)); // no room
    CHECK_FALSE(one(breaker, 7, start + 24h, true));
    CHECK(one(breaker, 8, start + 24h, true)); // passes without
    CHECK(breaker.stats().keys == 1);
    CHECK(breaker.reset(7, start));
    CHECK(one(breaker, 7, start + 24h, true));
    CHECK(breaker.metrics_only(7, start));
    CHECK(breaker.state_of(7) == breaker_state::metrics_only);
    breaker.reconfigure({.failure_rate = 0.1});
    CHECK(breaker.settings().failure_rate == 0.1);
    CHECK_THROWS_AS(breaker.reconfigure({.failure_rate = 0}), std::invalid_argument);
    CHECK_THROWS_WITH_AS((weir::keyed_breaker{weir::circuit_breaker_options{}, by_number, {.capacity = 0}}),
                         "keyed_breaker.capacity: expected at least 1", std::invalid_argument);
}

TEST_CASE("keyed_breaker: several threads, in the end no more keys than there may be, transitions of a key in order")
{
    weir::keyed_breaker breaker{weir::row_breaker_options{.failures = 1, .open_for = 1us, .probes = 1, .probe_limit = 5us},
                                by_number,
                                {.capacity = 200, .forget_after = 20us},
                                told_verdict{}};
    std::map<int, std::vector<weir::breaker_transition>> heard;
    breaker.listen([&](auto const& t) { heard[t.key].push_back(t); }); // one at a time
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            std::minstd_rand random(t + 1);
            breaker_call call{start};
            for (int i = 0; i < 8'000; ++i) {
                call.time += weir::duration(random() % 300);
                call.key = static_cast<int>(random() % 300);
                auto const a = breaker.admit(call);
                if (!a) continue;
                if (random() % 8 == 0)
                    breaker.cancel(a.permit());
                else
                    breaker.settle(a.permit(), random() % 3 == 0 ? verdict::failure : verdict::success, call);
                if (i % 1'000 == 0) static_cast<void>(breaker.stats());
            }
        });
    for (auto& t : threads) t.join();
    CHECK(breaker.stats().keys <= 200);
    CHECK(breaker.stats().tripped > 100);
    REQUIRE(heard.size() > 100);
    for (auto const& [key, told] : heard) {
        std::uint64_t number = 0;
        for (auto const& t : told) { // forgotten and held anew, it counts from 1 again
            REQUIRE((t.number > number || t.number == 1 || breaker.stats().untold > 0));
            number = t.number;
        }
    }
}
