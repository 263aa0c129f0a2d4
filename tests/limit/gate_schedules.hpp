// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../schedules.hpp"

#include <weir/core/call.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir_test {

using namespace std::chrono_literals;

/// Random numbers that cost nothing to begin.
struct quick_random {
    std::uint64_t state;
    std::uint32_t operator()() { return static_cast<std::uint32_t>(weir::detail::splitmix64(state) >> 32); }
};

/// What a queue sees of a call in these schedules: the time, and a number that stands for a class or a user.
struct numbered_call {
    weir::time_point time{1h};
    std::uint32_t number = 0;
    [[nodiscard]] weir::time_point now() const { return time; }
    [[nodiscard]] static bool failed(auto const& outcome) { return weir::default_classifier{}(outcome); }
};
struct by_number {
    using key_type = std::uint32_t;
    std::uint32_t operator()(numbered_call const& call) const { return call.number; }
};

/// One that waits, as a model knows it.
struct waiting_call {
    int id = 0;
    std::uint32_t number = 0;
    weir::time_point since{};
    weir::time_point until{};
};

/// The simplest model of a queue, and the base of others: first come, first served. A model says who is next, who is refused on the way, and who
/// has to go when the queue is full.
struct fifo_model {
    std::deque<waiting_call> calls;
    weir::duration push(waiting_call const& c, weir::duration max_wait)
    {
        calls.push_back(c);
        return max_wait;
    }
    std::optional<int> pop(weir::time_point, std::vector<int>&)
    {
        int const id = calls.front().id;
        calls.pop_front();
        return id;
    }
    void remove(int id)
    {
        calls.erase(std::find_if(calls.begin(), calls.end(), [&](waiting_call const& c) { return c.id == id; }));
    }
    std::optional<int> make_room(waiting_call const&, std::size_t) { return {}; }
    [[nodiscard]] std::size_t size() const { return calls.size(); }
};

/// A gate with a queue in front, as simple as can be: a number of calls inside, and the model of the queue. What it decides about those that
/// wait comes into `news`, in order: true for a place, false for a refusal.
template<class Queue>
struct gate_model {
    Queue queue;
    std::uint32_t places, max_waiting;
    weir::duration max_wait;
    std::uint32_t inside = 0;
    weir::time_point latest{};
    std::vector<std::pair<int, bool>> news{};

    enum class answer { place, refused, waits };
    answer arrive(waiting_call c, weir::duration& patience)
    {
        if (inside < places && queue.size() == 0) return ++inside, answer::place;
        latest = std::max(latest, c.since);
        if (max_wait == 0ns || max_waiting == 0) return answer::refused;
        while (queue.size() >= max_waiting) {
            auto const goes = queue.make_room(c, max_waiting);
            if (!goes) return answer::refused;
            queue.remove(*goes);
            news.emplace_back(*goes, false);
        }
        if (inside < places) return ++inside, answer::place;
        patience = queue.push(c, max_wait);
        return answer::waits;
    }
    void leave(weir::time_point now)
    {
        --inside;
        fill(now);
    }
    void fill(weir::time_point now)
    {
        while (inside < places && queue.size() != 0) {
            latest = std::max(latest, now);
            std::vector<int> refused;
            auto const next = queue.pop(latest, refused);
            for (int const id : refused) news.emplace_back(id, false);
            if (next) {
                news.emplace_back(*next, true);
                ++inside;
            }
        }
    }
};

/// Runs a gate beside its model through one random schedule of `steps`; says what went wrong, or nothing.
template<class Gate, class Model>
class gate_schedule {
public:
    gate_schedule(Gate& gate, Model queue, typename Gate::options const& o, std::uint64_t seed, std::uint32_t numbers)
        : gate_(gate), model_{std::move(queue), *o.max_concurrent, o.max_waiting, o.max_wait}, random_{seed}, numbers_(numbers)
    {
    }
    std::string run(int steps)
    {
        for (int i = 0; i < steps && wrong_.empty(); ++i) step();
        while (wrong_.empty() && (!inside_.empty() || model_.queue.size() != 0)) inside_.empty() ? give_up() : leave(); // all go home
        if (wrong_.empty() && gate_.stats().inside + gate_.stats().waiting != 0) wrong_ = "places or waiters are left";
        return wrong_.empty() ? wrong_ : wrong_ + "; steps: " + story_;
    }

private:
    struct told : weir::notifier {
        told() noexcept : notifier{[](notifier& self) noexcept { ++static_cast<told&>(self).times; }} {}
        int times = 0;
    };
    struct visitor {
        weir::waiter waiter;
        told notifier;
    };

