// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/adaptive_lifo.hpp>

#include "gate_schedules.hpp"

#include <weir/limit/concurrency_limit.hpp>

#include <stdexcept>

namespace {

using namespace std::chrono_literals;

template<class Queue>
using limit = weir::concurrency_limit<Queue, weir::confined>;

/// The busy time begins when somebody comes to an empty queue.
struct model : weir_test::fifo_model {
    weir::duration interval, target;
    weir::time_point busy_since{};

    explicit model(weir::adaptive_lifo_options const& o) : interval(o.interval), target(o.target) {}
    [[nodiscard]] bool stands(weir::time_point now) const { return !calls.empty() && now - busy_since > interval; }
    weir::duration push(weir_test::waiting_call c, weir::duration max_wait)
    {
        if (calls.empty()) busy_since = c.since;
        weir::duration patience = stands(c.since) ? target : interval;
        if (max_wait < patience) patience = max_wait;
        c.until = c.since + patience;
        calls.push_back(c);
        return patience;
    }
    std::optional<int> pop(weir::time_point now, std::vector<int>& refused)
    {
        bool const newest = stands(now);
        while (!calls.empty()) {
            auto const c = newest ? calls.back() : calls.front();
            remove(c.id);
            if (c.until >= now) return c.id;
            refused.push_back(c.id);
        }
        return {};
    }
    std::optional<int> make_room(weir_test::waiting_call const& c, std::size_t)
    {
        if (!stands(c.since)) return {};
        return calls.front().id;
    }
};

} // namespace

TEST_CASE("adaptive_lifo: a short wait for the newest in a standing queue, a long one in turn otherwise, whatever the schedule")
{
    weir_test::compare_gates<limit>(1, [](auto& random) {
        weir::duration const interval = weir::duration(1ms) * (5 + random() % 60);
        weir::adaptive_lifo_options const o{.interval = interval, .target = interval / (1 + random() % 5)};
        return std::pair{weir::adaptive_lifo{o}, model{o}};
    });
}

TEST_CASE("adaptive_lifo: a burst is served in order, an overload newest first")
{
    weir::concurrency_limit gate{{.max_concurrent = 1, .max_wait = 10s, .max_waiting = 2}, weir::adaptive_lifo{}};
    weir_test::numbered_call call;
    weir::waiter inside, a, b, c;
    CHECK(gate.admit(call, inside).is_admitted());
    CHECK(gate.admit(call, a).parked_until() == call.time + 100ms);
    call.time += 90ms;
    CHECK(gate.admit(call, b).parked_until() == call.time + 100ms);
    CHECK(gate.admit(call, c).refusal() == weir::errc::bulkhead_full); // full, and not standing yet
    call.time += 11ms;
    CHECK(gate.admit(call, c).parked_until() == call.time + 5ms); // full and standing: the oldest goes
    CHECK(gate.resume(call, a).refusal() == weir::errc::bulkhead_full);
    gate.settle({}, weir::result<int>(1), call);
    CHECK(gate.resume(call, c).is_admitted());
    CHECK(gate.stats().waiting == 1);
    CHECK(gate.abandon(b));
}

TEST_CASE("adaptive_lifo: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(weir::adaptive_lifo({.interval = 0ms}), "adaptive_lifo.interval: expected more than 0", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::adaptive_lifo({.target = 0ms}), "adaptive_lifo.target: expected more than 0 and at most the interval",
                         std::invalid_argument);
}

namespace weir {
static_assert(wait_queue<adaptive_lifo>);
} // namespace weir: what the header promises
