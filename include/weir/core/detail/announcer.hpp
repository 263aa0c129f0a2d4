// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/owner.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace weir::inline v0::detail {

/// Tells listeners of events, each once and in the order in which they were put in, and never under a lock of its owner.
///
/// Events are put in under the owner's lock, so that their order is that of the changes. One thread at a time tells: who finds that
/// another is at it leaves its event to that one and goes on. A listener may use the owner, and what it brings about is told after it has
/// returned. At most `most` events wait for a listener that does not come back; those beyond are counted and not told.
template<class Event>
class announcer {
public:
    static constexpr std::size_t most = 64;

    /// Under the owner's lock, as the following.
    template<class Listener>
    void add(Listener f)
    {
        listeners_ = std::make_shared<listening<Listener>>(listeners_, std::move(f));
    }
    [[nodiscard]] bool has_listeners() const noexcept { return listeners_ != nullptr; }
    [[nodiscard]] std::uint64_t untold() const noexcept { return untold_; }
    void put(Event&& event) noexcept
    {
        if (listeners_ == nullptr) return;
        owner<note> made(waiting_ < most ? new (std::nothrow) note{std::move(event), nullptr} : nullptr);
        if (made == nullptr) {
            ++untold_;
            return;
        }
        ++waiting_;
        note& last = *made;
        (first_ == nullptr ? first_ : last_->next) = std::move(made);
        last_ = &last;
    }
    /// Tells what waits. `lock` is held, and is free afterwards.
    template<class Lock>
    void tell(Lock& lock)
    {
        if (telling_ || first_ == nullptr) return lock.unlock();
        telling_ = true;
        while (first_ != nullptr) {
            auto now = std::move(first_);
            waiting_ = 0;
            auto const listeners = listeners_;
            lock.unlock();
            for (; now != nullptr; now = std::move(now->next)) listeners->tell_all(now->event);
            lock.lock();
        }
        telling_ = false;
        lock.unlock();
    }

private:
    /// One listener, behind those that were there before: such a list never changes, so that whoever tells needs no lock. Vectors and
    /// std::function would do, and cost every file with a breaker a hundred functions more.
    struct listener {
        std::shared_ptr<listener const> before;

        explicit listener(std::shared_ptr<listener const> others) noexcept : before(std::move(others)) {}
        virtual ~listener() = default;
        virtual void tell(Event const& event) const = 0;

        void tell_all(Event const& event) const noexcept
        {
            if (before != nullptr) before->tell_all(event);
            try {
                tell(event);
            } catch (...) { // the call on whose way this is has nothing to do with it
            }
        }
    };
    template<class F>
    struct listening final : listener {
        mutable F f;

        listening(std::shared_ptr<listener const> others, F&& function) : listener(std::move(others)), f(std::move(function)) {}
        void tell(Event const& event) const override { f(event); }
    };
    struct note {
        Event event;
        owner<note> next;
    };

    std::shared_ptr<listener const> listeners_;
    owner<note> first_;
    note* last_ = nullptr;
    std::size_t waiting_ = 0;
    std::uint64_t untold_ = 0;
    bool telling_ = false;
};

} // namespace weir::inline v0::detail
