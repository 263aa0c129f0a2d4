// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>

namespace weir::inline v0::detail {

/// A lock for a handful of instructions: one locked instruction to take it and none to leave it, where a mutex has two and two calls. Who
/// finds it taken looks again for a moment, then lets other threads run in between: its holder may have been interrupted.
class short_lock {
public:
    short_lock() = default;
    short_lock(short_lock&&) noexcept {}
    short_lock& operator=(short_lock&&) noexcept { return *this; }

    [[gnu::always_inline]] void lock() noexcept
    {
        if (taken_.exchange(true, std::memory_order_acquire)) [[unlikely]]
            wait();
    }
    [[gnu::always_inline]] bool try_lock() noexcept { return !taken_.exchange(true, std::memory_order_acquire); }
    [[gnu::always_inline]] void unlock() noexcept { taken_.store(false, std::memory_order_release); }

private:
    [[gnu::noinline, gnu::cold]] void wait() noexcept
    {
        constexpr unsigned moment = 64;
        do {
            for (unsigned looks = 0; taken_.load(std::memory_order_relaxed); ++looks) {
                if (looks >= moment) {
                    std::this_thread::yield();
                } else {
#if defined(__x86_64__) || defined(__i386__)
                    __builtin_ia32_pause();
#endif
                }
            }
        } while (taken_.exchange(true, std::memory_order_acquire));
    }
    std::atomic<bool> taken_{false};
};

/// The lock of what is held for a handful of instructions only.
template<threading_model Threading>
using short_lock_of = std::conditional_t<Threading::is_shared, short_lock, typename Threading::mutex>;

} // namespace weir::inline v0::detail
