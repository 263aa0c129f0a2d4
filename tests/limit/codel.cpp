// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/codel.hpp>

#include "gate_schedules.hpp"

#include <weir/limit/concurrency_limit.hpp>

#include <cmath>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

template<class Queue>
using limit = weir::concurrency_limit<Queue, weir::confined>;

/// The pseudocode of RFC 8289, sections 5.3 to 5.6, as it stands there, in nanoseconds; a time of 0 means "not set".
struct model : weir_test::fifo_model {
    double target, interval;
    double first_above_time = 0, drop_next = 0;
    std::uint32_t count = 0, lastcount = 0;
    bool dropping = false;

    explicit model(weir::codel_options const& o)
        : target(static_cast<double>(o.target.count())), interval(static_cast<double>(o.interval.count()))
    {
    }
    struct dodequeue_result {
        std::optional<int> p;
        bool ok_to_drop = false;
    };
    dodequeue_result dodequeue(double now)
    {
        dodequeue_result r;
        if (calls.empty()) {
            first_above_time = 0;
            return r;
        }
        auto const c = calls.front();
        calls.pop_front();
        r.p = c.id;
        double const sojourn = now - static_cast<double>(c.since.time_since_epoch().count());
        if (sojourn < target || calls.empty())
            first_above_time = 0;
        else if (first_above_time == 0)
            first_above_time = now + interval;
        else if (now >= first_above_time)
            r.ok_to_drop = true;
        return r;
    }
    [[nodiscard]] double control_law(double t) const { return t + std::floor(interval / std::sqrt(static_cast<double>(count))); }
    std::optional<int> pop(weir::time_point at, std::vector<int>& refused)
    {
        double const now = static_cast<double>(at.time_since_epoch().count());
        auto r = dodequeue(now);
        if (dropping) {
            if (!r.ok_to_drop) dropping = false;
            while (now >= drop_next && dropping) {
                refused.push_back(*r.p);
                ++count;
                r = dodequeue(now);
                if (!r.ok_to_drop)
                    dropping = false;
                else
                    drop_next = control_law(drop_next);
            }
        } else if (r.ok_to_drop) {
            refused.push_back(*r.p);
            r = dodequeue(now);
            dropping = true;
            std::uint32_t const delta = count - lastcount;
            count = 1;
            if (delta > 1 && now - drop_next < 16 * interval) count = delta;
            drop_next = control_law(now);
            lastcount = count;
        }
        return r.p;
    }
};

} // namespace

TEST_CASE("codel: refuses whom the RFC's pseudocode drops, whatever the schedule")
{
    weir_test::compare_gates<limit>(1, [](auto& random) {
        weir::duration const target = weir::duration(1ms) * (1 + random() % 5);
        weir::codel_options const o{.target = target, .interval = target * (1 + random() % 12)};
        return std::pair{weir::codel{o}, model{o}};
    });
}

TEST_CASE("codel: in a standing queue refusals come faster and faster")
{
    weir::concurrency_limit gate{{.max_concurrent = 1, .max_wait = 1h}, weir::codel{}};
    weir_test::numbered_call call;
    std::vector<weir::waiter> waiters(600);
    for (auto& w : waiters) static_cast<void>(gate.admit(call, w));
    std::size_t next = 1;
    std::vector<int> refused_in; // 100 ms, that is 20 places
    for (int i = 0; i < 300 && next < waiters.size(); ++i) {
        if (i % 20 == 0) refused_in.push_back(0);
        call.time += 5ms;
        gate.settle({}, weir::result<int>(1), call);
        while (next < waiters.size() && !gate.resume(call, waiters[next++]).is_admitted()) ++refused_in.back();
    }
    CHECK(refused_in[0] == 0);
    CHECK(refused_in[1] >= 1);
    CHECK(refused_in[10] > refused_in[2]);
}

TEST_CASE("codel: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(weir::codel({.target = 0ms}), "codel.target: expected more than 0", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::codel({.target = 2ms, .interval = 1ms}), "codel.interval: expected at least the target and at most an hour",
                         std::invalid_argument);
    weir::codel queue;
    queue.reconfigure({.target = 7ms});
    CHECK(queue.settings().target == 7ms);
}

namespace weir {
static_assert(wait_queue<codel>);
} // namespace weir: what the header promises
