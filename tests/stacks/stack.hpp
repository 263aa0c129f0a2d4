// SPDX-License-Identifier: BSL-1.0
//
// One random stack: the only part that is compiled for each.
#pragma once

#include "menu.hpp"
#include "trials.hpp"

#include <weir/asio.hpp>
#include <weir/asio/asynchronous.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>

#include <boost/asio/this_coro.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

namespace stacks {

/// What a handler does with a call: fails, throws, or goes on, in which case it is told how long to take.
template<class Outcome>
std::optional<Outcome> fails_at_once()
{
    here().point();
    switch (here().quiet ? 9 : here().draw(10)) {
    case 0: return Outcome(weir::errc::unavailable);
    case 1: return Outcome(weir::error(weir::errc::rate_limited, 20ms));
    case 2: return Outcome(weir::errc::not_found);
    case 3: throw planned{};
    default: return std::nullopt;
    }
}

/// Handlers behind `Depth` codecs.
template<int Depth>
struct cancelled_handler {
    asio::awaitable<weir::result<answer<Depth>>> operator()(question<Depth> const& q) const
    {
        using outcome = weir::result<answer<Depth>>;
        if (auto failed = fails_at_once<outcome>()) co_return std::move(*failed);
        switch (here().quiet ? 9 : here().draw(8)) {
        case 0: co_await sleep(1h); break; // hangs
        case 1:                            // is deaf
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            co_await sleep(here().some_time(), {});
            break;
        case 2: // makes the best of it
            try {
                co_await sleep(1h);
            } catch (boost::system::system_error const&) {
            }
            break;
        default:
            if (weir::duration const d = here().some_time(); d > 0ms) co_await sleep(d);
        }
        co_return answer<Depth>(q.key);
    }
};
template<int Depth>
struct binding_handler {
    asio::awaitable<weir::result<answer<Depth>>> operator()(question<Depth> const& q, weir::view<weir::cancellation> facts) const
    {
        using outcome = weir::result<answer<Depth>>;
        if (auto failed = fails_at_once<outcome>()) co_return std::move(*failed);
        if (here().trouble(4))
            co_await sleep(1h, facts.template get<weir::cancellation>().slot);
        else if (weir::duration const d = here().some_time(); d > 0ms)
            co_await sleep(d, facts.template get<weir::cancellation>().slot);
        co_return answer<Depth>(q.key);
    }
};
template<int Depth>
struct plain_handler {
    weir::result<answer<Depth>> operator()(question<Depth> const& q) const
    {
        if (auto failed = fails_at_once<weir::result<answer<Depth>>>()) return std::move(*failed);
        return answer<Depth>(q.key);
    }
};
template<int Depth>
struct wrapped_handler {
    static auto make() { return weir::asynchronous{weir::idempotent{plain_handler<Depth>{}}}; }
};
template<int Depth>
struct streaming_handler {
    asio::awaitable<weir::result<weir::held<answer<Depth>>>> operator()(question<Depth> const& q) const
    {
        using outcome = weir::result<weir::held<answer<Depth>>>;
        if (auto failed = fails_at_once<outcome>()) co_return std::move(*failed);
        if (weir::duration const d = here().some_time(); d > 0ms) co_await sleep(d);
        co_return weir::held(answer<Depth>(q.key));
    }
};

/// How a stack's handler is put into it.
template<template<int> class Handler, int Depth>
auto handler_of()
{
    if constexpr (requires { Handler<Depth>::make(); })
        return Handler<Depth>::make();
    else
        return weir::idempotent{Handler<Depth>{}};
}

template<bool Scoped, class Handler, class... Dishes, std::size_t... I>
auto compose(world& w, [[maybe_unused]] weir::scope& jobs, Handler handler, std::index_sequence<I...>)
{
    if constexpr (Scoped)
        return weir::pipeline{weir::timed_by{std::ref(*w.clock)}, weir::within{jobs}, Dishes::make(I)..., std::move(handler)};
    else
        return weir::pipeline{weir::timed_by{std::ref(*w.clock)}, Dishes::make(I)..., std::move(handler)};
}

template<bool Scoped, class Handler, class... Dishes>
class served final : public subject {
    static constexpr std::index_sequence_for<Dishes...> indices{};
    using pipeline_type = decltype(compose<Scoped, Handler, Dishes...>(std::declval<world&>(), std::declval<weir::scope&>(),
                                                                       std::declval<Handler>(), indices));
    using watched_type = weir::observed<pipeline_type, std::reference_wrapper<record>>;
    static constexpr bool is_asynchronous = weir::detail::shape<pipeline_type, question<0>>::is_asynchronous;

public:
    served(world& w, Handler handler) : pipeline_(compose<Scoped, Handler, Dishes...>(w, jobs, std::move(handler), indices)) {}

    asio::awaitable<void> ask([[maybe_unused]] int key, record& heard) override
    {
        if constexpr (is_asynchronous) {
            try {
                question<0> const asked(key);
                watched_type& watched = watch(heard);
                auto result = co_await watched(asked);
                heard.has_value = result.has_value();
                if (result.has_error()) heard.error = result.error().kind();
                if constexpr (weir::detail::streams<decltype(result)>)
                    if (result.has_value()) {
                        co_await sleep(here().some_time());
                        switch (here().quiet ? 0 : here().draw(3)) {
                        case 0: result->finish(); break;
                        case 1: result->finish(weir::error(weir::errc::upstream_failed)); break;
                        default: break; // broken off
                        }
                    }
            } catch (...) {
                heard.threw = true;
            }
        }
        co_return;
    }
    void ask_here([[maybe_unused]] int key, record& heard) override
    {
        if constexpr (!is_asynchronous) {
            try {
                question<0> const asked(key);
                auto const result = watch(heard)(asked);
                heard.has_value = result.has_value();
                if (result.has_error()) heard.error = result.error().kind();
            } catch (planned const&) {
                heard.threw = true;
            }
        }
        heard.is_over = true;
    }
    std::string complaint([[maybe_unused]] weir::time_point now) override
    {
        std::string found;
        if (jobs.size() != 0) found += "the scope has work; ";
        pipeline_.for_each([&](auto& policy, std::string_view) {
            if constexpr (requires { policy.stats().inside; })
                if (auto const s = policy.stats(); s.inside + s.waiting != 0) found += std::string(policy.name) + " is not empty; ";
            if constexpr (requires { policy.stats(now).probes_out; })
                if (policy.stats(now).probes_out != 0) found += "a breaker has lost a probe; ";
            if constexpr (requires { policy.is_idle(); })
                if (!policy.is_idle()) found += "a parking gate is not idle; ";
        });
        return found;
    }

    void wait_for_threads() override
    {
        pipeline_.for_each([](auto& policy, std::string_view) {
            if constexpr (requires { policy.pool()->stats().queued; }) {
                while (policy.pool()->stats().queued != 0) std::this_thread::yield();
                policy.close();
            }
        });
    }

private:
    watched_type& watch(record& heard)
    {
        std::scoped_lock const lock(mutex_);
        return watched_.emplace_back(pipeline_, std::ref(heard));
    }
    pipeline_type pipeline_;
    std::mutex mutex_;
    std::deque<watched_type> watched_;
};

template<bool Scoped, template<int> class Handler, int Depth, class... Dishes>
std::unique_ptr<subject> serve(world& w)
{
    auto handler = handler_of<Handler, Depth>();
    return std::make_unique<served<Scoped, decltype(handler), Dishes...>>(w, std::move(handler));
}

} // namespace stacks
