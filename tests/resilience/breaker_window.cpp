// SPDX-License-Identifier: BSL-1.0
// Random schedules of breakers of every window against the model, which was written apart.
#include <weir/resilience/breaker_window.hpp>

#include "breaker_model.hpp"

#include <weir/resilience/circuit_breaker.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace weir_test;
using weir::breaker_state;
using weir::verdict;

template<class Window, class Threading>
class single {
    using breaker_type = weir::circuit_breaker<Window, Threading, told_verdict>;
    using model_type = breaker_model<Window>;
    struct running {
        typename breaker_type::permit_type permit;
        typename model_type::permit expected;
        bool was_disabled;
    };

public:
    static bool run(story& s, std::uint64_t seed)
    {
        std::minstd_rand random(static_cast<std::uint32_t>(seed * 2 + 1));
        random.discard(3);
        auto const o = drawn_breaker<typename Window::options>(random);
        breaker_type breaker{o};
        model_type model{o};
        std::vector<weir::breaker_transition> heard;
        breaker.listen([&](weir::breaker_transition const& t) { heard.push_back(t); });
        std::vector<running> calls;
        breaker_call call{weir::time_point(1h)};
        for (int step = 0, steps = 20 + static_cast<int>(random() % 40); step < steps; ++step) {
            if (random() % 2 == 0) call.time += some_time(random);
            auto const what = random() % 100;
            if (what < 45 && calls.size() < 8) {
                if (!admit(s, breaker, model, call, calls)) return false;
            } else if (what < 92 && !calls.empty()) {
                std::size_t const which = random() % calls.size();
                running const r = calls[which];
                calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(which));
                auto const kind = random() % 10;
                if (kind == 0) {
                    s.step("a call is cancelled", call.time);
                    breaker.cancel(r.permit);
                    model.cancel(r.expected);
                } else {
                    verdict const v = kind < 6 ? verdict::success : kind < 9 ? verdict::failure : verdict::ignored;
                    s.step("a call ends, " + std::to_string(static_cast<int>(v)), call.time);
                    breaker.settle(r.permit, v, call);
                    model.settle(call.time, r.expected, v, r.was_disabled);
                }
            } else if (what < 96) {
                by_hand(s, breaker, model, call.time, random());
            } else if (what < 98) {
                auto const other = drawn_breaker<typename Window::options>(random);
                s.step("reconfigured", call.time);
                breaker.reconfigure(other);
                model.reconfigure(other);
            }
            if (!learn_the_draw(s, breaker, model, call) || !same(s, breaker, model, call.time, heard)) return false;
        }
        return recovers(s, breaker, model, call);
    }

