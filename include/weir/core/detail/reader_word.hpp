// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <atomic>
#include <cstdint>
#include <thread>

namespace weir::inline v0::detail {

/// A thread's word by which it tells writers that it is reading: odd while it does. Part of its stripe, so that a reader writes to no
/// line that others write to.
///
/// `enter` and the writer's look, `wait`, are both read-modify-write operations on that word: either the writer sees the reader, or the
/// reader sees all that the writer did before. No stand-alone fence is needed. Who is excused from this enters by a plain store, and its
/// writers pass a `process_barrier` before they wait.
class reader_word {
public:
    /// Whether its thread is inside already.
    [[nodiscard]] bool inside() const noexcept { return value() % 2 != 0; }
    /// For its thread, before it first enters.
    void excuse() noexcept { word_.store(excused, std::memory_order_relaxed); }

    void enter() noexcept { word_.exchange(value() + 1, std::memory_order_acq_rel); }
    void leave() noexcept { word_.store(value() + visit - 1, std::memory_order_release); }

    /// Enters if its thread was excused, or has been inside before, and is not inside now. Returns what `leave` is to be told, or zero.
    [[nodiscard, gnu::always_inline]] std::uint64_t try_enter() noexcept
    {
        std::uint64_t const before = value();
        if (before % visit != excused) [[unlikely]]
            return try_enter_by_exchange(before);
        word_.store(before + 1, std::memory_order_relaxed);
        std::atomic_signal_fence(std::memory_order_seq_cst);
        return before;
    }
    [[gnu::always_inline]] void leave(std::uint64_t before) noexcept { word_.store(before + visit, std::memory_order_release); }

    /// For a writer: waits until the reader that is inside now has left.
    void wait() noexcept
    {
        std::uint64_t const seen = word_.fetch_add(0, std::memory_order_acq_rel);
        if (seen % 2 == 0) return;
        while (word_.load(std::memory_order_acquire) == seen) std::this_thread::yield();
    }

private:
    static constexpr std::uint64_t excused = 2;
    static constexpr std::uint64_t visit = 4; // what a visit adds, one of it when it begins

    [[nodiscard, gnu::noinline]] std::uint64_t try_enter_by_exchange(std::uint64_t before) noexcept
    {
        if (before % 2 != 0 || before == 0) return 0;
        word_.exchange(before + 1, std::memory_order_acq_rel);
        return before;
    }
    std::uint64_t value() const noexcept { return word_.load(std::memory_order_relaxed); }

    std::atomic<std::uint64_t> word_{0};
};

/// Inside as long as it lives.
class reading_now {
public:
    explicit reading_now(reader_word& word) noexcept : word_(word) { word_.enter(); }
    reading_now(reading_now const&) = delete;
    reading_now& operator=(reading_now const&) = delete;
    ~reading_now() { word_.leave(); }

private:
    reader_word& word_;
};

/// Inside as long as it lives, if it got in.
class reading_if_known {
public:
    [[gnu::always_inline]] explicit reading_if_known(reader_word& word) noexcept : word_(word), before_(word.try_enter()) {}
    reading_if_known(reading_if_known const&) = delete;
    reading_if_known& operator=(reading_if_known const&) = delete;
    [[gnu::always_inline]] ~reading_if_known()
    {
        if (before_ != 0) [[likely]]
            word_.leave(before_);
    }
    [[gnu::always_inline]] explicit operator bool() const noexcept { return before_ != 0; }

private:
    reader_word& word_;
    std::uint64_t before_;
};

/// In its place where nobody has to announce itself.
struct not_announced {
    explicit not_announced(reader_word&) noexcept {}
    explicit operator bool() const noexcept { return true; }
};

} // namespace weir::inline v0::detail
