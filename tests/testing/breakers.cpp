// SPDX-License-Identifier: BSL-1.0
// Breakers in asynchronous pipelines, in virtual time: whatever becomes of a probe, its place comes back, and the breaker recovers.
#include <weir/asio/driver.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/adaptive_throttle.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/keyed_breaker.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <utility>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using weir::breaker_state;

enum class fate { answers, fails, throws, hangs };

/// One pipeline whose handler does what it is told; `Outside` limits the time of the whole, `Inside` that of the handler.
template<class Policy>
class world {
public:
    explicit world(Policy policy) : policy_(std::move(policy)) {}

    /// A call in virtual time, cancelled after `patience` if that is not 0.
    void call(fate f, weir::duration patience = {})
    {
        next_ = f;
        auto const handler = [this](int n) -> asio::awaitable<weir::result<int>> { return this->handle(n); };
        weir::pipeline svc{weir::timed_by{std::ref(world_.clock())}, weir::timeout{outside}, std::ref(policy_), weir::timeout{inside},
                           handler};
        asio::cancellation_signal signal;
        auto const caller = [&]() -> asio::awaitable<void> {
            int const request = 1;
            try {
                static_cast<void>(co_await svc(request));
            } catch (std::runtime_error const&) {
            }
        };
        world_.spawn(caller(), signal.slot());
        if (patience != 0ns) {
            world_.run_for(patience);
            signal.emit(asio::cancellation_type::terminal);
        }
        world_.run();
    }
    void wait(weir::duration d) { world_.run_for(d); }
    [[nodiscard]] weir::time_point now() { return world_.clock().now(); }
    [[nodiscard]] Policy& policy() noexcept { return policy_; }
    int asked = 0;
    weir::duration outside = 10s;
    weir::duration inside = 1s;

private:
    asio::awaitable<weir::result<int>> handle(int n)
    {
        ++asked;
        co_await world_.sleep(1ms);
        if (next_ == fate::throws) throw std::runtime_error("broken");
        if (next_ == fate::hangs) co_await world_.sleep(1h);
        if (next_ == fate::fails) co_return weir::errc::upstream_failed;
        co_return n;
    }
    weir::simulation world_;
    Policy policy_;
    fate next_ = fate::answers;
};

breaker_state state_of(weir::circuit_breaker<weir::failures_in_a_row>& b)
{
    CHECK(b.stats({}).probes_out == 0);
    return b.stats({}).now;
}
breaker_state state_of(auto& keyed)
{
    return keyed.state_of(1);
}

template<class Policy>
void probes_come_back(world<Policy> w)
{
    auto const opens = [&] {
        w.call(fate::fails);
        CHECK(state_of(w.policy()) == breaker_state::open);
        w.wait(5s);
    };
    for (fate const f : {fate::fails, fate::throws, fate::hangs}) { // hangs: the timeout further in ends it, which is a failure
        opens();
        w.call(f);
        CHECK(state_of(w.policy()) == breaker_state::open);
        w.wait(5s);
        w.call(fate::answers);
        CHECK(state_of(w.policy()) == breaker_state::closed);
    }
    opens();
    w.call(fate::hangs, 100ms); // cancelled: nobody knows
    CHECK(state_of(w.policy()) == breaker_state::half_open);
    w.call(fate::answers);
    CHECK(state_of(w.policy()) == breaker_state::closed);

    opens();
    w.outside = 300ms; // the caller's own time is up first
    w.call(fate::hangs);
    CHECK(state_of(w.policy()) != breaker_state::closed);
    w.wait(5s);
    w.call(fate::answers);
    CHECK(state_of(w.policy()) == breaker_state::closed);

    int const asked = w.asked;
    w.call(fate::throws);
    w.call(fate::answers);
    CHECK(w.asked == asked + 1); // open: an exception is a failure, and the next call does not get there
}

} // namespace

TEST_CASE("breakers: a probe that fails, throws, hangs or is cancelled gives its place back")
{
    weir::row_breaker_options const o{.failures = 1, .probes = 1, .probe_limit = 1h};
    probes_come_back(world{weir::circuit_breaker{o}});
    probes_come_back(world{weir::keyed_breaker{o, weir::keyed_by<int>([](int n) { return n; }), {.capacity = 4}}});
}

TEST_CASE("breakers: adaptive_throttle counts what fails, throws and hangs, not what was cancelled")
{
    world w{weir::adaptive_throttle{{.window = 1h}}};
    w.call(fate::answers);
    w.call(fate::hangs, 100ms);
    CHECK(w.policy().stats(w.now()).requests == 1);
    w.call(fate::fails);
    w.call(fate::throws);
    CHECK(w.policy().stats(w.now()).requests == 3);
    CHECK(w.policy().stats(w.now()).accepts == 1);
    w.call(fate::hangs);
    CHECK(w.policy().stats(w.now()).requests == 4);
}