private:
    static bool admit(story& s, breaker_type& breaker, model_type& model, breaker_call& call, std::vector<running>& calls)
    {
        typename model_type::permit p{};
        auto const a = breaker.admit(call);
        bool const passes = model.admit(call.time, p);
        s.step(passes ? "a call passes" : "a call is refused", call.time);
        if (!s.expect(a.is_admitted() == passes, "the same calls pass")) return false;
        if (passes)
            calls.push_back({a.permit(), p, model.now() == breaker_state::disabled});
        else if (!model.is_drawn())
            return s.expect(a.refusal().retry_after() == model.wait(call.time), "the time until probes start");
        return s.expect(passes || a.refusal() == weir::errc::circuit_open, "refused as circuit_open") && learn(s, model, call, a);
    }
    static bool learn(story& s, model_type& model, breaker_call const& call, auto const& a)
    {
        if (a.is_admitted() || !model.is_drawn()) return true;
        auto const left = a.refusal().retry_after();
        auto const least = static_cast<double>(model.full().count()) * (1 - model.settings().jitter) - 1;
        model.is_open_until(call.time + left);
        return s.expect(left <= model.full() && static_cast<double>(left.count()) >= least && left > 0ns, "an open time within the jitter");
    }
    /// After a change to open with jitter: the next call, at the same time, tells what was drawn.
    static bool learn_the_draw(story& s, breaker_type& breaker, model_type& model, breaker_call& call)
    {
        if (!model.is_drawn()) return true;
        auto const a = breaker.admit(call);
        ++model.refused;
        return s.expect(!a.is_admitted(), "refused, having just opened") && learn(s, model, call, a);
    }
    static void by_hand(story& s, breaker_type& breaker, model_type& model, weir::time_point now, std::uint64_t draw)
    {
        breaker_state const to[] = {breaker_state::forced_open, breaker_state::disabled, breaker_state::metrics_only, breaker_state::closed,
                                    breaker_state::closed};
        breaker_state const wanted = to[draw % 5];
        s.step("by hand: " + std::string(to_string(wanted)), now);
        if (wanted == breaker_state::forced_open) breaker.force_open(now);
        if (wanted == breaker_state::disabled) breaker.disable(now);
        if (wanted == breaker_state::metrics_only) breaker.metrics_only(now);
        if (wanted == breaker_state::closed) breaker.reset(now);
        model.set(wanted, now);
    }
    static bool same(story& s, breaker_type const& breaker, model_type const& model, weir::time_point now,
                     std::vector<weir::breaker_transition> const& heard)
    {
        auto const stats = breaker.stats(now);
        auto const window = model.window(now);
        bool good =
            s.expect(stats.now == model.now(), "the state of the model") && s.expect(stats.late == model.late, "as many late results") &&
            s.expect(stats.opened == model.opened, "opened as often") && s.expect(stats.refused == model.refused, "as many refused") &&
            s.expect(stats.probes_out == model.out(), "as many probes out") &&
            s.expect(stats.calls == window.calls && stats.failures == window.failures && stats.slow == window.slow, "the same window") &&
            s.expect(heard.size() == model.changes.size() && stats.untold == 0, "each transition told once");
        for (std::size_t i = heard.size() < 2 ? 0 : heard.size() - 2; good && i < heard.size(); ++i) {
            auto const& t = heard[i];
            auto const& c = model.changes[i];
            good = s.expect(t.from == c.from && t.to == c.to && t.why == c.why && t.when == c.when, "the transition of the model") &&
                   s.expect(t.number == i + 1 && t.name.view() == "tested", "transitions in order, with the breaker's name");
        }
        return good;
    }
    /// Whatever was, and whatever never came back: once calls succeed again it closes within probe limit, open time and probes.
    static bool recovers(story& s, breaker_type& breaker, model_type const& model, breaker_call& call)
    {
        auto const o = breaker.settings();
        s.step("all is well from here", call.time);
        if (auto const now = breaker.stats(call.time).now; now > breaker_state::half_open) breaker.reset(call.time);
        call.time += 1h; // the longest probe limit that there was
        auto const one = [&] {
            auto const a = breaker.admit(call);
            if (a) breaker.settle(a.permit(), verdict::success, call);
            return a.is_admitted();
        };
        int refused = 0; // once: when probes were lost, or failures are left in the window
        for (int i = 0; i < 12; ++i) {
            if (one()) continue;
            ++refused;
            call.time += std::max({o.open_for, o.max_open_for, model.full()});
        }
        s.expect(refused <= 1, "recovered: calls pass");
        return s.expect(breaker.stats(call.time).now == breaker_state::closed, "recovered: closed");
    }
};

} // namespace

TEST_CASE_TEMPLATE("circuit_breaker: random schedules go as the model says", Window, weir::time_window, weir::count_window,
                   weir::failures_in_a_row)
{
    run_all<single<Window, weir::shared>>(3);
    run_all<single<Window, weir::confined>>(3);
}

TEST_CASE("breaker_window: calls in a ring, several threads: the sum is that of the ring, and no outcome of before it was emptied stays")
{
    weir::detail::count_ring<weir::shared> ring(100);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20'000; ++i) {
                ring.count((i + t) % 3 == 0, i % 5 == 0);
                auto const sum = ring.sum();
                if (sum.calls > 200 || sum.failures > 200 || sum.slow > 200) std::abort(); // no borrow between the fields
            }
        });
    for (int i = 0; i < 200; ++i) ring.resize(i % 2 == 0 ? 60 : 130);
    for (auto& t : threads) t.join();
    ring.resize(100);
    CHECK(ring.sum().calls == 0);
    CHECK(ring.sum().failures == 0);
    CHECK(ring.sum().slow == 0);
    for (int i = 0; i < 1'000; ++i) ring.count(i % 4 == 0, true); // one thread: exact
    CHECK(ring.sum().calls == 100);
    CHECK(ring.sum().failures == 25);
    CHECK(ring.sum().slow == 100);
}

TEST_CASE("breaker_window: calls in a ring, several threads: what failed is found to a sixteenth a thread")
{
    weir::detail::count_ring<weir::shared> ring(160);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 1'000; ++i) ring.count(false, false);
        });
    for (auto& t : threads) t.join();
    for (int i = 0; i < 160; ++i)
        ring.count(true, false); // the others hold at most seven places each, which are taken again when the ring comes round
    CHECK(ring.sum().calls == 160);
    CHECK(ring.sum().failures == 160);
}

namespace weir {
static_assert(breaker_window<time_window> && breaker_window<count_window> && breaker_window<failures_in_a_row>);
} // namespace weir: what the header promises
