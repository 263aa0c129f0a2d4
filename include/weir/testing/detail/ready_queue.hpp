// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/testing/draws.hpp>

#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// The handlers of a simulation that are ready; the next to run is drawn. A service, so that they end with their context.
class ready_queue : public boost::asio::execution_context::service {
public:
    static inline boost::asio::execution_context::id id;
    using key_type = ready_queue;
    class executor;

    explicit ready_queue(boost::asio::execution_context& owner) : service(owner) {}

    template<class F>
    void post(F&& f)
    {
        ready_.push_back(std::make_unique<made_of<std::decay_t<F>>>(std::forward<F>(f)));
    }
    [[nodiscard]] bool empty() const noexcept { return ready_.empty(); }
    [[nodiscard]] bool is_running() const noexcept { return running_; }
    /// Runs one of them; the first one, if the draw is 0.
    void run_one(draws& from)
    {
        auto const drawn = ready_.begin() + static_cast<std::ptrdiff_t>(from.below(ready_.size()));
        std::unique_ptr<task> const next = std::move(*drawn);
        ready_.erase(drawn);
        struct inside {
            bool& flag;
            explicit inside(bool& f) noexcept : flag(f) { flag = true; }
            ~inside() { flag = false; }
        } const guard(running_);
        next->run();
    }

private:
    struct task {
        task() = default;
        task(task const&) = delete;
        task& operator=(task const&) = delete;
        virtual ~task() = default;
        virtual void run() = 0;
    };
    template<class F>
    struct made_of final : task {
        explicit made_of(F&& f) : f_(std::move(f)) {}
        explicit made_of(F const& f) : f_(f) {}
        void run() override
        {
            F f = std::move(f_);
            std::move(f)();
        }
        F f_;
    };
    void shutdown() noexcept override
    {
        while (!ready_.empty()) { // the end of one may bring others
            std::unique_ptr<task> const last = std::move(ready_.front());
            ready_.pop_front();
        }
    }

    std::deque<std::unique_ptr<task>> ready_;
    bool running_ = false;
};

/// The executor of such a queue: serial, as one thread runs all of it.
class ready_queue::executor {
public:
    explicit executor(ready_queue& queue) noexcept : queue_(&queue) {}

    [[nodiscard]] boost::asio::execution_context& query(boost::asio::execution::context_t) const noexcept { return queue_->context(); }
    [[nodiscard]] boost::asio::execution::blocking_t query(boost::asio::execution::blocking_t) const noexcept
    {
        if (never_) return boost::asio::execution::blocking.never;
        return boost::asio::execution::blocking.possibly;
    }
    [[nodiscard]] executor require(boost::asio::execution::blocking_t::never_t) const noexcept { return executor(*queue_, true); }
    [[nodiscard]] executor require(boost::asio::execution::blocking_t::possibly_t) const noexcept { return executor(*queue_, false); }
    template<class F>
    void execute(F&& f) const
    {
        if (!never_ && queue_->is_running()) {
            std::decay_t<F> own(std::forward<F>(f));
            std::move(own)();
        } else
            queue_->post(std::forward<F>(f));
    }
    friend bool operator==(executor const& a, executor const& b) noexcept { return a.queue_ == b.queue_ && a.never_ == b.never_; }
    friend bool operator!=(executor const& a, executor const& b) noexcept { return !(a == b); }

private:
    executor(ready_queue& queue, bool never) noexcept : queue_(&queue), never_(never) {}
    ready_queue* queue_;
    bool never_ = false;
};

} // namespace weir::inline v0::detail
