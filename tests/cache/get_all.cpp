// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/get_all.hpp>

#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
using number_handler = std::function<weir::result<int>(int)>;
using many = weir::result<std::vector<std::optional<int>>>;
using numbers = std::vector<int>;
using answers = std::vector<std::optional<int>>;
using load_all = std::function<many(std::span<int const>)>;

/// A number is its own value; one below zero does not exist.
struct scene {
    std::vector<std::optional<int>> ask(std::vector<int> const& keys)
    {
        std::vector<std::optional<int>> came;
        for (weir::result<int> const& each : weir::get_all(svc.get<weir::cached>(), keys, load, clock))
            came.push_back(each.has_value()                        ? std::optional(*each)
                           : each.error() == weir::errc::not_found ? std::nullopt
                                                                   : std::optional(-1));
        return came;
    }
    many answer(std::span<int const> keys)
    {
        asked.emplace_back(keys.begin(), keys.end());
        std::vector<std::optional<int>> all;
        for (int const key : keys) all.push_back(key < 0 ? std::nullopt : std::optional(key));
        return all;
    }
    weir::manual_clock clock;
    std::vector<std::vector<int>> asked;
    load_all load = [this](std::span<int const> keys) { return answer(keys); };
    number_handler one = [](int key) -> weir::result<int> { return key; };
    weir::pipeline<weir::stack<weir::timed_by<std::reference_wrapper<weir::manual_clock>>,
                               weir::cached<weir::store<int, int>, std::remove_const_t<decltype(itself)>>>,
                   number_handler>
        svc{weir::timed_by{std::ref(clock)},
            weir::cached{weir::store<int, int>{{.capacity = 1'000, .ttl = 10s, .jitter = 0, .negative_ttl = 5s, .seed = 1}}, itself}, one};
};

} // namespace

TEST_CASE("get_all: what is missing is loaded with one call, in the order in which it was asked for")
{
    scene s;
    CHECK(s.svc(2).value() == 2);
    CHECK(s.ask({1, 2, 3}) == answers{1, 2, 3});
    CHECK(s.ask({3, 4, 1, -5}) == answers{3, 4, 1, std::nullopt});
    CHECK(s.ask({-5, 4}) == answers{std::nullopt, 4});
    CHECK(s.ask({}).empty());
    CHECK(s.asked == std::vector<numbers>{{1, 3}, {4, -5}});
    CHECK(s.svc(3).value() == 3);
    weir::cached_stats const stats = s.svc.get<weir::cached>().stats();
    CHECK(stats.loads == 5);
    CHECK(stats.penetrations == 1);
    CHECK(stats.hits == 5);
    CHECK(stats.negative_hits == 1);
    CHECK(stats.misses == 5);
}

TEST_CASE("get_all: a key that is asked for twice is loaded once")
{
    scene s;
    CHECK(s.ask({7, 7, 8, 7}) == answers{7, 7, 8, 7});
    CHECK(s.asked == std::vector<numbers>{{7, 8}});
}

TEST_CASE("get_all: a load that fails fails for all its keys, and is not kept; one that throws is thrown on")
{
    scene s;
    CHECK(s.ask({1}) == answers{1});
    s.load = [](std::span<int const>) -> many { return weir::errc::upstream_failed; };
    CHECK(s.ask({1, 2, 3}) == answers{1, -1, -1});
    s.load = [](std::span<int const>) -> many { throw std::runtime_error("no"); };
    CHECK_THROWS_WITH_AS(s.ask({1, 2, 3}), "no", std::runtime_error);
    s.load = [](std::span<int const>) -> many { return std::vector<std::optional<int>>{2}; }; // too short
    CHECK(s.ask({2, 3}) == answers{2, -1});
    CHECK(s.svc(3).value() == 3); // nobody is waited for who is gone
}

TEST_CASE("get_all: what was erased while it was loaded is not kept")
{
    scene s;
    s.load = [&](std::span<int const> keys) {
        s.svc.get<weir::cached>().erase(1);
        return s.answer(keys);
    };
    CHECK(s.ask({1, 2}) == answers{1, 2});
    CHECK(s.ask({1, 2}) == answers{1, 2});
    CHECK(s.asked == std::vector<numbers>{{1, 2}, {1}});
    CHECK(s.svc.get<weir::cached>().stats().outdated == 2);
}

TEST_CASE("get_all: it waits for the loads of other threads, and they wait for it")
{
    scene s;
    auto& cache = s.svc.get<weir::cached>();
    auto const until = [](auto const& done) {
        while (!done()) std::this_thread::yield();
    };
    std::atomic<bool> loading = false;
    number_handler const slow = [&](int key) -> weir::result<int> {
        loading = true;
        until([&] { return cache.stats().joined >= 1; });
        return key * 10;
    };
    weir::pipeline other{weir::timed_by{std::ref(s.clock)}, std::ref(cache), slow};
    std::thread first([&] { CHECK(other(1).value() == 10); });
    until([&] { return loading.load(); });
    std::thread third;
    s.load = [&](std::span<int const> keys) {
        third = std::thread([&] { CHECK(s.svc(2).value() == 2); });
        until([&] { return cache.stats().joined == 2; });
        return s.answer(keys);
    };
    s.clock.advance(1ns);
    // It loads 2 before it waits for 1: else nobody would come to an end.
    std::thread second([&] { CHECK(s.ask({1, 2}) == answers{10, 2}); });
    second.join();
    first.join();
    third.join();
    CHECK(s.asked == std::vector<numbers>{{2}});
}

TEST_CASE("get_all: a random history agrees with a map")
{
    std::mt19937 random(1);
    scene s;
    std::map<int, std::pair<std::optional<int>, weir::time_point>> model;
    for (int step = 0; step < 3'000; ++step) {
        s.clock.advance(std::chrono::milliseconds(random() % 500));
        std::vector<int> keys(random() % 6);
        for (int& key : keys) key = static_cast<int>(random() % 40) - 10;
        std::vector<int> missing;
        answers expected;
        for (int const key : keys) {
            expected.push_back(key < 0 ? std::nullopt : std::optional(key));
            auto const kept = model.find(key);
            if (kept != model.end() && kept->second.second > s.clock.now()) continue;
            model.insert_or_assign(key, std::pair{expected.back(), s.clock.now() + (key < 0 ? 5s : 10s)});
            missing.push_back(key);
        }
        s.asked.clear();
        REQUIRE(s.ask(keys) == expected);
        REQUIRE(s.asked.size() == (missing.empty() ? 0 : 1));
        if (!missing.empty()) REQUIRE(s.asked[0] == missing);
    }
}
