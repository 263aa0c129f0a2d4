// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <source_location>
#include <thread>

namespace weir::inline v0::detail {

/// Finds two threads that use the same thing at once, in debug builds. Threads may take turns, as those of a strand do, and the thread
/// that made a thing may hand it on: only use that overlaps is wrong. So when a thread finds that another one used the thing last, it
/// takes it over, pauses, and looks whether it was taken away meanwhile: on a strand nobody else can come as long as this use lasts.
/// (After J. Erickson et al., "Effective Data-Race Detection for the Kernel", OSDI 2010, which delays a thread at an access and watches
/// for another.) It never fires wrongly; it may miss overlaps, but threads that go on overlapping give it a chance at each turn.
///
/// Who used a thing last stands in a table by its address, so that nothing gets larger; what falls into the same place is forgotten. All
/// accesses are relaxed: the watch must not order what it watches.
class confined_watch {
public:
    /// Whether the thread `me` has `thing` to itself, as far as can be seen.
    template<class Pause>
    [[nodiscard]] bool enter(void const* thing, std::uint16_t me, Pause&& pause) noexcept
    {
        auto const address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(thing)) << 16; // 48 bits of it tell things apart
        std::atomic<std::uint64_t>& last = last_[address * 0x9e3779b97f4a7c15u >> 52];
        std::uint64_t const before = last.load(std::memory_order_relaxed);
        if (before == (address | me)) [[likely]]
            return true;
        last.store(address | me, std::memory_order_relaxed);
        if ((before ^ address) >> 16 != 0) return true; // its first use, or the last one is forgotten
        pause();
        std::uint64_t const now = last.load(std::memory_order_relaxed);
        return now == (address | me) || (now ^ address) >> 16 != 0;
    }

    /// A number for each thread, from 1.
    [[nodiscard]] static std::uint16_t this_thread() noexcept
    {
        static constinit std::atomic<std::uint16_t> threads{0};
        thread_local std::uint16_t const mine = static_cast<std::uint16_t>(threads.fetch_add(1, std::memory_order_relaxed) + 1);
        return mine;
    }

private:
    std::array<std::atomic<std::uint64_t>, 4096> last_{};
};

inline constinit confined_watch all_that_is_confined{};

[[noreturn, gnu::noinline, gnu::cold]] inline void used_by_two_threads(std::source_location where) noexcept
{
    std::fprintf(stderr,
                 "weir: %s is confined to one thread or strand, and was used by two threads at once; use weir::shared, or keep it on one\n",
                 where.function_name());
    std::abort();
}

inline void check_confined(void const* thing, std::source_location where) noexcept
{
    if (!all_that_is_confined.enter(thing, confined_watch::this_thread(), [] { std::this_thread::yield(); })) used_by_two_threads(where);
}

} // namespace weir::inline v0::detail
