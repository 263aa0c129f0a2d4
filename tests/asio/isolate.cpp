// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/isolate.hpp>

#include <weir/asio.hpp>
#include <weir/asio/asynchronous.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/timeout.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <thread>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

struct counting_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "counting_gate";
    std::atomic<int>* out;
    weir::admission<> admit(auto&)
    {
        ++*out;
        return weir::admitted;
    }
    void settle(weir::pass, auto const&, auto&) { --*out; }
    void cancel(weir::pass) noexcept { --*out; }
};

/// Runs a coroutine on a context of its own; what it throws comes out.
template<class F>
void run(F& f)
{
    asio::io_context context(1);
    std::exception_ptr thrown;
    asio::co_spawn(context, f(), [&](std::exception_ptr e) { thrown = e; });
    context.run();
    if (thrown != nullptr) std::rethrow_exception(thrown);
}

} // namespace

TEST_CASE("isolate: a blocking handler of an asynchronous pipeline runs on another thread")
{
    std::thread::id inside{};
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, weir::asynchronous{[&](int x) {
                           inside = std::this_thread::get_id();
                           if (x < 0) throw std::runtime_error("negative");
                           return x + 1;
                       }}};
    auto const caller = [&]() -> asio::awaitable<void> {
        int x = 1;
        CHECK((co_await svc(x)).value() == 2);
        CHECK(inside != std::this_thread::get_id());
        x = -1;
        auto const reply = co_await svc.call(x);
        CHECK(reply.result().error() == weir::errc::handler_threw);
        CHECK(reply.thrown() != nullptr);
    };
    run(caller);
}

TEST_CASE("isolate: the deadline releases the caller of a blocking handler, and what comes of it later is dropped")
{
    std::counting_semaphore<> open{0};
    weir::pipeline svc{weir::timeout{2ms}, weir::isolate{{.core_size = 1}}, weir::asynchronous{[&](int x) {
                           open.acquire();
                           return x;
                       }}};
    auto const caller = [&]() -> asio::awaitable<void> {
        int const x = 1;
        auto const late = co_await svc(x);
        CHECK(late.error() == weir::errc::deadline_exceeded);
        CHECK(late.error().policy() == 0);
    };
    run(caller);
    open.release();
    svc.get<weir::isolate>().pool()->drain();
    auto const stats = svc.get<weir::isolate>().stats();
    CHECK(stats.left_behind + stats.expired + stats.abandoned == 1); // its thread may have come too late
}

TEST_CASE("isolate: a coroutine runs on its thread's context, with its own timers, and is cancelled when its call leaves")
{
    std::atomic<int> cancelled{0}, out{0};
    weir::pipeline svc{weir::timeout{20ms}, weir::isolate{{.core_size = 1}}, counting_gate{&out}, [&](int x) -> asio::awaitable<int> {
                           asio::steady_timer timer(co_await asio::this_coro::executor, x == 0 ? asio::steady_timer::duration(1ms) : 1h);
                           try {
                               co_await timer.async_wait(asio::use_awaitable);
                           } catch (...) {
                               ++cancelled;
                               throw;
                           }
                           co_return x + 7;
                       }};
    auto const caller = [&]() -> asio::awaitable<void> {
        int x = 1;
        CHECK((co_await svc(x)).error() == weir::errc::deadline_exceeded);
    };
    run(caller);
    svc.get<weir::isolate>().pool()->drain();
    auto const stats = svc.get<weir::isolate>().stats();
    CHECK(stats.left_behind + stats.expired + stats.abandoned == 1);
    CHECK(stats.left_behind == static_cast<std::uint64_t>(cancelled.load()));
    CHECK(out == 0);
    weir::pipeline quick{weir::isolate{{.core_size = 1}}, counting_gate{&out}, [&](int x) -> asio::awaitable<int> {
                             asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
                             co_await timer.async_wait(asio::use_awaitable);
                             co_return x + 7;
                         }};
    auto const patient = [&]() -> asio::awaitable<void> {
        int const x = 0;
        CHECK((co_await quick(x)).value() == 7);
    };
    run(patient);
    CHECK(out == 0);
}

