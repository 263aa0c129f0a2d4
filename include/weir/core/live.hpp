// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>

namespace weir::inline v0 {

/// Settings that can be changed while calls read them: a reader sees the old ones whole or the new ones whole, and never waits for
/// another reader. `Settings` is trivially copyable. (A sequence lock over atomic words: H.-J. Boehm, "Can seqlocks get along with
/// programming language memory models?", MSPC 2012.) Reading costs a load a word and two of the version; a writer takes a lock.
template<class Settings>
class live {
    static_assert(__is_trivially_copyable(Settings)); // what std::is_trivially_copyable asks, without 18 classes a type

public:
    explicit live(Settings const& settings) noexcept { write(settings); }
    live(live&& other) noexcept : live(other.load()) {}
    live& operator=(live&& other) noexcept
    {
        store(other.load());
        return *this;
    }

    [[nodiscard]] Settings load() const noexcept
    {
        std::uint64_t copy[count];
        for (;;) {
            std::uint32_t const before = version_.load(std::memory_order_acquire);
            for (std::size_t i = 0; i < count; ++i) copy[i] = words_[i].load(std::memory_order_acquire);
            if ((before & 1u) == 0 && version_.load(std::memory_order_relaxed) == before) break;
        }
        alignas(Settings) std::byte bytes[sizeof(Settings)];
        std::memcpy(bytes, copy, sizeof bytes);
        return *std::launder(reinterpret_cast<Settings const*>(bytes));
    }
    void store(Settings const& settings) noexcept
    {
        std::lock_guard lock(writing_);
        std::uint32_t const before = version_.load(std::memory_order_relaxed);
        version_.store(before + 1, std::memory_order_relaxed);
        write(settings);
        version_.store(before + 2, std::memory_order_release);
    }

private:
    static constexpr std::size_t count = (sizeof(Settings) + 7) / 8;

    void write(Settings const& settings) noexcept
    {
        std::uint64_t copy[count]{};
        std::memcpy(copy, &settings, sizeof settings);
        for (std::size_t i = 0; i < count; ++i) words_[i].store(copy[i], std::memory_order_release); // after the odd version
    }
    std::atomic<std::uint32_t> version_{0};
    std::atomic<std::uint64_t> words_[count]{}; // plain: each number of words would be a std::array to compile
    detail::movable_mutex writing_;
};

} // namespace weir::inline v0
