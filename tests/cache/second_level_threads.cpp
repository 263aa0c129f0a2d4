// SPDX-License-Identifier: BSL-1.0
//
// Two instances of a service, each used by several threads, and the second level that they share, which is down now and then.
#include <weir/cache/cached.hpp>
#include <weir/cache/second_level.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>
#include <weir/testing/memory_level.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

using memory = weir::memory_level<int, int>;
constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
constexpr std::size_t keys = 8;

/// What is true of each key, a number that only grows; and the number that no answer may be below any more, as its change was told to all.
struct truth {
    std::array<std::atomic<int>, keys> is{};
    std::array<std::atomic<int>, keys> told{};
    int operator()(int key) const { return is[static_cast<std::size_t>(key)].load(); }
};

auto instance(weir::manual_clock& clock, memory& shared, truth& source)
{
    return weir::pipeline{weir::timed_by{std::ref(clock)}, weir::cached{weir::store<int, int>{{.capacity = 100, .ttl = 10s}}, itself},
                          weir::second_level{std::ref(shared), itself, {.max_blind_loads = 2, .patience = 0s}}, std::ref(source)};
}

} // namespace

TEST_CASE("second_level: threads of two instances ask and change, and nobody gets what a change that was told to all has outdated")
{
    weir::manual_clock clock;
    memory shared{{.capacity = 100}};
    truth source;
    auto one = instance(clock, shared, source);
    auto two = instance(clock, shared, source);
    std::mutex telling; // a cache follows one message after the other
    weir::follow first{one.get<weir::cached>()}, second{two.get<weir::cached>()};
    shared.listen([&](weir::invalidation<int> const& told) {
        std::scoped_lock const lock(telling);
        first(told);
        second(told);
    });

    std::atomic<int> outdated{0}, answers{0}, changes{0};
    auto const work = [&](auto& svc, unsigned seed) {
        std::mt19937 random(seed);
        for (int i = 0; i < 3'000; ++i) {
            auto const key = static_cast<int>(random() % keys);
            auto const at = static_cast<std::size_t>(key);
            auto const what = random() % 100;
            if (what < 85) {
                int const least = source.told[at].load();
                if (auto const r = svc(key); r.has_value()) {
                    ++answers;
                    outdated += *r < least;
                }
            } else if (what < 98) {
                int const fresh = ++source.is[at];
                auto const told = svc.template get<weir::second_level>().erase(key, clock.now());
                svc.template get<weir::cached>().erase(key);
                if (told != 1u) continue; // it waits: the others are not told yet
                ++changes;
                for (int seen = source.told[at].load(); seen < fresh && !source.told[at].compare_exchange_weak(seen, fresh);) {}
            } else if (what == 98)
                shared.down(true);
            else
                shared.down(false);
        }
    };
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] { work(one, 2 * t); });
        threads.emplace_back([&, t] { work(two, 2 * t + 1); });
    }
    for (auto& t : threads) t.join();
    CHECK(outdated.load() == 0);
    CHECK(answers.load() > 1'000);
    CHECK(changes.load() > 100);

    shared.down(true);
    for (auto* svc : {&one, &two}) {
        svc->get<weir::cached>().clear();
        for (int i = 0; i < 10; ++i) CHECK(svc->operator()(1) == source(1)); // all who went on without the level have left
    }
    shared.down(false);
    for (auto* svc : {&one, &two}) {
        CHECK(svc->get<weir::second_level>().flush(clock.now()) == 0);
        CHECK(svc->get<weir::second_level>().stats().pending_deletes == 0);
    }
    for (int key = 0; key < static_cast<int>(keys); ++key) {
        CHECK(one.get<weir::second_level>().erase(key, clock.now()) == 1u);
        CHECK(one(key) == source(key));
        CHECK(two(key) == source(key));
    }
}
