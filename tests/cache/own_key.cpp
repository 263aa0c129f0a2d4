// SPDX-License-Identifier: BSL-1.0
//
// A load that asks for its own key: in a synchronous pipeline it would wait for itself.
#include <weir/cache/batched.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/get_all.hpp>
#include <weir/cache/in_bulk.hpp>
#include <weir/cache/refresh_ahead.hpp>
#include <weir/cache/request_cache.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
using handler = std::function<weir::result<int>(int)>;
using store = weir::store<int, int>;
constexpr weir::store_options plain{.capacity = 1'000, .ttl = 30s, .jitter = 0};

bool would_deadlock(weir::result<int> const& r)
{
    return r.has_error() && r.error().code() == std::errc::resource_deadlock_would_occur;
}

/// A cache whose handler may ask it again.
struct scene {
    handler ask;
    weir::manual_clock clock;
    std::vector<int> loaded{};
    handler load = [this](int key) {
        loaded.push_back(key);
        return ask(key);
    };
    weir::pipeline<
        weir::stack<weir::timed_by<std::reference_wrapper<weir::manual_clock>>, weir::cached<store, std::remove_const_t<decltype(itself)>>>,
        handler>
        svc{weir::timed_by{std::ref(clock)}, weir::cached{store{plain}, itself}, load};
    auto& cache() { return svc.get<weir::cached>(); }
};

} // namespace

TEST_CASE("own key: a load that asks for its own key is told so at once, and its call and the next go on")
{
    scene s;
    bool in_circles = true;
    s.ask = [&](int key) -> weir::result<int> {
        if (!in_circles) return key;
        weir::result<int> const inner = s.svc(key);
        CHECK(would_deadlock(inner));
        CHECK(inner.error().policy() == 1); // the cache says so
        return inner;
    };
    CHECK(would_deadlock(s.svc(1)));
    CHECK(s.loaded == std::vector{1});
    in_circles = false;
    CHECK(s.svc(1).value() == 1); // a failure: not kept
    CHECK(s.svc(1).value() == 1);
    CHECK(s.loaded == std::vector{1, 1});
}

TEST_CASE("own key: a load that does without the answer is kept")
{
    scene s;
    s.ask = [&](int key) -> weir::result<int> { return would_deadlock(s.svc(key)) ? 7 : 8; };
    CHECK(s.svc(1).value() == 7);
    CHECK(s.svc(1).value() == 7);
    CHECK(s.loaded == std::vector{1});
}

TEST_CASE("own key: other keys may be asked for, to any depth; a circle ends where it closes")
{
    scene s;
    s.ask = [&](int key) -> weir::result<int> {
        if (key == 0) return 100;
        weir::result<int> const inner = s.svc(key == 4 ? 6 : key - 1); // 6 -> 5 -> 4 -> 6
        if (inner.has_error()) return inner.error();
        return *inner + 1;
    };
    CHECK(s.svc(3).value() == 103);
    CHECK(s.loaded == std::vector{3, 2, 1, 0});
    CHECK(s.svc(2).value() == 102);
    CHECK(s.loaded.size() == 4);

    CHECK(would_deadlock(s.svc(6)));
    CHECK(s.loaded == std::vector{3, 2, 1, 0, 6, 5, 4});
}

TEST_CASE("own key: after an erasure during the load its own key is another load")
{
    scene s;
    int depth = 0;
    s.ask = [&](int key) -> weir::result<int> {
        if (++depth == 2) return key;
        CHECK(s.cache().erase(key));
        return s.svc(key).value() + 10;
    };
    CHECK(s.svc(1).value() == 11);
    CHECK(s.svc(1).value() == 1); // what began after the erasure is kept
    CHECK(s.loaded == std::vector{1, 1});
}

TEST_CASE("own key: a retry is told again, a refresh finds the old value")
{
    weir::manual_clock clock;
    int loads = 0;
    handler ask;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<3>{{.base = 1ms, .seed = 1}},
                       weir::cached{store{plain}, itself, weir::refresh_ahead{{.after = 0.5}}}, weir::idempotent{[&](int key) {
                           ++loads;
                           return ask(key);
                       }}};
    ask = [&](int key) -> weir::result<int> { return svc(key); };
    CHECK(would_deadlock(svc(1)));
    CHECK(loads == 3); // of the outer call: each attempt loads, and its inner one is told three times

    ask = [](int key) -> weir::result<int> { return key; };
    CHECK(svc(1).value() == 1);
    clock.advance(20s);
    ask = [&](int key) -> weir::result<int> { return svc(key).value() + 1; };
    CHECK(svc(1).value() == 2);
    ask = [&](int key) -> weir::result<int> {
        clock.advance(60s); // out of date while it is refreshed
        CHECK(would_deadlock(svc(key)));
        return key;
    };
    clock.advance(20s);
    CHECK(svc(1).value() == 1);
}

