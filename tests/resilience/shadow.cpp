// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/shadow.hpp>

#include <weir/core/describe.hpp>
#include <weir/core/held.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// A fact that the shadowed gate would tell the caller.
struct verdict {};

/// Lets even numbers in, keeps what it lends, and tells of it.
struct even_gate {
    using role = weir::gate;
    using reports = weir::facets<verdict>;
    static constexpr std::string_view name = "even_gate";
    int out = 0, settled = 0, cancelled = 0;
    weir::admission<int> admit(auto& call)
    {
        call.report(verdict{});
        if (call.request() % 2 != 0) return weir::errc::forbidden;
        ++out;
        return call.request();
    }
    void settle(int permit, auto const& outcome, auto& call)
    {
        if (outcome.has_value() && permit != call.request()) settled = -1'000;
        ++settled;
        --out;
    }
    void cancel(int) noexcept
    {
        ++cancelled;
        --out;
    }
};

struct test_call {
    using request_type = int;
    int number = 0;
    weir::time_point time{1h};
    [[nodiscard]] int const& request() const { return number; }
    [[nodiscard]] weir::time_point now() const { return time; }
};

} // namespace

TEST_CASE("shadow: all pass, what would be refused is counted, and permits settle")
{
    even_gate gate;
    weir::pipeline svc{weir::shadow{std::ref(gate)}, [](int x) { return x; }};
    for (int i = 0; i < 10; ++i) CHECK(svc(i).value() == i);
    auto const stats = svc.get<weir::shadow>().stats();
    CHECK(stats.admitted == 5);
    CHECK(stats.would_refuse == 5);
    CHECK(gate.settled == 5);
    CHECK(gate.out == 0);
    CHECK(weir::describe(svc).text() == "gate shadow of=\"even_gate\"\n");
}

TEST_CASE("shadow: a bulkhead that would let calls wait keeps none, whatever the history")
{
    for (std::uint64_t i = 0; i < weir_test::schedules(); ++i) {
        std::minstd_rand random(static_cast<unsigned>((weir_test::first_seed() + i) * 2'654'435'761u % 2'147'483'647u) + 1);
        auto const draw = [&](unsigned below) { return static_cast<unsigned>(random() >> 4) % below; };
        std::uint32_t const places = 1 + draw(3), waiting = draw(2);
        weir::shadow policy{weir::bulkhead{{.max_concurrent = places, .max_wait = draw(2) * 1s, .max_waiting = waiting}}};
        bool const waits = waiting != 0 && policy.policy().settings().max_wait > 0s;
        std::vector<weir::shadow<weir::bulkhead<>>::permit<weir::pass>> inside;
        std::uint64_t held = 0, beyond = 0, admitted = 0;
        test_call call;
        for (int step = 0; step < 20; ++step) {
            if (draw(2) == 0) {
                auto const a = policy.admit(call);
                bool const room = held < places;
                if (!a.is_admitted() || a.permit().held != room) FAIL("seed ", weir_test::first_seed() + i, " step ", step);
                inside.push_back(a.permit());
                ++(room ? admitted : beyond);
                held += room;
            } else if (!inside.empty()) {
                auto const at = inside.begin() + static_cast<std::ptrdiff_t>(draw(static_cast<unsigned>(inside.size())));
                held -= at->held;
                if (draw(2) == 0)
                    policy.settle(*at, true, call);
                else
                    policy.cancel(*at);
                inside.erase(at);
            }
            auto const stats = policy.stats();
            if (policy.policy().stats().inside != held || policy.policy().stats().waiting != 0 || stats.admitted != admitted ||
                (waits ? stats.would_wait : stats.would_refuse) != beyond)
                FAIL("seed ", weir_test::first_seed() + i, " step ", step, " (figures)");
        }
    }
}

TEST_CASE("shadow: a breaker opens and closes by what it sees, and nobody is kept away")
{
    weir::pipeline svc{weir::shadow{weir::circuit_breaker{{.failure_rate = 0.5, .window = 10s, .minimum_calls = 4}}},
                       [](int x) -> weir::result<int> {
                           if (x < 0) return weir::errc::upstream_failed;
                           return x;
                       }};
    for (int i = 0; i < 8; ++i) CHECK(svc(-1).error() == weir::errc::upstream_failed);
    CHECK(svc(1).value() == 1);
    CHECK(svc.get<weir::shadow>().stats().would_refuse == 5);
}

TEST_CASE("shadow: a stream holds its place until it ends")
{
    weir::pipeline svc{weir::named<"places">(weir::shadow{weir::bulkhead{{.max_concurrent = 1}}}),
                       weir::named<"breaker">(weir::shadow{weir::circuit_breaker{{.failure_rate = 0.5, .window = 1s, .minimum_calls = 1}}}),
                       [](int n) { return weir::held<int>(n); }};
    auto& places = svc.get<"places">();
    auto first = svc(1), second = svc(2);
    CHECK(places.stats().admitted == 1);
    CHECK(places.stats().would_refuse == 1);
    CHECK(places.policy().stats().inside == 1);
    second->finish();
    CHECK(places.policy().stats().inside == 1);
    first->finish(weir::error(weir::errc::upstream_failed));
    CHECK(places.policy().stats().inside == 0);
    CHECK(svc.get<"breaker">().policy().stats(weir::steady::now()).now == weir::breaker_state::open);
}

TEST_CASE("shadow: threads leave every place free")
{
    weir::shadow policy{weir::bulkhead{{.max_concurrent = 1, .max_wait = 1h, .max_waiting = 10}}};
    weir::pipeline svc{std::ref(policy), [](int x) {
                           std::this_thread::yield();
                           return x;
                       }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) CHECK(svc(i).has_value());
        });
    for (auto& t : threads) t.join();
    CHECK(policy.policy().stats().inside == 0);
    CHECK(policy.policy().stats().waiting == 0);
    CHECK(policy.stats().admitted + policy.stats().would_wait + policy.stats().would_refuse == 6'000);
}
