// SPDX-License-Identifier: BSL-1.0
//
// Pipelines that are asynchronous because of their policies: a handler that is not, and decisions that have to be awaited.
#include <weir/asio/asynchronous.hpp>

#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// What becomes of the permits of a gate far away.
struct ledger {
    int asked = 0, lent = 0, settled = 0, told = 0, cancelled = 0;
    [[nodiscard]] int out() const { return lent - settled - cancelled; }
};

/// A gate that another machine decides for: it knows small numbers by itself, and asks about the others.
struct remote_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "remote_gate";
    weir::simulation* world;
    ledger* book;
    weir::duration takes = 100ms;

    weir::admission<int> admit(auto& call)
    {
        if (call.request() >= 10) return weir::pending;
        ++book->lent;
        return call.request();
    }
    asio::awaitable<weir::admission<int>> admit_later(auto& call)
    {
        ++book->asked;
        int const n = call.request();
        if (n == 66) throw std::runtime_error("no connection");
        if (takes > 0s) co_await world->sleep(takes);
        if (n == 13) co_return weir::error(weir::errc::rate_limited, 5s);
        ++book->lent;
        co_return n;
    }
    weir::settlement settle(int permit, auto const&, auto&)
    {
        if (permit < 10) {
            ++book->settled;
            return weir::settlement::at_once;
        }
        return weir::settlement::later;
    }
    asio::awaitable<void> settle_later(int, auto const& outcome, auto&)
    {
        co_await world->sleep(10ms);
        ++book->settled;
        ++book->told;
        if (outcome.has_error()) ++book->told;
    }
    void cancel(int) noexcept { ++book->cancelled; }
};

/// Looks things up far away.
struct remote_source {
    using role = weir::source;
    static constexpr std::string_view name = "remote_source";
    weir::simulation* world;
    weir::lookup look_up(auto& call, weir::pass&, auto& outcome)
    {
        if (call.request() == 1) {
            outcome = 100;
            return weir::lookup::answered;
        }
        return weir::lookup::later;
    }
    asio::awaitable<weir::lookup> look_up_later(auto& call, weir::pass&, auto& outcome)
    {
        co_await world->sleep(1ms);
        if (call.request() != 2) co_return weir::lookup::missed;
        outcome = 200;
        co_return weir::lookup::answered;
    }
};

/// Has its signature made far away.
struct remote_signer {
    using role = weir::transform;
    using provides = weir::facets<std::string>;
    static constexpr std::string_view name = "remote_signer";
    weir::simulation* world;
    weir::admission<> down(auto&) { return weir::pending; }
    asio::awaitable<weir::admission<>> down_later(auto& call)
    {
        co_await world->sleep(1ms);
        call.set(std::string("signed ") + std::to_string(call.request()));
        co_return weir::admitted;
    }
};

template<class Pipeline>
weir::result<int> ask(weir::simulation& world, Pipeline& svc, int n)
{
    weir::result<int> answer = weir::errc::cancelled;
    auto const caller = [&]() -> asio::awaitable<void> { answer = co_await svc(n); };
    world.spawn(caller());
    world.run();
    return answer;
}

TEST_CASE("asynchronous: a handler that is not may stand behind policies that wait")
{
    weir::simulation world;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::throttle{weir::gcra{{.permits = 1, .per = 1s}}, 10s},
                       weir::asynchronous{[](int n) { return n + 1; }}};
    auto const before = world.clock().now();
    CHECK(ask(world, svc, 1).value() == 2);
    CHECK(ask(world, svc, 2).value() == 3);
    CHECK(world.clock().now() - before >= 1s);
}

TEST_CASE("asynchronous: its exceptions and its result are those of the handler; idempotent goes through it")
{
    weir::simulation world;
    int left = 1;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::retry<2>{},
                       weir::asynchronous{weir::idempotent{[&left](int n) -> weir::result<int> {
                           if (left-- > 0) throw std::runtime_error("first");
                           if (n == 0) return weir::errc::not_found;
                           return n;
                       }}}};
    CHECK(ask(world, svc, 5).value() == 5);
    CHECK(ask(world, svc, 0).error() == weir::errc::not_found);
}

TEST_CASE("pending: the decision is awaited, then the call goes on, or not")
{
    weir::simulation world;
    ledger book;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &book}, weir::asynchronous{[](int n) { return n; }}};
    CHECK(ask(world, svc, 1).value() == 1);
    CHECK(book.asked == 0);
    CHECK(ask(world, svc, 11).value() == 11);
    CHECK(book.asked == 1);
    CHECK(book.told == 1);
    auto const refused = ask(world, svc, 13);
    CHECK(refused.error() == weir::errc::rate_limited);
    CHECK(refused.error().retry_after() == 5s);
    CHECK(refused.error().policy() == 1);
    CHECK(book.lent == 2);
    CHECK(book.settled == 2);
}

