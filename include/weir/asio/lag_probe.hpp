// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/resilience/load_gauge.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <utility>

namespace weir::inline v0 {

/// Measures how long what is ready waits for its turn on a context, and tells a gauge: it posts a handler every now and then, and looks how
/// long it took to come. `lag_probe{context.get_executor(), gauge, 50ms}`; its end stops it, also while a handler is on its way. Used on
/// one serial executor; the gauge outlives the context. `sampled(now)` is called each time, for what else is sampled: the CPU.
template<class Executor>
class lag_probe {
public:
    /// Throws `std::invalid_argument` that names the member.
    lag_probe(Executor executor, load_gauge& gauge, duration every) : lag_probe(std::move(executor), gauge, every, [](time_point) {}) {}
    template<class Sampled>
    lag_probe(Executor executor, load_gauge& gauge, duration every, Sampled sampled)
    {
        expect(every >= std::chrono::milliseconds(1), "lag_probe.every", "at least 1 ms");
        auto const made = std::make_shared<state<Sampled>>(std::move(executor), gauge, every, std::move(sampled));
        made->probe();
        state_ = made;
    }
    lag_probe(lag_probe const&) = delete;
    lag_probe& operator=(lag_probe const&) = delete;
    ~lag_probe() { state_->stop(); }

private:
    struct state_base {
        virtual void stop() = 0;

    protected:
        ~state_base() = default;
    };
    template<class Sampled>
    struct state final : state_base, std::enable_shared_from_this<state<Sampled>> {
        state(Executor e, load_gauge& g, duration d, Sampled s)
            : executor(std::move(e)), timer(executor), gauge(g), every(d), sampled(std::move(s))
        {
        }
        void probe()
        {
            boost::asio::post(executor, [self = this->shared_from_this(), posted = steady::now()] {
                if (self->stopped) return;
                time_point const now = steady::now();
                self->gauge.queue_delay(now - posted);
                self->sampled(now);
                self->timer.expires_after(self->every);
                self->timer.async_wait([self](boost::system::error_code e) {
                    if (!e && !self->stopped) self->probe();
                });
            });
        }
        void stop() override
        {
            stopped = true;
            timer.cancel();
        }

        Executor executor;
        boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor> timer;
        load_gauge& gauge;
        duration every;
        Sampled sampled;
        bool stopped = false;
    };

    std::shared_ptr<state_base> state_;
};
template<class Executor, class... More>
lag_probe(Executor, load_gauge&, duration, More...) -> lag_probe<Executor>;

} // namespace weir::inline v0
