// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/cancellation.hpp>
#include <weir/asio/detail/errand.hpp>
#include <weir/asio/detail/fork.hpp>
#include <weir/asio/detail/recycled.hpp>
#include <weir/asio/detail/time_limit.hpp>
#include <weir/asio/detail/wait.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/core/detail/driver.hpp>
#include <weir/core/detail/late.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

template<class T, class Executor>
struct awaitable_traits<boost::asio::awaitable<T, Executor>> {
    static constexpr bool is_awaitable = true;
    using value_type = T;
};

namespace detail {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
template<class T>
constexpr bool survives_co_await = !std::is_aggregate_v<T> || std::is_trivially_destructible_v<T>;
#else
template<class T>
constexpr bool survives_co_await = true;
#endif

/// What came of a decision that was awaited in time.
struct kept_decision {
    std::exception_ptr thrown{};
    void keep() const noexcept {}
    void threw(std::exception_ptr exception) noexcept { thrown = std::move(exception); }
};

/// A machine begins as it is made.
struct begin_plainly {
    void operator()(auto&) const noexcept {}
};

} // namespace detail

namespace advice {
template<class Request>
struct temporary {
    struct is_destroyed_twice_by_this_compiler_in_a_co_await__name_it_first_or_pass_weir_owned;
};
} // namespace advice

/// The asynchronous driver: one coroutine, with one frame, for all policies of a call. Everything a call does runs on the executor of
/// the coroutine that awaits it, which has to be serial: a context with one thread, or a strand.
template<class T, class Executor>
struct driver_for<boost::asio::awaitable<T, Executor>> {
    template<class Pipeline, class Request, class Give>
    static auto drive(Pipeline& p, Request&& request, Give give)
    {
        using plain = std::remove_cvref_t<Request>;
        if constexpr (detail::is_owned<plain>) {
            using inner = std::remove_cvref_t<decltype(std::move(request).release())>;
            return start<inner>(p, std::move(request).release(), std::move(give));
        } else if constexpr (std::is_lvalue_reference_v<Request> && !detail::access<Pipeline>::rewrites)
            return start<plain const&>(p, request, std::move(give));
        else {
            if constexpr (!std::is_lvalue_reference_v<Request> && !detail::survives_co_await<plain>)
                static_cast<void>(sizeof(typename advice::temporary<
                                         plain>::is_destroyed_twice_by_this_compiler_in_a_co_await__name_it_first_or_pass_weir_owned));
            return start<plain>(p, std::forward<Request>(request), std::move(give));
        }
    }
    /// `Held` is the request itself or a reference to the caller's; `begin(m)` may prepare the machine.
    template<class Held, class Pipeline, class Give, class Begin = detail::begin_plainly>
    static auto start(Pipeline& p, Held request, Give give, Begin begin = {})
    {
        return run<Pipeline, Held>(p, static_cast<Held&&>(request), std::move(give), std::move(begin));
    }

