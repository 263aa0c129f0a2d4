// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

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
        auto more = std::make_shared<std::vector<listener>>();
        if (listeners_ != nullptr) *more = *listeners_;
        more->push_back(
            {std::make_shared<Listener>(std::move(f)), [](void* state, Event const& event) { (*static_cast<Listener*>(state))(event); }});
        waiting_.reserve(most);
        listeners_ = std::move(more);
    }
    [[nodiscard]] bool has_listeners() const noexcept { return listeners_ != nullptr; }
    [[nodiscard]] std::uint64_t untold() const noexcept { return untold_; }
    void put(Event&& event) noexcept
    {
        if (listeners_ == nullptr) return;
        if (waiting_.size() < most && waiting_.size() < waiting_.capacity())
            waiting_.push_back(std::move(event));
        else
            ++untold_;
    }
    /// Tells what waits. `lock` is held, and is free afterwards.
    template<class Lock>
    void tell(Lock& lock)
    {
        if (telling_ || waiting_.empty()) return lock.unlock();
        telling_ = true;
        std::vector<Event> now;
        while (!waiting_.empty()) {
            now.swap(waiting_);
            reserve_again();
            auto const listeners = listeners_;
            lock.unlock();
            for (Event const& event : now)
                for (listener const& f : *listeners) try {
                        f.tell(f.state.get(), event);
                    } catch (...) { // the call on whose way this is has nothing to do with it
                    }
            now.clear();
            lock.lock();
        }
        if (now.capacity() > waiting_.capacity()) waiting_.swap(now);
        telling_ = false;
        lock.unlock();
    }

private:
    // A std::function would do, but its header costs every pipeline's file a tenth of a second.
    struct listener {
        std::shared_ptr<void> state;
        void (*tell)(void* state, Event const& event);
    };

    void reserve_again() noexcept
    try {
        waiting_.reserve(most);
    } catch (...) { // those that come now are counted
    }

    std::shared_ptr<std::vector<listener> const> listeners_;
    std::vector<Event> waiting_;
    std::uint64_t untold_ = 0;
    bool telling_ = false;
};

} // namespace weir::inline v0::detail
