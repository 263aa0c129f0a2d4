// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/scope.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// The execution context of a thread that runs errands, one after the other.
inline boost::asio::io_context& context_of_thread()
{
    thread_local boost::asio::io_context context(1);
    return context;
}

/// A coroutine that can be cancelled from any thread, on its own executor.
template<class Executor>
class cancellable_work final : public work, public std::enable_shared_from_this<cancellable_work<Executor>> {
public:
    explicit cancellable_work(Executor executor) : executor_(std::move(executor)) {}
    void cancel() noexcept override
    {
        // Moved on: who asks may hold the lock that its end takes.
        if (auto self = this->weak_from_this().lock())
            boost::asio::post(executor_, [own = std::move(self)] { own->signal_.emit(boost::asio::cancellation_type::terminal); });
    }
    [[nodiscard]] Executor const& executor() const noexcept { return executor_; }
    [[nodiscard]] boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }

private:
    Executor executor_;
    boost::asio::cancellation_signal signal_;
};

/// How the inside of an errand begins and ends.
template<class Errand>
struct begin_errand {
    Errand& errand;
    void operator()(auto& machine) const { errand.begin(machine); }
};
template<class Errand>
struct give_errand {
    Errand& errand;
    template<class, class>
    using type = void;
    template<class, class Machine>
    void operator()(Machine& m)
    {
        errand.keep(m);
    }
};

} // namespace weir::inline v0::detail