    /// Runs an errand to its end on this thread, as a coroutine on a context of the thread's own.
    template<class Errand>
    static void run_errand(Errand& errand)
    {
        using request_type = std::remove_reference_t<decltype(errand.request())>;
        auto& context = detail::context_of_thread();
        auto const guard = boost::asio::make_work_guard(context);
        auto const inside = std::make_shared<detail::cancellable_work<Executor>>(Executor(context.get_executor()));
        bool ended = false;
        if (!errand.runs_as(inside.get())) inside->cancel(); // its call left just now
        boost::asio::co_spawn(inside->executor(),
                              start<request_type&>(errand.what(), errand.request(), detail::give_errand<Errand>{errand},
                                                   detail::begin_errand<Errand>{errand}),
                              boost::asio::bind_cancellation_slot(inside->slot(), [&](std::exception_ptr thrown) {
                                  if (thrown != nullptr) errand.threw(std::move(thrown));
                                  ended = true;
                              }));
        context.restart();
        while (!ended) context.run_one();
        errand.runs_as(nullptr);
    }
    /// Runs what errands have begun and left to itself.
    static void run_rest() noexcept
    {
        auto& context = detail::context_of_thread();
        context.restart();
        context.run();
    }

private:
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"     // frames of errands are made where no function of the user's file asks for them
#pragma GCC diagnostic ignored "-Wmismatched-new-delete" // g++ 12 -O1 sees through Asio's allocation of frames, but not through its release
#endif
    template<class Pipeline, class Held, class Give, class Begin>
    static auto run(Pipeline& p, Held request, Give give, [[maybe_unused]] Begin begin)
        -> boost::asio::awaitable<detail::answer_of<Give, Pipeline, std::remove_cvref_t<Held>>, Executor>
    {
        using see = detail::access<Pipeline>;
        using shape = detail::shape<Pipeline, std::remove_cvref_t<Held>>;
        using machine_type = typename shape::machine_type;
        namespace this_coro = boost::asio::this_coro;
        constexpr bool may_wait = machine_type::may_sleep || machine_type::may_park || see::limits;
        constexpr bool may_decide = machine_type::deciding::size() != 0;
        constexpr bool may_finish = machine_type::finishing::size() != 0;

        // Made when they are needed: most calls neither wait nor fail.
        [[maybe_unused]] std::conditional_t<may_wait, detail::recycled<detail::wait>, pass> waiting;
        [[maybe_unused]] std::conditional_t<see::limits, detail::late<detail::time_limit<Executor>>, pass> limit;
        machine_type m(see::policies(p), request, see::clock(p), see::classifier(p), see::observer(p));
        begin(m);

        bool again = false;
        detail::act next = m.descend();
        while (next != detail::act::done) {
            if (next == detail::act::call) {
                if constexpr (!awaitable<typename shape::returned>)
                    m.handle([&]() -> decltype(auto) { return detail::invoke_handler(see::handler(p), m.handlers_call()); });
                else {
                    m.leave_alone(next);
                    if constexpr (see::limits) {
                        if (!again) limit.emplace(co_await this_coro::executor);
                        boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
                        limit->begin(m.now(), m.deadline().at, cancelling.slot());
                        if constexpr (shape::binds_cancellation) m.set(cancellation{limit->slot()});
                    } else if constexpr (shape::binds_cancellation) {
                        boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
                        m.set(cancellation{cancelling.slot()});
                    }
                    m.calls();
                    try {
                        auto running = detail::invoke_handler(see::handler(p), m.handlers_call());
                        if constexpr (see::limits && !shape::binds_cancellation)
                            co_await limit->run(running, m);
                        else if constexpr (std::is_void_v<T>) {
                            co_await std::move(running);
                            m.keep();
                        } else
                            m.keep(co_await std::move(running));
                    } catch (...) {
                        m.threw(std::current_exception());
                    }
                    m.has_returned();
                    if constexpr (see::limits) {
                        if (!limit->end()) [[unlikely]] {
                            bool const throws = co_await this_coro::throw_if_cancelled();
                            co_await this_coro::throw_if_cancelled(false); // to await it, of a call that is cancelled, would throw
                            co_await limit->hear(throws);
                        }
                    }
                    if (!m.handlers_outcome().has_value()) [[unlikely]] {
                        boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
                        if (cancelling.cancelled() != boost::asio::cancellation_type::none) {
                            m.cancel();
                            break;
                        }
                        if constexpr (see::limits)
                            if (limit->passed()) m.fails(detail::out_of_time(m.handlers_call()));
                    }
                    m.back();
                }
                next = again ? m.returned() : m.ascend();
                again = true;
                continue;
            }
            if constexpr (may_wait) {
                if (next == detail::act::sleep || next == detail::act::park) {
                    m.leave_alone(next);
                    boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
                    if (cancelling.cancelled() != boost::asio::cancellation_type::none) {
                        m.cancel();
                        break;
                    }
                    bool const asleep = next == detail::act::sleep;
                    time_point const now = m.now();
                    co_await waiting.emplace()(asleep ? nullptr : &m.parked(), now, asleep ? after(now, m.delay()) : m.until());
                    cancelling.slot().clear();
                    detail::wait_end const end = waiting->finish();
                    if (end == detail::wait_end::cancelled) {
                        m.cancel();
                        break;
                    }
                    m.back();
                    next = asleep ? detail::act::again : m.woken(end == detail::wait_end::woken);
                    continue;
                }
            }
            if constexpr (may_decide || may_finish) {
                if (next == detail::act::decide || next == detail::act::finish) {
                    m.leave_alone(next);
                    std::exception_ptr thrown;
                    try {
                        if (next == detail::act::decide) {
                            if constexpr (may_decide && see::limits)
                                next = co_await decide_in_time(m);
                            else if constexpr (machine_type::deciding::size() > 1)
                                co_await decide_any(m, next);
                            else if constexpr (may_decide) // the common way, without a frame of our own
                                next = m.template decided<machine_type::first_deciding>(
                                    co_await m.template decide<machine_type::first_deciding>());
                        } else if constexpr (may_finish) {
                            co_await finish_any(m);
                            next = m.finished();
                        }
                    } catch (...) {
                        thrown = std::current_exception();
                    }
                    if (thrown != nullptr) {
                        boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
                        if (cancelling.cancelled() == boost::asio::cancellation_type::none) std::rethrow_exception(thrown);
                        m.cancel();
                        break;
                    }
                    m.back();
                    continue;
                }
            }
            if constexpr (machine_type::sending::size() != 0) {
                if (next == detail::act::send) {
                    m.leave_alone(next);
                    next = detail::send_any(p, m);
                    m.back();
                    continue;
                }
            }
            if constexpr (machine_type::splitting::size() != 0) {
                if (next == detail::act::fork) {
                    Executor executor = co_await this_coro::executor;
                    m.leave_alone(next); // what the fork takes along is copied, and may throw
                    next = detail::fork_any<driver_for>(p, m, std::move(executor));
                    m.back();
                    continue;
                }
            }
            next = next == detail::act::again ? m.descend_on() : m.ascend_on();
        }
        m.ends();
        co_return give.template operator()<detail::answer_of<Give, Pipeline, std::remove_cvref_t<Held>>>(m);
    }

