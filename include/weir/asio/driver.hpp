// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/cancellation.hpp>
#include <weir/asio/detail/recycled.hpp>
#include <weir/asio/detail/time_limit.hpp>
#include <weir/asio/detail/wait.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/core/detail/driver.hpp>
#include <weir/core/detail/late.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>

#include <concepts>
#include <exception>
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
            return run<Pipeline, inner>(p, std::move(request).release(), std::move(give));
        } else if constexpr (std::is_lvalue_reference_v<Request> && !detail::access<Pipeline>::rewrites)
            return run<Pipeline, plain const&>(p, request, std::move(give));
        else {
            if constexpr (!std::is_lvalue_reference_v<Request> && !detail::survives_co_await<plain>)
                static_cast<void>(sizeof(typename advice::temporary<
                                         plain>::is_destroyed_twice_by_this_compiler_in_a_co_await__name_it_first_or_pass_weir_owned));
            return run<Pipeline, plain>(p, std::forward<Request>(request), std::move(give));
        }
    }

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete" // g++ 12 -O1 sees through Asio's allocation of frames, but not through its release
#endif
    /// `Held` is the request itself or a reference to the caller's.
    template<class Pipeline, class Held, class Give>
    static auto run(Pipeline& p, Held request, Give give)
        -> boost::asio::awaitable<detail::answer_of<Give, Pipeline, std::remove_cvref_t<Held>>, Executor>
    {
        using see = detail::access<Pipeline>;
        using shape = detail::shape<Pipeline, std::remove_cvref_t<Held>>;
        using call_type = typename shape::call_type;
        using machine_type = detail::machine<typename see::policies_type, call_type, typename shape::outcome>;
        namespace this_coro = boost::asio::this_coro;
        constexpr bool may_wait = machine_type::may_sleep || machine_type::may_park || see::limits;

        // Made when they are needed: most calls neither wait nor fail.
        [[maybe_unused]] std::conditional_t<may_wait, detail::recycled<detail::wait>, pass> waiting;
        [[maybe_unused]] std::conditional_t<see::limits, detail::late<detail::time_limit<Executor>>, pass> limit;
        machine_type m(see::policies(p), request, see::clock(p), see::classifier(p));

        bool again = false;
        detail::act next = m.descend();
        while (next != detail::act::done) {
            if (next == detail::act::call) {
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
                try {
                    auto running = detail::invoke_handler(see::handler(p), static_cast<call_type&>(m));
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
                if constexpr (see::limits) {
                    if (!limit->end()) [[unlikely]] {
                        bool const throws = co_await this_coro::throw_if_cancelled();
                        co_await this_coro::throw_if_cancelled(false);
                        co_await limit->until_told(waiting.emplace());
                        waiting->finish();
                        co_await this_coro::throw_if_cancelled(throws);
                    }
                }
                if (!m.outcome().has_value()) [[unlikely]] {
                    boost::asio::cancellation_state const cancelling = co_await this_coro::cancellation_state;
                    if (cancelling.cancelled() != boost::asio::cancellation_type::none) {
                        m.cancel();
                        break;
                    }
                    if constexpr (see::limits)
                        if (limit->passed()) m.fails(detail::out_of_time(static_cast<call_type&>(m)));
                }
                m.back();
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
            next = next == detail::act::again ? m.descend_on() : m.ascend_on();
        }
        co_return give.template operator()<detail::answer_of<Give, Pipeline, std::remove_cvref_t<Held>>>(m);
    }
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
};

} // namespace weir::inline v0
