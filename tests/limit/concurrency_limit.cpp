// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/concurrency_limit.hpp>

#include "gate_schedules.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/adaptive_lifo.hpp>
#include <weir/limit/fair_by.hpp>
#include <weir/limit/lifo.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;

template<class Queue>
using shared_limit = weir::concurrency_limit<Queue>;
template<class Queue>
using confined_limit = weir::concurrency_limit<Queue, weir::confined>;

/// Threads that call through one limit at once, some of which throw or wait in vain.
template<class Limit>
void storm(Limit& limit, int most_inside)
{
    std::atomic<int> inside{0}, most{0};
    weir::pipeline svc{std::ref(limit), [&](int x) {
                           int const now = ++inside;
                           for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
                           std::this_thread::yield();
                           --inside;
                           if (x % 7 == 0) throw std::runtime_error("no");
                           return x;
                       }};
    std::atomic<std::uint64_t> refused{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 5; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 400; ++i) try {
                    if (auto const r = svc(i); r.has_error()) {
                        CHECK(r.error() == weir::errc::bulkhead_full);
                        ++refused;
                    }
                } catch (std::runtime_error const&) {
                }
        });
    for (int i = 0; i < 200; ++i) {
        auto o = limit.settings();
        o.max_concurrent = 1u + static_cast<std::uint32_t>(i % most_inside);
        limit.reconfigure(o);
        static_cast<void>(limit.stats());
    }
    for (auto& t : threads) t.join();
    CHECK(most <= most_inside);
    CHECK(limit.stats().inside == 0);
    CHECK(limit.stats().waiting == 0);
    CHECK(limit.stats().refused == refused);
}

} // namespace

TEST_CASE("concurrency_limit: does what the model does, whatever the schedule")
{
    weir_test::compare_gates<shared_limit>(1, [](auto&) { return std::pair{weir::fifo{}, weir_test::fifo_model{}}; });
    weir_test::compare_gates<confined_limit>(1, [](auto&) { return std::pair{weir::fifo{}, weir_test::fifo_model{}}; });
}

TEST_CASE("concurrency_limit: many threads, and no place is lost")
{
    weir::concurrency_limit plain{{.max_concurrent = 2, .max_wait = 1h}};
    storm(plain, 2);
    weir::concurrency_limit impatient{{.max_concurrent = 2, .max_wait = 30us, .max_waiting = 2}, weir::lifo{}};
    storm(impatient, 3);
    weir::concurrency_limit shedding{{.max_concurrent = 1, .max_wait = 1h}, weir::adaptive_lifo{{.interval = 200us, .target = 20us}}};
    storm(shedding, 2);
    weir::concurrency_limit fair{{.max_concurrent = 1, .max_wait = 1h, .max_waiting = 3},
                                 weir::fair_by{weir::keyed_by<int>([](int x) { return x % 5; }), {.max_users = 3}}};
    storm(fair, 2);
}

TEST_CASE("concurrency_limit: settings, statistics and description")
{
    weir::pipeline svc{weir::concurrency_limit{{.max_concurrent = 2, .max_wait = 10ms, .max_waiting = 5}, weir::adaptive_lifo{}},
                       [](int x) { return x; }};
    using limit = weir::concurrency_limit<weir::adaptive_lifo>;
    CHECK(svc(3).value() == 3);
    CHECK(svc.get<limit>().stats().limit == 2);
    svc.get<limit>().reconfigure({.max_concurrent = 3, .max_wait = 20ms});
    svc.get<limit>().reconfigure_queue({.interval = 50ms, .target = 2ms});
    CHECK(svc.get<limit>().queue_settings().target == 2ms);
    CHECK(*svc.get<limit>().settings().max_concurrent == 3);
    CHECK(svc.get<limit>().settings().max_waiting == 1'000);
    CHECK_THROWS_WITH_AS(svc.get<limit>().reconfigure({.max_concurrent = 0}), "concurrency_limit.max_concurrent: expected at least 1",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(svc.get<limit>().reconfigure({.max_concurrent = 1, .max_wait = -1ns}),
                         "concurrency_limit.max_wait: expected 0 or more", std::invalid_argument);
    CHECK_THROWS_WITH_AS(svc.get<limit>().reconfigure_queue({.interval = 1ms, .target = 2ms}),
                         "adaptive_lifo.target: expected more than 0 and at most the interval", std::invalid_argument);
    CHECK(svc.get<limit>().queue_settings().interval == 50ms);
    std::string const text = weir::describe(svc).text();
    CHECK(text.find("adaptive_lifo") != std::string::npos);
    CHECK(text.find("max_concurrent=3") != std::string::npos);
}