    /// The decision of the policy at `Index`. The machine has the permit as soon as it is lent: nothing that is cancelled or destroyed
    /// later loses it.
    template<std::size_t Index, class Machine>
    static boost::asio::awaitable<void, Executor> decide(Machine& m, detail::act& next)
    {
        next = m.template decided<Index>(co_await m.template decide<Index>());
    }
    // No fold over co_await: g++ 12 evaluates what it should not.
    template<class Machine>
    static boost::asio::awaitable<void, Executor> decide_any(Machine& m, detail::act& next)
    {
        boost::asio::awaitable<void, Executor> asking;
        detail::at_place(typename Machine::deciding(), m.at(), [&](auto index) { asking = decide<index>(m, next); });
        return asking;
    }
    /// The same, cancelled when the call's deadline passes.
    template<class Machine>
    static boost::asio::awaitable<detail::act, Executor> decide_in_time(Machine& m)
    {
        namespace this_coro = boost::asio::this_coro;
        detail::time_limit<Executor> limit(co_await this_coro::executor);
        boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
        limit.begin(m.now(), m.deadline().at, cancelling.slot());
        detail::act next{};
        detail::kept_decision result;
        auto asking = decide_any(m, next);
        co_await limit.run(asking, result);
        if (!limit.end()) [[unlikely]] {
            bool const throws = co_await this_coro::throw_if_cancelled();
            co_await this_coro::throw_if_cancelled(false);
            co_await limit.hear(throws);
        }
        if (result.thrown == nullptr) co_return next;
        if (limit.passed()) co_return m.refused(detail::out_of_time(m));
        std::rethrow_exception(result.thrown);
    }
    template<class Machine>
    static boost::asio::awaitable<void, Executor> finish_any(Machine& m)
    {
        boost::asio::awaitable<void, Executor> telling;
        detail::at_place(typename Machine::finishing(), m.at(), [&](auto index) { telling = finish<index>(m); });
        return telling;
    }
    template<std::size_t Index, class Machine>
    static boost::asio::awaitable<void, Executor> finish(Machine& m)
    {
        if constexpr (std::is_void_v<detail::awaited_t<decltype(m.template finish<Index>())>>)
            return m.template finish<Index>();
        else
            return finish_into<Index>(m);
    }
    template<std::size_t Index, class Machine>
    static boost::asio::awaitable<void, Executor> finish_into(Machine& m)
    {
        m.template finished_with<Index>(co_await m.template finish<Index>());
    }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
};

} // namespace weir::inline v0
