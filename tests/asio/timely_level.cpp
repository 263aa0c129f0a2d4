// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/timely_level.hpp>

#include <weir/asio.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/second_level.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/scope.hpp>
#include <weir/testing/memory_level.hpp>
#include <weir/testing/simulation.hpp>
#include <weir/testing/slow_level.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using memory = weir::memory_level<int, int>;
using slow = weir::slow_level<std::reference_wrapper<memory>>;
using timely = weir::timely_level<slow, std::reference_wrapper<weir::manual_clock>>;
static_assert(weir::second_level_of<timely, int, int>);
constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });

timely within(weir::duration limit, weir::schedule& s, memory& shared, weir::duration takes)
{
    return {slow{std::ref(shared), s, weir::latency::fixed(takes)}, limit, std::ref(s.clock())};
}

} // namespace

TEST_CASE("timely_level: what answers in time passes, what does not is cancelled when the time is up")
{
    for (weir::duration const takes : {4ms, 200ms}) {
        weir::schedule s;
        memory shared{{.capacity = 10}};
        timely level = within(20ms, s, shared, takes);
        weir::simulation world(s);
        bool const hangs = takes > 20ms;
        int done = 0;
        auto const ask = [&]() -> asio::awaitable<void> {
            auto const check = [&](auto const& told) {
                CHECK(told.has_value() != hangs);
                if (hangs) CHECK(told.error() == weir::errc::deadline_exceeded);
                ++done;
            };
            weir::time_point const began = s.now();
            auto const found = co_await level.look_up(1, s.now());
            check(found);
            weir::level_entry<int> const entry{7, 1min};
            weir::level_lease const none{};
            auto const written = co_await level.put(1, entry, hangs ? none : found->lease, s.now());
            check(written);
            auto const lease = co_await level.lease(1, s.now());
            check(lease);
            auto const erased = co_await level.erase(1, s.now());
            check(erased);
            auto const told = co_await level.publish(1);
            check(told);
            CHECK(s.now() - began == 5 * (hangs ? 20ms : takes));
        };
        world.spawn(ask());
        world.run();
        CHECK(done == 5);
    }
}

TEST_CASE("timely_level: a caller that is cancelled leaves at once")
{
    weir::schedule s;
    memory shared{{.capacity = 10}};
    timely level = within(1s, s, shared, 10s);
    weir::simulation world(s);
    asio::cancellation_signal enough;
    bool answered = false, left = false;
    weir::time_point const began = s.now();
    auto const ask = [&]() -> asio::awaitable<void> {
        try {
            static_cast<void>(co_await level.look_up(1, s.now()));
        } catch (boost::system::system_error const& e) {
            left = e.code() == asio::error::operation_aborted;
            co_return;
        }
        answered = true;
    };
    auto const give_up = [&]() -> asio::awaitable<void> {
        co_await world.sleep(5ms);
        enough.emit(asio::cancellation_type::terminal);
    };
    world.spawn(ask(), enough.slot());
    world.spawn(give_up());
    world.run();
    CHECK(left);
    CHECK_FALSE(answered);
    CHECK(s.now() - began == 5ms);
}

TEST_CASE("timely_level: a second level that hangs holds no call beyond its time, and the source is protected")
{
    weir::schedule s;
    weir::scope jobs;
    memory shared{{.capacity = 10}};
    int asked = 0;
    auto const load = [&](int key) -> asio::awaitable<weir::result<int>> {
        ++asked;
        co_await weir::sleep(s, 100ms);
        co_return key;
    };
    weir::pipeline svc{weir::timed_by{std::ref(s.clock())}, weir::within{jobs},
                       weir::cached{weir::store<int, int>{{.capacity = 10}}, itself},
                       weir::second_level{within(20ms, s, shared, 1h), itself, {.max_blind_loads = 2}}, load};
    weir::simulation world(s);
    weir::time_point const began = s.now();
    std::vector<weir::duration> served, refused;
    auto const ask = [&](int key) -> asio::awaitable<void> {
        auto const r = co_await svc(key);
        (r.has_value() ? served : refused).push_back(s.now() - began);
        if (!r.has_value()) CHECK(r.error() == weir::errc::unavailable);
    };
    for (int key = 0; key < 10; ++key) world.spawn(ask(key));
    world.run();
    CHECK(served == std::vector<weir::duration>(2, 120ms));
    CHECK(refused == std::vector<weir::duration>(8, 20ms));
    CHECK(asked == 2);
    CHECK(svc.get<weir::second_level>().stats().failures == 10);

    auto const change = [&]() -> asio::awaitable<void> {
        auto const erased = co_await svc.get<weir::second_level>().erase(1, s.now());
        CHECK(erased == 0u); // it waits until the level answers
    };
    weir::time_point const before = s.now();
    world.spawn(change());
    world.run();
    CHECK(s.now() - before == 20ms);
    CHECK(svc.get<weir::second_level>().pending() == 1);
    CHECK(jobs.size() == 0);
}

TEST_CASE("timely_level: a limit of nothing is refused")
{
    weir::schedule s;
    memory shared{{.capacity = 10}};
    CHECK_THROWS_WITH_AS(within(0s, s, shared, 1ms), "timely_level.limit: expected a duration above zero", std::invalid_argument);
    CHECK(within(1s, s, shared, 1ms).limit() == 1s);
}
