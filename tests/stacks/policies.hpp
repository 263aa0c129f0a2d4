// SPDX-License-Identifier: BSL-1.0
//
// A test policy of each contract. Each keeps its books, and throws at its points.
#pragma once

#include "world.hpp"

#include <weir/core/contracts.hpp>
#include <weir/core/held.hpp>
#include <weir/core/park.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stacks {

/// A gate that knows each permit that it lent.
template<class... Traits>
struct strict {
    using role = weir::gate;
    using traits = weir::traits<Traits...>;
    static constexpr std::string_view name = "strict";
    std::size_t place;

    auto admit(auto&) -> weir::admission<std::uint64_t>
    {
        here().point();
        if (here().trouble(12)) return weir::error(weir::errc::overloaded);
        return here().books[place].lend();
    }
    void settle(std::uint64_t permit, auto const&, auto&)
    {
        here().books[place].back(permit);
        here().point();
    }
    void cancel(std::uint64_t permit) noexcept { here().books[place].back(permit); }
};

/// A gate that remembers nothing.
struct plain_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "plain_gate";
    weir::admission<> admit(auto&)
    {
        here().point();
        if (here().trouble(20)) return weir::errc::forbidden;
        return weir::admitted;
    }
};

/// A gate with one place, for which calls wait.
class parking {
public:
    using role = weir::gate;
    using traits = weir::traits<weir::waits>;
    static constexpr std::string_view name = "parking";

    explicit parking(std::size_t place) : place_(place), state_(std::make_unique<state>()) {}

    auto admit(auto& call, weir::waiter& w) -> weir::admission<std::uint64_t>
    {
        here().point();
        std::scoped_lock const lock(state_->mutex);
        if (!state_->taken) {
            state_->taken = true;
            return here().books[place_].lend();
        }
        if (state_->waiting.size() >= 4) return weir::errc::bulkhead_full;
        state_->waiting.push_back(w);
        return weir::park_until{weir::after(call.now(), 30ms)};
    }
    auto resume(auto&, weir::waiter&) -> weir::admission<std::uint64_t>
    {
        try {
            here().point();
        } catch (...) {
            leave();
            throw;
        }
        return here().books[place_].lend();
    }
    bool abandon(weir::waiter& w) noexcept
    {
        std::scoped_lock const lock(state_->mutex);
        return state_->waiting.remove(w);
    }
    void decline(weir::waiter&) noexcept { leave(); }
    weir::error gave_up() noexcept { return weir::errc::bulkhead_full; }
    void settle(std::uint64_t permit, auto const&, auto&)
    {
        cancel(permit);
        here().point();
    }
    void cancel(std::uint64_t permit) noexcept
    {
        here().books[place_].back(permit);
        leave();
    }
    [[nodiscard]] bool is_idle() const noexcept { return !state_->taken && state_->waiting.empty(); }

private:
    struct state {
        std::mutex mutex;
        weir::waiter_list waiting;
        bool taken = false;
    };
    void leave() noexcept
    {
        std::scoped_lock const lock(state_->mutex);
        if (weir::waiter* const next = state_->waiting.pop_front())
            next->wake();
        else
            state_->taken = false;
    }
    std::size_t place_;
    std::unique_ptr<state> state_;
};

/// A gate that asks another machine, and tells it.
template<bool Tells>
struct remote_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "remote_gate";
    std::size_t place;

    weir::admission<std::uint64_t> admit(auto&)
    {
        here().point();
        if (!here().quiet && here().draw(2) == 0) return weir::pending;
        return here().books[place].lend();
    }
    asio::awaitable<weir::admission<std::uint64_t>> admit_later(auto&)
    {
        here().point();
        co_await sleep(here().some_time());
        here().point();
        if (here().trouble(6)) co_return weir::error(weir::errc::rate_limited, 10ms);
        co_return here().books[place].lend();
    }
    weir::settlement settle(std::uint64_t permit, auto const&, auto&) requires Tells
    {
        here().books[place].back(permit);
        here().point();
        return here().draw(2) == 0 ? weir::settlement::at_once : weir::settlement::later;
    }
    asio::awaitable<void> settle_later(std::uint64_t, auto const&, auto&) requires Tells
    {
        co_await sleep(here().some_time());
        here().point();
    }
    void settle(std::uint64_t permit, auto const&, auto&) requires(!Tells)
    {
        here().books[place].back(permit);
        here().point();
    }
    void cancel(std::uint64_t permit) noexcept { here().books[place].back(permit); }
};

/// A source that answers now and then, at once or later.
template<bool Later>
struct guess {
    using role = weir::source;
    using traits = weir::traits<weir::may_answer_alone>;
    static constexpr std::string_view name = "guess";
    struct token {
        guarded mine{};
    };
    weir::lookup look_up(auto& call, token&, auto& outcome)
    {
        here().point();
        if (Later && !here().quiet && here().draw(2) == 0) return weir::lookup::later;
        return answers(call, outcome);
    }
    asio::awaitable<weir::lookup> look_up_later(auto& call, token&, auto& outcome) requires Later
    {
        co_await sleep(here().some_time());
        here().point();
        co_return answers(call, outcome);
    }
    void learn(auto&, token&, auto&) { here().point(); }

private:
    static weir::lookup answers(auto& call, auto& outcome)
    {
        if (!here().trouble(8)) return weir::lookup::missed;
        if (here().draw(2) == 0)
            outcome = weir::error(weir::errc::not_found);
        else
            outcome = typename std::remove_reference_t<decltype(outcome)>::value_type(call.request().key);
        return weir::lookup::answered;
    }
};

