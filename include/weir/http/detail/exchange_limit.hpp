// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/timer_wheel.hpp>
#include <weir/core/clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace weir::inline v0::http::detail {

/// What ends the operations of a client's connection: its caller, or the time. Used on one serial executor, except for the alarm, which
/// comes by way of it.
///
/// A limit that moves further away costs nothing: the alarm goes off where it stands and is put off then. So a kept connection, whose
/// limits all lie some seconds ahead, hardly ever touches the timer wheel.
class exchange_limit : public std::enable_shared_from_this<exchange_limit>, private weir::detail::wheel_entry {
public:
    explicit exchange_limit(boost::asio::any_io_executor executor)
        : executor_(std::move(executor)), wheel_(weir::detail::wheel_of(executor_))
    {
        expire = &passed;
    }
    exchange_limit(exchange_limit const&) = delete;
    exchange_limit& operator=(exchange_limit const&) = delete;
    virtual ~exchange_limit() { wheel_.disarm(*this); } // also where the alarm has just gone off: its thread may not be done with it

    /// For the operations.
    [[nodiscard]] boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    /// What is being done has to end by then.
    void until(time_point now, time_point limit)
    {
        limit_ = limit;
        late_ = false;
        if (limit < alarm_) arm(now);
    }
    /// The time was up, for the limit that is set.
    [[nodiscard]] bool late() const noexcept { return late_; }
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_; }
    /// No operation may begin any more.
    [[nodiscard]] bool over() const noexcept { return late_ || cancelled_; }
    /// A new exchange begins.
    void renew() noexcept { cancelled_ = false; }
    void cancel()
    {
        cancelled_ = true;
        signal_.emit(boost::asio::cancellation_type::terminal);
    }

protected:
    /// The time is up.
    virtual void time_is_up() { signal_.emit(boost::asio::cancellation_type::terminal); }

private:
    void arm(time_point now)
    {
        if (!wheel_.disarm(*this) && alarm_ != never) ++old_news_; // it has gone off, and the news is on its way
        alarm_ = limit_;
        if (alarm_ != never) wheel_.arm(*this, now, alarm_);
    }
    void rung()
    {
        if (old_news_ > 0) {
            --old_news_;
            return;
        }
        alarm_ = never;
        time_point const now = steady::now();
        if (now < limit_) return arm(now);
        limit_ = never;
        late_ = true;
        time_is_up();
    }
    /// In the wheel's thread. The connection may have ended meanwhile.
    static void passed(wheel_entry& entry) noexcept
    {
        auto self = static_cast<exchange_limit&>(entry).weak_from_this().lock();
        if (self == nullptr) return;
        auto executor = self->executor_;
        boost::asio::post(executor, [self = std::move(self)] { self->rung(); });
    }

    boost::asio::any_io_executor executor_;
    timer_wheel& wheel_;
    boost::asio::cancellation_signal signal_;
    time_point limit_ = never; // of what is done now
    time_point alarm_ = never; // for which the wheel is set
    unsigned old_news_ = 0;
    bool late_ = false;
    bool cancelled_ = false;
};

/// While it lives, cancellation of `from` ends the operations of a connection.
class following {
public:
    following(boost::asio::cancellation_slot from, exchange_limit& limit) : from_(from)
    {
        if (from_.is_connected()) from_.assign([&limit](boost::asio::cancellation_type) { limit.cancel(); });
    }
    ~following()
    {
        if (from_.is_connected()) from_.clear();
    }
    following(following const&) = delete;
    following& operator=(following const&) = delete;

private:
    boost::asio::cancellation_slot from_;
};

} // namespace weir::inline v0::http::detail
