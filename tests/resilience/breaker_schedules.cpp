// SPDX-License-Identifier: BSL-1.0
// Random schedules of breakers of every window against the model, which was written apart.
#include "../schedules.hpp"
#include "breaker_model.hpp"

#include <weir/core/key.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/keyed_breaker.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace weir_test;
using weir::breaker_state;
using weir::verdict;

/// What went wrong, with the steps that led there.
class story {
public:
    explicit story(std::uint64_t seed) : text_("schedule of seed " + std::to_string(seed) + "\n") {}
    void step(std::string const& what, weir::time_point now)
    {
        if (is_told) text_ += "  " + std::to_string(now.time_since_epoch().count()) + " ns: " + what + "\n";
    }
    /// False if it does not hold.
    bool expect(bool holds, char const* what)
    {
        if (!holds && wrong.empty()) wrong = what;
        return holds;
    }
    [[nodiscard]] std::string text() const { return text_ + "  expected: " + wrong; }
    bool is_told = false;
    std::string wrong;

private:
    std::string text_;
};

template<class Random>
weir::duration some_time(Random& random)
{
    weir::duration const spans[] = {0ns, 1ns, 100us, 1ms, 3ms, 20ms, 200ms};
    return random() % 40 == 0 ? weir::duration(2h) : spans[random() % std::size(spans)];
}

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

template<class Harness>
void run_all(std::uint64_t share)
{
    std::uint64_t const first = first_seed();
    for (std::uint64_t i = 0, count = schedules() / share + 1; i < count; ++i) {
        story s(first + i);
        if (Harness::run(s, first + i)) [[likely]]
            continue;
        story again(first + i);
        again.is_told = true;
        Harness::run(again, first + i);
        FAIL(again.text());
    }
}

} // namespace

TEST_CASE_TEMPLATE("circuit_breaker: random schedules go as the model says", Window, weir::time_window, weir::count_window,
                   weir::failures_in_a_row)
{
    run_all<single<Window, weir::shared>>(3);
    run_all<single<Window, weir::confined>>(3);
}

TEST_CASE("keyed_breaker: random schedules go as a model a key says")
{
    run_all<keyed<weir::time_window, weir::shared>>(2);
    run_all<keyed<weir::failures_in_a_row, weir::confined>>(2);
}