    void must(bool so, char const* what)
    {
        if (!so && wrong_.empty()) wrong_ = what;
    }
    bool one_in(std::uint32_t n) { return random_() % n == 0; }
    void step()
    {
        call_.time += weir::duration(1ms) * (one_in(3) ? random_() % 40 : random_() % 3);
        switch (random_() % 12) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4: arrive(); break;
        case 5:
        case 6:
        case 7:
        case 8:
            if (!inside_.empty()) leave();
            break;
        case 9:
            if (model_.queue.size() != 0) give_up();
            break;
        default:
            if (one_in(8)) reconfigure();
        }
        auto const stats = gate_.stats();
        must(stats.inside == model_.inside && stats.inside == inside_.size(), "calls inside");
        must(stats.waiting == model_.queue.size(), "calls waiting");
        must(stats.refused == refused_, "calls refused");
        must(stats.limit == model_.places, "the limit");
    }
    void arrive()
    {
        auto const id = static_cast<int>(visitors_.size());
        visitor& v = visitors_.emplace_back();
        call_.number = random_() % numbers_;
        story_ += " arrive(" + std::to_string(call_.number) + ")";
        weir::duration patience{};
        auto const expected = model_.arrive({id, call_.number, call_.time, {}}, patience);
        auto const a = gate_.admit(call_, v.waiter);
        using answer = typename gate_model<Model>::answer;
        if (expected == answer::place) {
            must(a.is_admitted(), "a free place is not given");
            inside_.push_back(id);
        } else if (expected == answer::refused) {
            must(!a && !a.is_parked() && a.refusal() == weir::errc::bulkhead_full, "one is not refused at once");
            ++refused_;
        } else {
            must(a.is_parked() && a.parked_until() == call_.time + patience, "one does not wait, or not so long");
            must(v.waiter.attach(v.notifier), "one was woken before its time");
            waiting_.push_back(id);
        }
        hear();
    }
    void leave()
    {
        auto const at = inside_.begin() + static_cast<std::ptrdiff_t>(random_() % inside_.size());
        inside_.erase(at);
        if (one_in(3)) {
            story_ += " cancel";
            model_.leave(model_.latest);
            gate_.cancel({});
        } else {
            story_ += " settle";
            model_.leave(call_.time);
            gate_.settle({}, weir::result<int>(1), call_);
        }
        hear();
    }
    void give_up()
    {
        auto const at = waiting_.begin() + static_cast<std::ptrdiff_t>(random_() % waiting_.size());
        int const id = *at;
        waiting_.erase(at);
        story_ += " give_up(" + std::to_string(id) + ")";
        model_.queue.remove(id);
        auto& w = visitors_[static_cast<std::size_t>(id)].waiter;
        must(gate_.abandon(w), "one that waits is not found");
        must(!gate_.abandon(w), "one that is out is found");
        if (one_in(2)) {
            must(gate_.gave_up() == weir::errc::bulkhead_full, "the error of one that waited in vain");
            ++refused_;
        }
    }
    void reconfigure()
    {
        model_.places = 1 + random_() % 4;
        model_.max_waiting = random_() % 6;
        story_ += " places(" + std::to_string(model_.places) + ")";
        gate_.reconfigure({.max_concurrent = model_.places, .max_wait = model_.max_wait, .max_waiting = model_.max_waiting});
        model_.fill(model_.latest);
        hear();
    }
    // Whom the model has decided about is woken and hears the same; nobody else is.
    void hear()
    {
        while (!model_.news.empty() && wrong_.empty()) {
            auto const [id, has_place] = model_.news.front();
            model_.news.erase(model_.news.begin());
            visitor& v = visitors_[static_cast<std::size_t>(id)];
            std::erase(waiting_, id);
            must(v.notifier.times == 1, "one is not woken whose time has come, or twice");
            must(!gate_.abandon(v.waiter), "one that was woken still waits");
            if (one_in(6)) { // it does not come any more
                story_ += " decline(" + std::to_string(id) + ")";
                if (has_place) model_.leave(model_.latest);
                gate_.decline(v.waiter);
                continue;
            }
            auto const a = gate_.resume(call_, v.waiter);
            must(a.is_admitted() == has_place, has_place ? "one with a place is refused" : "one without a place goes on");
            if (has_place)
                inside_.push_back(id);
            else
                ++refused_;
        }
        for (int const id : waiting_) must(visitors_[static_cast<std::size_t>(id)].notifier.times == 0, "one is woken that waits");
    }

    Gate& gate_;
    gate_model<Model> model_;
    quick_random random_;
    std::uint32_t numbers_;
    numbered_call call_;
    std::deque<visitor> visitors_;
    std::vector<int> inside_, waiting_;
    std::uint64_t refused_ = 0;
    std::string story_, wrong_;
};

/// Runs as many schedules as `schedules()` says, each with a gate and a model that `make(seed)` gives, as a pair of the queue and its model.
template<template<class> class Gate, class Make>
void compare_gates(std::uint32_t numbers, Make make)
{
    for (std::uint64_t seed = first_seed(), end = seed + schedules(); seed < end; ++seed) {
        quick_random random{seed * 7 + 1};
        auto [queue, model] = make(random);
        using gate = Gate<decltype(queue)>;
        typename gate::options const o{.max_concurrent = 1 + random() % 3,
                                       .max_wait = random() % 16 == 0 ? weir::duration(0) : weir::duration(50ms) * (1 + random() % 4),
                                       .max_waiting = random() % 8};
        gate g{o, std::move(queue)};
        gate_schedule<gate, decltype(model)> schedule(g, std::move(model), o, seed, numbers);
        if (std::string const wrong = schedule.run(static_cast<int>(10 + random() % 40)); !wrong.empty())
            FAIL("WEIR_SCHEDULES_SEED=" << seed << ": " << wrong);
    }
}

} // namespace weir_test
