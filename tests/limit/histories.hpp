// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "../schedules.hpp"

#include <weir/limit/limiter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

/// Random histories of a limiter beside a naive model of it, and the same limiter under threads.
namespace weir_test {

inline weir::time_point at(std::int64_t ns)
{
    return weir::time_point{weir::duration{ns}};
}

template<class F>
std::string refusal(F f)
{
    try {
        f();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "";
}

/// What a limiter, or its model, answered.
struct answer {
    bool taken;
    std::int64_t wait; ///< taken: before use; refused: until it is worth another try, or -1

    static answer now(std::int64_t wait) { return {true, wait}; }
    static answer after(std::int64_t wait) { return {false, wait}; }
    static answer never() { return {false, -1}; }
    static answer of(weir::decision d) { return {static_cast<bool>(d), d.is_impossible() ? -1 : d.retry_after().count()}; }
    static answer of(weir::reservation r)
    {
        return {static_cast<bool>(r), r ? r.wait().count() : r.is_impossible() ? -1 : r.retry_after().count()};
    }
    friend bool operator==(answer, answer) = default;
    std::string text() const { return taken ? "taken, wait " + std::to_string(wait) : "refused, wait " + std::to_string(wait); }
};

/// Runs `schedules()` histories of `Model::limiter` beside `Model` (its options, drawn; `reserve`, `try_acquire`, `refund`, `available`,
/// `until_full` of plain numbers) and stops with the story of the first in which they differ. A model with a `clock_may_go_back` is told
/// times before the latest, too.
template<class Model>
void compare_with()
{
    using limiter = typename Model::limiter;
    for (std::uint64_t seed = first_seed(), end = seed + schedules(); seed < end; ++seed) {
        std::string story;
        for (bool const telling : {false, true}) {
            std::mt19937_64 random(seed);
            auto const options = Model::options(random);
            limiter mine(options);
            Model model(options);
            std::int64_t const unit = options.per.count() / static_cast<std::int64_t>(*options.permits) + 1;
            std::int64_t clock = static_cast<std::int64_t>(random() % 1'000) - 300;
            if (random() % 8 == 0) clock += std::int64_t{1} << 45;
            bool same = true;
            for (std::uint64_t step = random() % 50 + 10; step > 0 && same; --step) {
                std::uint64_t const chance = random();
                if (chance % 4 < 2) clock += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(unit + 1));
                if (chance % 32 == 5) clock += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(options.per.count() * 3));
                std::int64_t now = clock;
                if constexpr (requires { Model::clock_may_go_back; })
                    if (random() % 16 == 0)
                        now -= static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(options.per.count() * 2));
                std::uint64_t const cost = random() % 4 == 0 ? random() % (Model::burst(options) + 2) : 1;
                std::string what;
                answer got{};
                answer wanted{};
                switch (chance / 64 % 8) {
                case 0: {
                    auto const longest = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(3 * unit));
                    got = answer::of(mine.reserve(at(now), cost, weir::duration{longest}));
                    wanted = model.reserve(now, cost, longest);
                    if (telling) what = "reserve " + std::to_string(cost) + " within " + std::to_string(longest);
                    break;
                }
                case 1:
                    mine.refund(cost);
                    model.refund(cost);
                    if (telling) what = "refund " + std::to_string(cost);
                    break;
                case 2: {
                    std::uint64_t const there = std::min(cost, model.available(now));
                    got = answer::now(static_cast<std::int64_t>(mine.drain(at(now), cost)));
                    wanted = answer::now(static_cast<std::int64_t>(there));
                    if (there > 0) model.try_acquire(now, there);
                    if (telling) what = "drain " + std::to_string(cost);
                    break;
                }
                default:
                    got = answer::of(mine.try_acquire(at(now), cost));
                    wanted = model.try_acquire(now, cost);
                    if (telling) what = "try_acquire " + std::to_string(cost);
                }
                answer const left{true, static_cast<std::int64_t>(mine.available(at(now)))};
                answer const model_left{true, static_cast<std::int64_t>(model.available(now))};
                weir::duration const full = mine.quota_at(at(now)).until_full;
                same = got == wanted && left == model_left && full.count() == model.until_full(now);
                if (telling)
                    story += "  " + std::to_string(now) + ": " + what + ": " + got.text() + "; left " + std::to_string(left.wait) +
                             ", full in " + std::to_string(full.count()) +
                             (same ? ""
                                   : "; the model: " + wanted.text() + "; left " + std::to_string(model_left.wait) + ", full in " +
                                         std::to_string(model.until_full(now))) +
                             "\n";
            }
            if (same) break;
            if (telling) FAIL("seed ", seed, ": ", *options.permits, " permits, per ", options.per.count(), " ns\n", story);
        }
    }
}

struct load {
    std::int64_t admitted;
    std::int64_t passed; ///< ns of the clock
};

/// Two threads take one permit at a time, in three ways, on a clock that moves `step` ns a call, while a third one changes the settings.
template<class Limiter>
load under_load(Limiter& limiter, typename Limiter::options const& first, typename Limiter::options const& second, std::int64_t step)
{
    std::int64_t const begin = 1'000'000;
    std::atomic<std::int64_t> clock = begin;
    std::atomic<std::int64_t> admitted = 0;
    std::atomic<int> running = 2;
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 2; ++n)
        threads.emplace_back([&] {
            for (int i = 0; i < 20'000; ++i) {
                auto const now = at(clock.fetch_add(step));
                if (i % 8 == 1)
                    admitted += static_cast<bool>(limiter.reserve(now, 1, weir::duration::zero()));
                else if (i % 8 == 2)
                    admitted += static_cast<std::int64_t>(limiter.drain(now, 1));
                else
                    admitted += static_cast<bool>(limiter.try_acquire(now));
                if (i % 64 == 0) static_cast<void>(limiter.quota_at(now));
            }
            --running;
        });
    for (int changes = 1; running > 0; ++changes) limiter.reconfigure(changes % 2 == 0 ? first : second);
    for (std::thread& each : threads) each.join();
    return {admitted, clock - begin};
}

} // namespace weir_test