/// A source that makes an answer of some errors.
struct mender {
    using role = weir::source;
    using traits = weir::traits<weir::hides_failures>;
    static constexpr std::string_view name = "mender";
    struct token {
        guarded mine{};
    };
    void learn(auto& call, token&, auto& outcome)
    {
        here().point();
        if (outcome.has_error() && here().trouble(2))
            outcome = typename std::remove_reference_t<decltype(outcome)>::value_type(call.request().key);
    }
};

/// A source that answers with what it has, and fetches something newer behind the caller's back.
class refreshing {
public:
    using role = weir::source;
    using traits = weir::traits<weir::may_answer_alone>;
    static constexpr std::string_view name = "refreshing";
    struct token {
        guarded mine{};
        bool stale = false;
    };
    explicit refreshing() : state_(std::make_unique<state>()) {}
    weir::lookup look_up(auto&, token& t, auto& outcome)
    {
        here().point();
        std::scoped_lock const lock(state_->mutex);
        if (!state_->value || here().quiet) return weir::lookup::missed;
        outcome = typename std::remove_reference_t<decltype(outcome)>::value_type(*state_->value);
        t.stale = here().draw(2) == 0;
        return weir::lookup::answered;
    }
    [[nodiscard]] weir::split splits(token& t) const noexcept { return t.stale ? weir::split::and_go_on : weir::split::none; }
    void fork(token&, token&) { here().point(); }
    void learn(auto&, token&, auto& outcome)
    {
        here().point();
        std::scoped_lock const lock(state_->mutex);
        if (outcome.has_value()) state_->value = outcome->value;
    }

private:
    struct state {
        std::mutex mutex;
        std::optional<int> value;
    };
    std::unique_ptr<state> state_;
};

/// A loop that tries again.
struct again_and_again {
    using role = weir::loop;
    using traits = weir::traits<weir::repeats_the_call, weir::waits>;
    static constexpr std::string_view name = "again_and_again";
    static constexpr std::uint32_t max_attempts = 3;
    struct plan {
        guarded mine{};
        std::uint32_t attempts = 1;
    };
    weir::admission<> begin(auto&, plan&)
    {
        here().point();
        if (here().trouble(3)) return weir::sleep_for{here().some_time()};
        return weir::admitted;
    }
    weir::next_step after(auto&, plan& p, auto& outcome)
    {
        here().point();
        if (outcome.has_value() || p.attempts == max_attempts) return weir::done;
        ++p.attempts;
        return weir::again(here().some_time());
    }
};

struct stamp {
    using role = weir::transform;
    static constexpr std::string_view name = "stamp";
    weir::admission<> down(auto&)
    {
        here().point();
        if (here().trouble(20)) return weir::errc::invalid_request;
        return weir::admitted;
    }
    void up(auto&, auto&) { here().point(); }
};
struct remote_stamp {
    using role = weir::transform;
    static constexpr std::string_view name = "remote_stamp";
    weir::admission<> down(auto&)
    {
        if (here().draw(2) == 0) return weir::pending;
        return weir::admitted;
    }
    asio::awaitable<weir::admission<>> down_later(auto&)
    {
        co_await sleep(here().some_time());
        here().point();
        if (here().trouble(12)) co_return weir::errc::invalid_request;
        co_return weir::admitted;
    }
};
/// Changes the request, its body too.
struct rewriter {
    using role = weir::transform;
    using traits = weir::traits<weir::rewrites_request, weir::rewrites_body>;
    static constexpr std::string_view name = "rewriter";
    weir::admission<> down(auto& call)
    {
        here().point();
        call.request().text += '!';
        return weir::admitted;
    }
};

/// Questions of one depth to those of the next, and answers back.
template<int Depth>
struct translation {
    using role = weir::codec;
    static constexpr std::string_view name = "translation";
    using inner_request = question<Depth + 1>;
    template<class Value>
    struct outer {
        using type = answer<Depth>;
    };
    template<class Value>
    struct outer<weir::held<Value>> {
        using type = weir::held<answer<Depth>>;
    };
    template<class Value>
    using outer_value = typename outer<Value>::type;

    weir::admission<> decode(auto& call, inner_request& into)
    {
        here().point();
        if (here().trouble(20)) return weir::errc::invalid_request;
        into.key = call.request().key;
        into.text = call.request().text;
        return weir::admitted;
    }
    template<class Value>
    weir::result<outer_value<Value>> encode(auto&, Value&& value)
    {
        here().point();
        if (here().trouble(20)) return weir::errc::invalid_request;
        if constexpr (requires { value->value; })
            return std::move(value).with(answer<Depth>(value->value));
        else
            return answer<Depth>(value.value);
    }
};

struct tenant {
    std::string name{};
};
struct names_tenant {
    using role = weir::gate;
    using provides = weir::facets<tenant>;
    using traits = weir::traits<weir::establishes_identity>;
    static constexpr std::string_view name = "names_tenant";
    weir::admission<> admit(auto& call)
    {
        here().point();
        if (here().trouble(20)) return weir::errc::unauthenticated;
        call.set(tenant{"a tenant whose name is not short, number " + std::to_string(call.request().key)});
        return weir::admitted;
    }
};
struct reads_tenant {
    using role = weir::gate;
    using needs = weir::facets<tenant>;
    static constexpr std::string_view name = "reads_tenant";
    weir::admission<> admit(auto& call)
    {
        here().point();
        if (!call.template get<tenant>().name.ends_with(std::to_string(call.request().key))) std::terminate();
        return weir::admitted;
    }
};

} // namespace stacks
