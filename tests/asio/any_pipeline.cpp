// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>

#include <weir/core/any_pipeline.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/timeout.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::awaitable;

struct order {
    std::string what;
    int amount = 0;
};

using orders = weir::any_pipeline<order, awaitable<weir::result<int>>>;
using orders_ref = weir::any_pipeline_ref<order, awaitable<weir::result<int>>>;
static_assert(std::is_same_v<orders::answer_type, awaitable<weir::result<int>>>);
static_assert(std::is_invocable_v<orders_ref const&, order const&> && !std::is_invocable_v<orders_ref const&, order>);
static_assert(std::is_invocable_v<orders&, order&> && !std::is_invocable_v<orders&, order>);

awaitable<int> price(order const& o)
{
    if (o.amount == 13) throw std::runtime_error("no price");
    co_return o.amount * 3;
}

template<class Service>
awaitable<void> keep(Service& svc, order const& o, std::optional<weir::result<int>>& outcome)
{
    outcome = co_await svc(o);
}

template<class Service>
weir::result<int> ask(Service& svc, order const& o)
{
    asio::io_context context(1);
    std::optional<weir::result<int>> outcome;
    std::exception_ptr thrown;
    asio::co_spawn(context, keep(svc, o, outcome), [&](std::exception_ptr e) { thrown = e; });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    return outcome.value();
}

} // namespace

TEST_CASE("any_pipeline: an asynchronous call is the pipeline's own, refusals and exceptions too")
{
    weir::pipeline svc{weir::rate_limit{weir::gcra{{.permits = 2, .per = 3600s}}}, price};
    orders_ref ref(svc);
    order const four{"a", 4}, thirteen{"b", 13};
    CHECK(ask(ref, four).value() == 12);
    CHECK_THROWS_AS(static_cast<void>(ask(ref, thirteen)), std::runtime_error);
    CHECK(ask(ref, four).error().kind() == weir::errc::rate_limited);
}

TEST_CASE("any_pipeline: owns an asynchronous pipeline, and is a handler in another")
{
    orders owner{[] { return weir::pipeline{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}, price}; }};
    weir::pipeline outer{weir::timeout{1s}, owner.ref()};
    order const five{"a", 5};
    CHECK(ask(outer, five).value() == 15);
    CHECK(ask(owner, five).error().kind() == weir::errc::rate_limited);
}

TEST_CASE("any_pipeline: a timeout and a cancellation go through the border")
{
    weir::simulation world;
    auto const takes_an_hour = [&](order const&) -> awaitable<int> {
        co_await world.sleep(1h);
        co_return 0;
    };
    orders svc{[&] { return weir::pipeline{weir::timed_by{std::ref(world.clock())}, weir::timeout{200ms}, takes_an_hour}; }};
    order const one{"a", 1};
    std::optional<weir::result<int>> late, cancelled;
    world.spawn(keep(svc, one, late));
    world.run();
    CHECK(late.value().error().kind() == weir::errc::deadline_exceeded);

    asio::cancellation_signal signal;
    world.spawn(keep(svc, one, cancelled), signal.slot());
    world.run_for(50ms);
    signal.emit(asio::cancellation_type::terminal);
    world.run();
    CHECK(cancelled.value().error().kind() == weir::errc::cancelled);
}