TEST_CASE("pending: settling elsewhere sees the outcome, also a failure")
{
    weir::simulation world;
    ledger book;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &book},
                       weir::asynchronous{[](int) -> weir::result<int> { return weir::errc::unavailable; }}};
    CHECK(ask(world, svc, 11).error() == weir::errc::unavailable);
    CHECK(book.told == 2);
    CHECK(book.out() == 0);
}

TEST_CASE("pending: two gates that ask, one of them inside a retry")
{
    weir::simulation world;
    ledger outer, inner;
    int left = 2;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &outer}, weir::retry<3>{}, remote_gate{&world, &inner},
                       weir::asynchronous{weir::idempotent{[&left](int n) -> weir::result<int> {
                           if (left-- > 0) return weir::errc::unavailable;
                           return n;
                       }}}};
    CHECK(ask(world, svc, 20).value() == 20);
    CHECK(outer.asked == 1);
    CHECK(inner.asked == 3);
    CHECK(inner.settled == 3);
    CHECK(outer.out() == 0);
    CHECK(inner.out() == 0);
}

TEST_CASE("pending: a policy that throws while it asks ends the call, and the others lose no permit")
{
    weir::simulation world;
    ledger outer, inner;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &outer, 0s},
                       remote_gate{&world, &inner, 0s}, weir::asynchronous{[](int n) { return n; }}};
    weir::pipeline simple{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &inner}, weir::asynchronous{[](int n) { return n; }}};
    auto const throwing = [&]() -> asio::awaitable<void> {
        CHECK_THROWS_AS(co_await simple(66), std::runtime_error);
    };
    world.spawn(throwing());
    world.run();
    CHECK(inner.lent == 0);
    CHECK(ask(world, svc, 11).value() == 11);
    CHECK(outer.out() == 0);
}

TEST_CASE("pending: a call that is cancelled while its gate asks gives everything back")
{
    weir::simulation world;
    ledger outer, inner;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &outer, 10ms}, remote_gate{&world, &inner, 10s},
                       weir::asynchronous{[](int n) { return n; }}};
    for (weir::duration const when : {weir::duration(5ms), weir::duration(1s), weir::duration(10s + 15ms)}) {
        asio::cancellation_signal stop;
        weir::result<int> answer = 0;
        auto const caller = [&]() -> asio::awaitable<void> { answer = co_await svc(11); };
        world.spawn(caller(), stop.slot());
        world.run_for(when);
        stop.emit(asio::cancellation_type::terminal);
        world.run();
        CHECK(answer.has_error());
        if (answer.has_error()) CHECK(answer.error() == weir::errc::cancelled);
        CHECK(inner.out() == (when > 10s ? 1 : 0)); // its release was under way: it is the gate's own affair
        CHECK(outer.out() == 0);
    }
}

TEST_CASE("pending: a time limit holds for the decision too")
{
    weir::simulation world;
    ledger book;
    auto const slow = [](int n) -> asio::awaitable<int> { co_return n; };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, weir::timeout{50ms}, remote_gate{&world, &book, 10s}, slow};
    auto const refused = ask(world, svc, 11);
    REQUIRE(refused.has_error());
    CHECK(refused.error() == weir::errc::deadline_exceeded);
    CHECK(refused.error().policy() == 1);
    CHECK(book.out() == 0);
    weir::pipeline quick{weir::timed_by{std::ref(world.clock())}, weir::timeout{500ms}, remote_gate{&world, &book, 100ms}, slow};
    CHECK(ask(world, quick, 11).value() == 11);
    CHECK(book.out() == 0);
}

TEST_CASE("pending: a source and a transform that ask")
{
    weir::simulation world;
    auto const read = [](int n, weir::view<std::string> facts) { return n + static_cast<int>(facts.get<std::string>().size()); };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_source{&world}, remote_signer{&world}, weir::asynchronous{read}};
    CHECK(ask(world, svc, 1).value() == 100);
    CHECK(ask(world, svc, 2).value() == 200);
    CHECK(ask(world, svc, 3).value() == 3 + 8);
}

TEST_CASE("pending: an observer sees that a gate asks, and what comes of it")
{
    struct counts {
        int asks = 0, admitted = 0, settled = 0;
        void operator()(weir::event::asks const&) { ++asks; }
        void operator()(weir::event::admitted const&) { ++admitted; }
        void operator()(weir::event::settled const&) { ++settled; }
    };
    weir::simulation world;
    ledger book;
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())}, remote_gate{&world, &book}, weir::asynchronous{[](int n) { return n; }}};
    weir::observed watched{svc, counts{}};
    CHECK(ask(world, watched, 11).value() == 11);
    CHECK(watched.observer().asks == 1);
    CHECK(watched.observer().admitted == 1);
    CHECK(watched.observer().settled == 1);
}

} // namespace
