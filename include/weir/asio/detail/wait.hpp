// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/posted.hpp>
#include <weir/asio/timer_wheel.hpp>
#include <weir/core/park.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// Why a wait ended.
enum class wait_end : std::uint8_t { none, woken, time_up, cancelled };

/// One wait of a coroutine at a time: for a waiter, for the time, or for both, whichever comes first. It lies in the coroutine's frame and
/// allocates nothing; who ends the wait posts the coroutine to its executor.
class wait : public notifier, private wheel_entry {
public:
    wait() noexcept : notifier{&notified}
    {
        expire = &expired;
        abandon = &given_up;
    }
    wait(wait const&) = delete;
    wait& operator=(wait const&) = delete;
    ~wait()
    {
        if (held_ == nullptr) return;
        wheel_->disarm(*this); // the coroutine is destroyed while it waits
        held_->~holder_base();
    }

    /// Ends the wait; only the first end counts.
    void end(wait_end how) noexcept
    {
        std::uint8_t seen = state_.load(std::memory_order_relaxed);
        do {
            if ((seen & end_mask) != 0) return;
        } while (!state_.compare_exchange_weak(seen, static_cast<std::uint8_t>(seen | static_cast<std::uint8_t>(how)),
                                               std::memory_order_acq_rel));
        if ((seen & begun) != 0) held_->post();
    }

    /// For `co_await`: waits until `w` is woken, if there is one, or `until`. `finish` has to be called then.
    [[nodiscard]] auto operator()(waiter* w, time_point now, time_point until)
    {
        waiter_ = w;
        now_ = now;
        until_ = until;
        state_.store(0, std::memory_order_relaxed);
        return boost::asio::async_initiate<boost::asio::deferred_t const, void()>(initiation{this}, boost::asio::deferred);
    }
    /// Makes sure that nobody ends the wait any more, and says how it ended.
    wait_end finish() noexcept
    {
        wheel_->disarm(*this);
        return static_cast<wait_end>(state_.load(std::memory_order_acquire) & end_mask);
    }

private:
    static constexpr std::uint8_t end_mask = 3;
    static constexpr std::uint8_t begun = 4;

    /// The coroutine, until it goes on.
    struct holder_base {
        virtual void post() noexcept = 0;
        virtual void resume() = 0;
        virtual void bury() noexcept = 0;
        virtual void give_up() noexcept = 0;
        virtual ~holder_base() = default;
    };
    template<class Handler>
    struct holder final : holder_base {
        using executor_type = std::decay_t<decltype(boost::asio::prefer(boost::asio::get_associated_executor(std::declval<Handler&>()),
                                                                        boost::asio::execution::outstanding_work.tracked))>;
        explicit holder(wait& owner, Handler&& h)
            : owner_(owner),
              executor_(boost::asio::prefer(boost::asio::get_associated_executor(h), boost::asio::execution::outstanding_work.tracked)),
              handler_(std::move(h))
        {
        }
        void post() noexcept override
        {
            owner_.held_ = nullptr;
            executor_type const executor = std::move(executor_); // once posted, the coroutine may be over before we return
            boost::asio::post(executor, posted(
                                            [](void* self, bool done) {
                                                auto* const held = static_cast<holder_base*>(self);
                                                done ? held->resume() : held->bury();
                                            },
                                            static_cast<holder_base*>(this)));
        }
        void resume() override
        {
            Handler handler = std::move(handler_);
            this->~holder();
            std::move(handler)();
        }
        /// Nobody runs it any more. It is buried, not destroyed: who woke it may hold a lock.
        void bury() noexcept override
        {
            Handler handler = std::move(handler_);
            timer_wheel& wheel = *owner_.wheel_;
            this->~holder();
            wheel.bury(std::move(handler));
        }
        void give_up() noexcept override
        {
            Handler const handler = std::move(handler_);
            this->~holder();
        }
        wait& owner_;
        executor_type executor_;
        Handler handler_;
    };

    struct initiation {
        wait* self;
        template<class Handler>
        void operator()(Handler&& handler) const
        {
            self->begin(std::forward<Handler>(handler));
        }
    };
    template<class Handler>
    void begin(Handler handler)
    {
        using holder_type = holder<Handler>;
        static_assert(sizeof(holder_type) <= sizeof storage_ && alignof(holder_type) <= alignof(std::max_align_t));
        auto cancelling = boost::asio::get_associated_cancellation_slot(handler);
        if (cancelling.is_connected()) cancelling.assign([this](boost::asio::cancellation_type) { end(wait_end::cancelled); });
        wheel_ = &wheel_of(boost::asio::get_associated_executor(handler));
        held_ = ::new (static_cast<void*>(storage_)) holder_type(*this, std::move(handler));
        wheel_->arm(*this, now_, until_); // also without an end: the wheel knows who waits when its context is destroyed
        if (waiter_ != nullptr && !waiter_->attach(*this)) end(wait_end::woken);
        // An end that came before this did not post: nothing may touch the wait after it has posted.
        if ((state_.fetch_or(begun, std::memory_order_acq_rel) & end_mask) != 0) held_->post();
    }
    static void notified(notifier& self) noexcept { static_cast<wait&>(self).end(wait_end::woken); }
    static void given_up(wheel_entry& self) noexcept
    {
        auto& w = static_cast<wait&>(self);
        // Whoever wakes it now comes too late, and who did before posts it, or has done so: the handler is theirs.
        if ((w.state_.fetch_or(static_cast<std::uint8_t>(wait_end::cancelled), std::memory_order_acq_rel) & end_mask) != 0) return;
        // The handler owns the coroutine in whose frame it lies: only outside of it can it be destroyed.
        if (holder_base* const held = std::exchange(w.held_, nullptr)) held->give_up();
    }
    static void expired(wheel_entry& self) noexcept { static_cast<wait&>(self).end(wait_end::time_up); }

    std::atomic<std::uint8_t> state_{0};
    waiter* waiter_ = nullptr;
    timer_wheel* wheel_ = nullptr;
    time_point now_{};
    time_point until_ = never;
    holder_base* held_ = nullptr;
    alignas(std::max_align_t) std::byte storage_[112];
};

} // namespace weir::inline v0::detail