TEST_CASE("own key: get_all within a load, a load within get_all, and one within another")
{
    scene s;
    using many = weir::result<std::vector<std::optional<int>>>;
    auto const each_is_itself = [](std::span<int const> keys) -> many { return std::vector<std::optional<int>>(keys.begin(), keys.end()); };
    std::vector<int> const keys{1, 2, 1};
    s.ask = [&](int key) -> weir::result<int> {
        auto const inner = weir::get_all(s.cache(), std::span(keys), each_is_itself, s.clock);
        CHECK(would_deadlock(inner[0]));
        CHECK(inner[1].value() == 2);
        CHECK(would_deadlock(inner[2]));
        return key;
    };
    CHECK(s.svc(1).value() == 1);
    CHECK(s.svc(2).value() == 2); // kept by the inner one

    std::vector<int> const more{3, 4, 3};
    s.ask = [](int key) -> weir::result<int> { return key * 10; };
    auto const outer = weir::get_all(
        s.cache(), std::span(more),
        [&](std::span<int const> wanted) -> many {
            CHECK(wanted.size() == 2);
            CHECK(would_deadlock(s.svc(4)));
            CHECK(s.svc(5).value() == 50);
            auto const inner = weir::get_all(s.cache(), std::span(more), each_is_itself, s.clock);
            for (auto const& each : inner) CHECK(would_deadlock(each));
            return each_is_itself(wanted);
        },
        s.clock);
    CHECK(outer[0].value() == 3);
    CHECK(outer[1].value() == 4);
    CHECK(outer[2].value() == 3); // twice the same key of one call: no circle
}

TEST_CASE("own key: through a batch that this thread loads")
{
    weir::manual_clock clock;
    std::function<int(int)> ask;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::cached{store{plain}, itself}, weir::batched{itself, {.max_size = 1}},
                       weir::in_bulk<int>{}, [&](std::vector<int> const& keys) {
                           std::vector<weir::result<int>> all;
                           for (int const key : keys) all.emplace_back(ask(key));
                           return all;
                       }};
    ask = [&](int key) {
        CHECK(would_deadlock(svc(key)));
        return key == 3 ? 30 : svc(key + 1).value() + 1;
    };
    CHECK(svc(1).value() == 32);
}

TEST_CASE("own key: the same call of the same request from within itself")
{
    struct query {
        int key;
        weir::request_context* context;
    };
    weir::request_context context;
    std::function<weir::result<int>(query const&)> ask;
    weir::pipeline svc{weir::request_cache{weir::keyed_by(&query::key), weir::keyed_by(&query::context)},
                       [&](query const& q) { return ask(q); }};
    ask = [&](query const& q) -> weir::result<int> {
        if (q.key == 2) return 20;
        CHECK(would_deadlock(svc(q)));
        query const other{2, q.context};
        return svc(other).value() + 1;
    };
    query const one{1, &context};
    CHECK(svc(one).value() == 21);
    query const none{2, nullptr};
    CHECK(svc(none).value() == 20); // without a context it is no circle
}

TEST_CASE("own key: threads that ask for each other's keys while they load are made to wait, not refused")
{
    // Two threads, one key each; the second asks for the first's key from within its load, the first for nothing.
    scene s;
    std::atomic<bool> first_loads{false};
    weir::pipeline svc{weir::timed_by{std::ref(s.clock)}, weir::cached{store{plain}, itself}, handler([&](int key) { return s.ask(key); })};
    s.ask = [&](int key) -> weir::result<int> {
        if (key == 1) {
            first_loads = true;
            while (svc.get<weir::cached>().stats().joined == 0) std::this_thread::yield();
            return 1;
        }
        weir::result<int> const inner = svc(1);
        return inner.has_value() ? *inner + 1 : -1;
    };
    std::thread other([&] { CHECK(svc(1).value() == 1); });
    while (!first_loads) std::this_thread::yield();
    CHECK(svc(2).value() == 2);
    other.join();
}