TEST_CASE("isolate: a call that is cancelled, or destroyed with its context, while it waits for a thread never runs")
{
    std::counting_semaphore<> entered{0}, open{0};
    std::atomic<int> ran{0}, out{0};
    auto const pool = std::make_shared<weir::worker_pool>(weir::worker_pool_options{.core_size = 1, .max_queue = 4});
    weir::pipeline blocking{weir::isolate{pool}, [&](int x) {
                                entered.release();
                                open.acquire();
                                return x;
                            }};
    weir::pipeline svc{counting_gate{&out}, weir::isolate{pool}, weir::asynchronous{[&](int x) {
                           ++ran;
                           return x;
                       }}};
    std::thread holder([&] { CHECK(blocking(1).value() == 1); });
    entered.acquire();
    auto const caller = [&]() -> asio::awaitable<void> {
        int const x = 1;
        auto const r = co_await svc(x);
        CHECK(r.error() == weir::errc::cancelled);
    };
    {
        asio::io_context context(1);
        asio::cancellation_signal signal;
        asio::co_spawn(context, caller(), asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
        context.poll();
        CHECK(pool->stats().queued == 1);
        CHECK(out == 1);
        signal.emit(asio::cancellation_type::terminal);
        context.run();
        CHECK(pool->stats().queued == 0);
        CHECK(out == 0);
    }
    {
        asio::io_context context(1);
        asio::co_spawn(context, caller(), [](std::exception_ptr) {});
        context.poll();
        CHECK(pool->stats().queued == 1);
    }
    CHECK(pool->stats().queued == 0);
    CHECK(out == 0);
    open.release();
    holder.join();
    pool->drain();
    CHECK(ran == 0);
    CHECK(svc.get<weir::isolate>().stats().abandoned == 2);
}

TEST_CASE("isolate: callers on several contexts, cancelled, timed out and destroyed, leave nothing behind")
{
    std::atomic<int> outer{0}, inner{0};
    auto const pool = std::make_shared<weir::worker_pool>(weir::worker_pool_options{.core_size = 2, .max_queue = 6});
    std::uint64_t const rounds = 150, each = 8;
    std::atomic<std::uint64_t> begun{0};
    std::mutex keeping;
    struct round_of_calls {
        std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
        asio::io_context context{1};
    };
    std::vector<std::unique_ptr<round_of_calls>> stopped; // destroyed when the pool wakes nobody any more
    {
        weir::pipeline blocking{counting_gate{&outer}, weir::timeout{300us}, weir::isolate{pool}, counting_gate{&inner},
                                weir::asynchronous{[&](int x) {
                                    for (int i = 0; i < x % 50; ++i) std::this_thread::yield();
                                    if (x % 9 == 0) throw std::runtime_error("nine");
                                    return x;
                                }}};
        weir::pipeline waiting{counting_gate{&outer}, weir::timeout{300us}, weir::isolate{pool}, counting_gate{&inner},
                               [&](int x) -> asio::awaitable<int> {
                                   asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(x % 600));
                                   co_await timer.async_wait(asio::use_awaitable);
                                   co_return x;
                               }};
        auto const call_blocking = [&](int x) -> asio::awaitable<void> {
            ++begun;
            static_cast<void>(co_await blocking.call(x));
        };
        auto const call_waiting = [&](int x) -> asio::awaitable<void> {
            ++begun;
            static_cast<void>(co_await waiting.call(x));
        };
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < 3; ++t)
            threads.emplace_back([&, t] {
                std::mt19937 random(t);
                for (std::uint64_t r = 0; r < rounds; ++r) {
                    auto own = std::make_unique<round_of_calls>();
                    auto& [signals, context] = *own;
                    for (std::uint64_t i = 0; i < each; ++i) {
                        auto& signal = *signals.emplace_back(std::make_unique<asio::cancellation_signal>());
                        int const x = static_cast<int>(random() % 1'000);
                        auto work = random() % 2 == 0 ? call_blocking(x) : call_waiting(x);
                        asio::co_spawn(context, std::move(work), asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
                    }
                    switch (random() % 3) {
                    case 0: context.run(); break;
                    case 1:
                        context.poll();
                        for (auto& s : signals) s->emit(asio::cancellation_type::terminal);
                        context.run();
                        break;
                    default:
                        for (auto steps = random() % 30; steps != 0 && context.poll_one() != 0; --steps) {}
                        std::lock_guard const lock(keeping);
                        stopped.push_back(std::move(own));
                    }
                }
            });
        for (auto& t : threads) t.join();
        CHECK(pool->drain());
        stopped.clear();
        CHECK(outer == 0);
        auto const a = blocking.get<weir::isolate>().stats(), b = waiting.get<weir::isolate>().stats();
        CHECK(a.active == 0);
        CHECK(a.queued == 0);
        auto const all = [](auto const& s) { return s.returned + s.left_behind + s.expired + s.abandoned + s.refused; };
        CHECK(all(a) + all(b) == begun);
    }
    CHECK(inner == 0);
}
