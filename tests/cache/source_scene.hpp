// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/scope.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <vector>

namespace weir_test {

using namespace std::chrono_literals;

inline constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });

/// A source in virtual time: how long it takes, whether it fails, and what it was asked.
struct source {
    explicit source(weir::simulation& w) : world(w) {}
    weir::simulation& world;
    weir::duration takes{10ms};
    weir::errc fails{}; // with this, if it is not zero
    int calls = 0, inside = 0, most_inside = 0;
    std::vector<weir::time_point> asked{};

    boost::asio::awaitable<weir::result<int>> operator()(int key)
    {
        int const number = ++calls;
        asked.push_back(world.clock().now());
        if (++inside > most_inside) most_inside = inside;
        leaving const leave{*this};
        co_await world.sleep(takes);
        if (fails != weir::errc{}) co_return fails;
        co_return key * 1'000 + number;
    }

private:
    struct leaving {
        source& of;
        ~leaving() { --of.inside; }
    };
};

/// What callers got, and how long the slowest waited.
struct callers {
    explicit callers(weir::simulation& w) : world(w) {}
    weir::simulation& world;
    int values = 0, stale = 0, failures = 0;
    weir::errc last{};
    weir::errc why{}; // of the latest stale answer
    weir::duration longest{}, oldest{};

    boost::asio::awaitable<void> call(auto& svc, int key)
    {
        weir::time_point const began = world.clock().now();
        auto const reply = co_await svc.call(key);
        longest = std::max(longest, world.clock().now() - began);
        if (!reply.has_value()) {
            ++failures;
            last = reply.result().error().kind();
            co_return;
        }
        ++values;
        if constexpr (std::remove_cvref_t<decltype(reply)>::template may_report<weir::stale>)
            if (auto const& fact = reply.template reported<weir::stale>()) {
                ++stale;
                why = fact->why;
                oldest = std::max(oldest, fact->by);
            }
    }
    /// Callers that come each `every` for so long, one after the other.
    void come(auto& svc, int key, weir::duration every, weir::duration for_so_long)
    {
        weir::time_point const end = world.clock().now() + for_so_long;
        while (world.clock().now() < end) {
            world.spawn(call(svc, key));
            world.run_for(every);
        }
    }
    void forget() { *this = callers(world); }
    callers& operator=(callers const& other) noexcept
    {
        values = other.values;
        stale = other.stale;
        failures = other.failures;
        last = other.last;
        why = other.why;
        longest = other.longest;
        oldest = other.oldest;
        return *this;
    }
};

} // namespace weir_test
