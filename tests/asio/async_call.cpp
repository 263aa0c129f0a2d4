// SPDX-License-Identifier: BSL-1.0
#include <weir/asio/async_call.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::awaitable;

struct counting {
    using role = weir::gate;
    static constexpr std::string_view name = "counting";
    std::atomic<int> lent{0};
    std::atomic<int> back{0};
    std::atomic<int> cancelled{0};
    weir::admission<> admit(auto&)
    {
        ++lent;
        return weir::admitted;
    }
    void settle(weir::pass, auto const&, auto&) { ++back; }
    void cancel(weir::pass) noexcept
    {
        ++back;
        ++cancelled;
    }
};

awaitable<int> one_more(int x)
{
    if (x < 0) throw std::runtime_error("negative");
    co_return x + 1;
}

awaitable<int> for_ever(int)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_at(asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
    co_return 1;
}

} // namespace

TEST_CASE("async_call: with a callback")
{
    asio::io_context context;
    weir::pipeline svc{weir::timeout{1h}, one_more};
    int got = 0;
    weir::async_call(context.get_executor(), svc, 1, [&](std::exception_ptr e, weir::result<int> r) {
        CHECK(e == nullptr);
        got = r.value();
    });
    bool threw = false;
    weir::async_call(context.get_executor(), svc, -1, [&](std::exception_ptr e, weir::result<int>) { threw = e != nullptr; });
    context.run();
    CHECK(got == 2);
    CHECK(threw);
}

TEST_CASE("async_call: with a future and with deferred")
{
    asio::io_context context;
    weir::pipeline svc{one_more};
    auto future = weir::async_call(context.get_executor(), svc, 2, asio::use_future);
    auto broken = weir::async_call(context.get_executor(), svc, -2, asio::use_future);
    auto operation = weir::async_call(context.get_executor(), svc, 5, asio::deferred);
    context.run();
    CHECK(future.get().value() == 3);
    CHECK_THROWS_AS(static_cast<void>(broken.get()), std::runtime_error);
    context.restart();
    int got = 0;
    std::move(operation)([&](std::exception_ptr, weir::result<int> r) { got = r.value(); });
    context.run();
    CHECK(got == 6);
}

TEST_CASE("async_call: the call owns an rvalue request")
{
    struct request {
        explicit request(std::string t) : text(std::move(t)) {}
        std::string text;
    };
    asio::io_context context;
    counting gate;
    auto const handler = [](request const& r) -> awaitable<std::string> {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        co_return r.text;
    };
    weir::pipeline svc{std::ref(gate), handler};
    std::string got;
    weir::async_call(context.get_executor(), svc, request("a text that is too long for the small buffer"),
                     [&](std::exception_ptr, weir::result<std::string> r) { got = r.value(); });
    context.run();
    CHECK(got == "a text that is too long for the small buffer");
}

TEST_CASE("async_call: the token's cancellation slot cancels the call")
{
    asio::io_context context;
    counting gate;
    weir::pipeline svc{std::ref(gate), weir::timeout{1h}, for_ever};
    asio::cancellation_signal signal;
    weir::error got;
    weir::async_call(context.get_executor(), svc, 1,
                     asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, weir::result<int> r) {
                         CHECK(e == nullptr);
                         got = r.error();
                     }));
    context.poll();
    CHECK(gate.lent == 1);
    signal.emit(asio::cancellation_type::terminal);
    context.run();
    CHECK(got == weir::errc::cancelled);
    CHECK(gate.cancelled == 1);
}

TEST_CASE("async_call: a context destroyed while handlers wait for its timers takes every permit back")
{
    counting plain, limited, parked;
    {
        weir::bulkhead one{{.max_concurrent = 1, .max_wait = 1h}};
        weir::pipeline a{std::ref(plain), for_ever};
        weir::pipeline b{std::ref(limited), weir::timeout{1h}, for_ever};
        weir::pipeline c{std::ref(parked), weir::timeout{1h}, std::ref(one), for_ever};
        {
            asio::io_context context;
            auto const never_called = [](std::exception_ptr, weir::result<int>) { CHECK(false); };
            weir::async_call(context.get_executor(), a, 1, never_called);
            weir::async_call(context.get_executor(), b, 1, never_called);
            for (int i = 0; i < 3; ++i) weir::async_call(context.get_executor(), c, 1, never_called);
            context.poll();
            CHECK(one.stats().waiting == 2);
        }
        CHECK(one.stats().inside == 0);
        CHECK(one.stats().waiting == 0);
    }
    CHECK(plain.cancelled == 1);
    CHECK(limited.cancelled == 1);
    CHECK(parked.cancelled == 3);
}

TEST_CASE("async_call: many calls on strands of a context with two threads")
{
    asio::io_context context(2);
    counting outer, inner;
    weir::bulkhead places{{.max_concurrent = 3, .max_wait = 1h}};
    std::atomic<int> attempts{0}, done{0}, cancelled{0}, late{0};
    auto const handler = [&](int x) -> awaitable<weir::result<int>> {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        if (x % 3 == 0) {
            asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(x * 7 % 2'000));
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (++attempts % 5 == 0) co_return weir::errc::unavailable;
        co_return x;
    };
    weir::pipeline svc{std::ref(outer),    weir::retry<4>{{.base = 10us, .cap = 100us, .budget = {.floor_per_second = 1e6}, .seed = 1}},
                       weir::attempt_timeout{1ms}, std::ref(places),
                       std::ref(inner),    weir::idempotent{handler}};
    constexpr int calls = 600;
    struct caller {
        asio::strand<asio::io_context::executor_type> strand;
        asio::cancellation_signal signal;
    };
    std::vector<std::unique_ptr<caller>> callers;
    for (int i = 0; i < calls; ++i) {
        caller& mine = *callers.emplace_back(new caller{asio::make_strand(context), {}});
        asio::post(mine.strand, [&, i] {
            weir::async_call(mine.strand, svc, int(i), // the call is to own it
                             asio::bind_cancellation_slot(mine.signal.slot(), [&](std::exception_ptr e, weir::result<int> r) {
                                 CHECK(e == nullptr);
                                 ++done;
                                 if (r.has_error() && r.error() == weir::errc::cancelled) ++cancelled;
                                 if (r.has_error() && r.error() == weir::errc::deadline_exceeded) ++late;
                             }));
        });
        if (i % 4 == 0) asio::post(mine.strand, [&mine] { mine.signal.emit(asio::cancellation_type::terminal); });
    }
    std::thread other([&] { context.run(); });
    context.run();
    other.join();
    CHECK(done == calls);
    CHECK(outer.lent == calls);
    CHECK(outer.back == calls);
    CHECK(inner.lent == inner.back);
    CHECK(places.stats().inside == 0);
    CHECK(places.stats().waiting == 0);
    CHECK(cancelled <= calls / 4);
}
