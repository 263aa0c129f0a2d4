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
/// `enter` and the writer's look are both read-modify-write operations on that word: either the writer sees the reader, or the reader
/// sees all that the writer did before. No stand-alone fence is needed.
class reader_word {
public:
    /// Whether its thread is inside already.
    [[nodiscard]] bool inside() const noexcept { return value() % 2 != 0; }
    /// Whether its thread has told the writers that it exists, and is not inside.
    [[nodiscard]] bool known() const noexcept { return value() % 2 == 0 && value() != 0; }
    void enter() noexcept { word_.exchange(value() + 1, std::memory_order_acq_rel); }
    void leave() noexcept { word_.store(value() + 1, std::memory_order_release); }

    /// For a writer: waits until the reader that is inside now has left.
    void wait() noexcept
    {
        std::uint64_t const seen = word_.fetch_add(0, std::memory_order_acq_rel);
        if (seen % 2 == 0) return;
        while (word_.load(std::memory_order_acquire) == seen) std::this_thread::yield();
    }

private:
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

/// In its place where nobody has to announce itself.
struct not_announced {
    explicit not_announced(reader_word&) noexcept {}
};

} // namespace weir::inline v0::detail
