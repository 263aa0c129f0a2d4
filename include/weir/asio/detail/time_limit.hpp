// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/posted.hpp>
#include <weir/asio/detail/wait.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/core/awaitable.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// The deadline of one run of a handler: when it passes, the handler is cancelled through a signal of its own. Used on the call's
/// executor; lies in the coroutine's frame.
template<class Executor>
class time_limit : private wheel_entry {
public:
    explicit time_limit(Executor executor) : executor_(std::move(executor)), wheel_(wheel_of(executor_)) { expire = &passed; }
    time_limit(time_limit const&) = delete;
    time_limit& operator=(time_limit const&) = delete;
    ~time_limit()
    {
        if (armed_) wheel_.disarm(*this); // the coroutine is destroyed while the handler runs
    }

    [[nodiscard]] boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    /// Cancels the handler, now.
    void cancel() { signal_.emit(boost::asio::cancellation_type::terminal); }

    /// The handler begins. Its parent's cancellation is passed on: a slot of one's own cuts it off.
    void begin(time_point now, time_point until, boost::asio::cancellation_slot parent)
    {
        passed_ = told_ = false;
        waiting_ = nullptr;
        parent_ = parent;
        if (parent.is_connected()) parent.assign([this](boost::asio::cancellation_type) { cancel(); });
        armed_ = until != never;
        if (armed_) wheel_.arm(*this, now, until);
    }
    /// Runs the handler as a coroutine of its own, so that all its operations see our signal and nothing else does, and gives `machine`
    /// what it returns or throws. Both stay where they are until then.
    template<class Handler, class Machine>
    [[nodiscard]] auto run(Handler& handler, Machine& machine)
    {
        return boost::asio::async_initiate<boost::asio::deferred_t const, void()>(spawning<Handler, Machine>{this, &handler, &machine},
                                                                                  boost::asio::deferred);
    }
    /// The handler has ended. False if the news of a deadline that passed is still on its way: then wait for it, `hear`.
    [[nodiscard]] bool end() noexcept
    {
        parent_.clear();
        if (!armed_) return true;
        armed_ = false;
        return wheel_.disarm(*this) || told_;
    }
    /// Whether the handler was cancelled because its time was up.
    [[nodiscard]] bool passed() const noexcept { return passed_; }
    /// A deadline passed just when what it limits has ended: the news of it has to come before the limit is gone. Awaited by a coroutine
    /// that does not throw if it is cancelled; afterwards it does again, if it did.
    [[nodiscard]] boost::asio::awaitable<void, Executor> hear(bool throws)
    {
        wait waiting;
        waiting_ = &waiting;
        co_await waiting(nullptr, {}, never);
        waiting.finish();
        co_await boost::asio::this_coro::throw_if_cancelled(throws);
    }

private:
    template<class Machine, class Completion>
    struct ended {
        Machine* machine;
        Completion completion;
        template<class... Value>
        void operator()(std::exception_ptr thrown, Value&&... value)
        {
            if (thrown != nullptr)
                machine->threw(std::move(thrown));
            else
                machine->keep(std::forward<Value>(value)...);
            std::move(completion)();
        }
    };
    /// The handler within a coroutine that keeps what comes of it.
    template<class Handler, class Machine>
    static boost::asio::awaitable<void, Executor> keeping(Handler& handler, Machine& machine)
    {
        machine.keep(co_await std::move(handler));
    }
    template<class Machine, class Completion>
    struct has_kept {
        Machine* machine;
        Completion completion;
        void operator()(std::exception_ptr thrown)
        {
            if (thrown != nullptr) machine->threw(std::move(thrown));
            std::move(completion)();
        }
    };
    template<class Handler, class Machine>
    struct spawning {
        time_limit* self;
        Handler* handler;
        Machine* machine;
        template<class Completion>
        void operator()(Completion&& completion) const
        {
            using value_type = typename awaitable_traits<Handler>::value_type;
            using completion_type = std::decay_t<Completion>;
            // co_spawn makes an empty value beside an exception: what has none is kept before.
            if constexpr (std::is_void_v<value_type> || std::is_default_constructible_v<value_type>)
                spawn(std::move(*handler), ended<Machine, completion_type>{machine, std::forward<Completion>(completion)});
            else
                spawn(keeping(*handler, *machine), has_kept<Machine, completion_type>{machine, std::forward<Completion>(completion)});
        }
        void spawn(auto coroutine, auto end) const
        {
            boost::asio::co_spawn(self->executor_, std::move(coroutine), boost::asio::bind_cancellation_slot(self->slot(), std::move(end)));
        }
    };

    static void passed(wheel_entry& entry) noexcept
    {
        auto& self = static_cast<time_limit&>(entry);
        boost::asio::post(self.executor_, posted(tell, &self));
    }
    static void tell(void* limit, bool done)
    {
        if (!done) return;
        auto& self = *static_cast<time_limit*>(limit);
        self.told_ = true;
        if (self.waiting_ != nullptr) return self.waiting_->end(wait_end::woken);
        self.passed_ = true;
        self.cancel();
    }

    Executor executor_;
    timer_wheel& wheel_;
    boost::asio::cancellation_signal signal_;
    boost::asio::cancellation_slot parent_;
    wait* waiting_ = nullptr;
    bool armed_ = false;
    bool passed_ = false;
    bool told_ = false;
};

} // namespace weir::inline v0::detail
