// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// An array of words that threads may read while its owner puts a longer one in its place. What was replaced is kept until the end, as
/// somebody may still be looking at it (not if `confined`); its owner makes each at least twice as long as the one before, so that all
/// together are at most twice the last. It begins at a cache line. One pointer.
template<class T, threading_model Threading>
class growing_array {
public:
    using cell = std::conditional_t<std::is_class_v<T>, T, typename Threading::template cell<T>>; // a class holds cells

    explicit growing_array(std::size_t size) : words_(made(size, nullptr)) {}
    growing_array(growing_array&& other) noexcept : words_(other.words_.load()) { other.words_.store(nullptr); }
    growing_array& operator=(growing_array&&) = delete;
    ~growing_array() { free(words_.load()); }

    /// The words as they are now. Whoever reads beside the owner reads it after what told him how many there are.
    [[nodiscard]] cell* words() const noexcept { return words_.load(std::memory_order_acquire); }
    [[nodiscard]] cell& operator[](std::size_t at) const noexcept { return words()[at]; }
    [[nodiscard]] std::size_t size() const noexcept { return head_of(words_.load()).size; }

    /// Room for at least `size`, with what is there copied.
    void grow(std::size_t size)
    {
        cell* const before = words_.load();
        cell* const fresh = made(size, before);
        for (std::size_t i = 0; i < head_of(before).size; ++i) fresh[i].store(before[i].load());
        publish(fresh);
    }
    /// Room for at least `size`, all as new, and only seen by others after `fill(words)` has filled it.
    template<class Fill>
    void renew(std::size_t size, Fill&& fill)
    {
        cell* const fresh = made(size, words_.load());
        fill(fresh);
        publish(fresh);
    }

private:
    struct alignas(64) head {
        cell* before;
        std::size_t size;
    };
    static constexpr std::align_val_t line{alignof(head)};
    static_assert(std::is_trivially_destructible_v<cell>);

    static head& head_of(cell* words) noexcept { return *std::launder(reinterpret_cast<head*>(words) - 1); }
    static cell* made(std::size_t size, cell* before)
    {
        auto* const room = static_cast<std::byte*>(::operator new(sizeof(head) + sizeof(cell) * size, line));
        ::new (static_cast<void*>(room)) head{before, size};
        auto* const words = reinterpret_cast<cell*>(room + sizeof(head));
        std::uninitialized_value_construct_n(words, size);
        return words;
    }
    static void free(cell* words) noexcept
    {
        while (words != nullptr) {
            cell* const before = head_of(words).before;
            ::operator delete(static_cast<void*>(&head_of(words)), line);
            words = before;
        }
    }
    void publish(cell* fresh) noexcept
    {
        if constexpr (!Threading::is_shared) free(std::exchange(head_of(fresh).before, nullptr));
        words_.store(fresh, std::memory_order_release);
    }

    typename Threading::template cell<cell*> words_;
};

} // namespace weir::inline v0::detail
