// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/scope.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// A coroutine in a scope: it is cancelled with the scope's work, and ends there when the last who refers to it is gone. `Needs` is what
/// the coroutine needs while it runs. A class, not a base: the scope may call `cancel` while the work is destroyed.
template<class Executor, class Needs>
class spawned_work final : public work, public std::enable_shared_from_this<spawned_work<Executor, Needs>> {
public:
    template<class... Arguments>
    spawned_work(scope& owner, Executor executor, Arguments&... arguments)
        : member_{owner, *this}, executor_(std::move(executor)), needs_(arguments...)
    {
    }

    /// False: the scope is closed, and nothing may run.
    [[nodiscard]] bool begin() { return member_.begun = member_.of.begin(*this); }
    [[nodiscard]] Needs& needs() noexcept { return needs_; }
    /// `ended(work, exception)` is told what the coroutine threw, or null. What it throws itself nobody is there to catch: it is dropped,
    /// and does not reach the thread that runs the executor.
    template<class Awaitable, class Ended>
    void run(Awaitable what, Ended ended)
    {
        boost::asio::co_spawn(executor_, std::move(what),
                              boost::asio::bind_cancellation_slot(
                                  signal_.slot(), [self = this->shared_from_this(), ended](std::exception_ptr thrown, auto&&...) {
                                      try {
                                          ended(*self, std::move(thrown));
                                      } catch (...) {
                                      }
                                  }));
    }
    void cancel() noexcept override
    {
        // Moved on: who asks may hold the lock that the end of the work takes.
        if (auto self = this->weak_from_this().lock())
            boost::asio::post(executor_, [own = std::move(self)] { own->signal_.emit(boost::asio::cancellation_type::terminal); });
    }

private:
    struct membership {
        scope& of;
        work& who;
        bool begun = false;
        ~membership()
        {
            if (begun) of.end(who);
        }
    };
    membership member_; // the last to go: whoever drains the scope then destroys what the rest refers to
    Executor executor_;
    boost::asio::cancellation_signal signal_;
    [[no_unique_address]] Needs needs_;
};

} // namespace weir::inline v0::detail
