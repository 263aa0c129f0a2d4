// SPDX-License-Identifier: BSL-1.0
//
// What the policies, the handler and the caller of a random stack have in common: one seed for all that they do, the points at which
// one of them may throw, the books of what was lent.
#pragma once

#include <weir/asio/detail/wait.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/testing/manual_clock.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

namespace stacks {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// What is thrown where something is to be thrown.
struct planned : std::runtime_error {
    planned() : std::runtime_error("planned") {}
};

/// The permits of one place: each is lent once, and comes back once.
class ledger {
public:
    std::uint64_t lend()
    {
        std::scoped_lock const lock(mutex_);
        out_.insert(++lent_);
        return lent_;
    }
    void back(std::uint64_t permit) noexcept
    {
        std::scoped_lock const lock(mutex_);
        wrong_ += out_.erase(permit) == 1 ? 0 : 1;
    }
    [[nodiscard]] std::size_t out() const noexcept
    {
        std::scoped_lock const lock(mutex_);
        return out_.size();
    }
    [[nodiscard]] std::uint64_t wrong() const noexcept { return wrong_; }

private:
    mutable std::mutex mutex_;
    std::set<std::uint64_t> out_;
    std::uint64_t lent_ = 0;
    std::uint64_t wrong_ = 0;
};

class world {
public:
    static constexpr std::size_t most_policies = 8;

    explicit world(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u) { current = this; }
    world(world const&) = delete;
    world& operator=(world const&) = delete;
    ~world() { current = nullptr; }

    /// A number below a bound.
    std::uint64_t draw(std::uint64_t below)
    {
        std::uint64_t state = state_.fetch_add(0x9e3779b97f4a7c15u, std::memory_order_relaxed);
        return weir::detail::splitmix64(state) % below;
    }
    /// Once in so many times, unless all is quiet.
    bool trouble(std::uint64_t once_in) { return !quiet && draw(once_in) == 0; }
    /// For `chaos`.
    bool chance(double probability) { return !quiet && static_cast<double>(draw(1'000)) < probability * 1'000; }
    weir::duration between(weir::duration low, weir::duration high)
    {
        return low + weir::duration(draw(static_cast<std::uint64_t>((high - low).count()) + 1));
    }
    /// Some time, in steps, so that much happens at once.
    weir::duration some_time() { return quiet ? 0ms : static_cast<int>(draw(6)) * 10ms; }
    /// Here may be thrown.
    void point()
    {
        std::uint64_t const here = points.fetch_add(1, std::memory_order_relaxed) + 1;
        if (here == throws_at || (throws_once_in != 0 && trouble(throws_once_in))) throw planned{};
    }

    weir::manual_clock* clock = nullptr;
    std::array<ledger, most_policies> books;
    std::atomic<std::uint64_t> points{0};
    std::uint64_t throws_at = 0;
    std::uint64_t throws_once_in = 0;
    std::atomic<bool> quiet{false};

    static inline world* current = nullptr;

private:
    std::atomic<std::uint64_t> state_;
};

inline world& here() noexcept
{
    return *world::current;
}

/// Something that has to be destroyed as often as it is made, and whose making may throw.
class guarded {
public:
    guarded() : own_((here().point(), new int(1))) { ++live; }
    guarded(guarded const&) : guarded() {}
    guarded(guarded&& other) noexcept : own_(std::exchange(other.own_, nullptr)) { ++live; }
    guarded& operator=(guarded const& other)
    {
        if (this != &other) *this = guarded(other);
        return *this;
    }
    guarded& operator=(guarded&& other) noexcept
    {
        std::swap(own_, other.own_);
        return *this;
    }
    ~guarded()
    {
        delete own_;
        --live;
    }
    static inline std::atomic<int> live{0};

private:
    int* own_;
};

/// The request behind `Depth` codecs.
template<int Depth>
struct question {
    question() = default;
    explicit question(int k) : key(k) {}
    int key = 0;
    std::string text = "a text that does not fit into the string itself";
    guarded body{};
};
template<int Depth>
struct answer {
    answer(int v) : value(v) {}
    int value;
    guarded body{};
};

/// Sleeps in the world's time; the slot is that of the coroutine, or one's own.
inline asio::awaitable<void> sleep(weir::duration d, asio::cancellation_slot slot)
{
    weir::detail::wait waiting;
    weir::time_point const now = here().clock->now();
    co_await waiting(nullptr, now, weir::after(now, d))(asio::bind_cancellation_slot(slot, asio::use_awaitable));
    if (slot.is_connected()) slot.clear();
    if (waiting.finish() == weir::detail::wait_end::cancelled)
        throw boost::system::system_error(asio::error::make_error_code(asio::error::operation_aborted));
}
inline asio::awaitable<void> sleep(weir::duration d)
{
    auto const state = co_await asio::this_coro::cancellation_state;
    co_await sleep(d, state.slot());
}

} // namespace stacks
