// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// Fixed storage for `slots` entries of any type, constructed on `write` and destroyed on `drop`. Its owner drops what it wrote.
template<class Entry>
class object_slab {
public:
    explicit object_slab(std::size_t slots) : cells_(std::make_unique_for_overwrite<cell[]>(slots)) {}

    [[nodiscard]] Entry const& read(std::size_t at) const noexcept
    {
        return *std::launder(reinterpret_cast<Entry const*>(cells_[at].bytes));
    }
    void write(std::size_t at, Entry&& entry) noexcept { ::new (static_cast<void*>(cells_[at].bytes)) Entry(std::move(entry)); }
    void drop(std::size_t at) noexcept { std::destroy_at(std::launder(reinterpret_cast<Entry*>(cells_[at].bytes))); }

private:
    struct cell {
        alignas(Entry) std::byte bytes[sizeof(Entry)];
    };
    std::unique_ptr<cell[]> cells_;
};

/// The same for entries that are plain bits, kept in atomic words: a thread may read beside a writer, and has to check afterwards that
/// there was none (Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012). The words are read with
/// acquire and written with release order, so that no stand-alone fence is needed.
template<class Entry, threading_model Threading>
class word_slab {
    static_assert(std::is_trivially_copyable_v<Entry>);

public:
    explicit word_slab(std::size_t slots) : words_(slots * width) {}

    [[nodiscard]] Entry read(std::size_t at) const noexcept
    {
        words read;
        for (std::size_t i = 0; i < width; ++i) read[i] = words_[at * width + i].load(std::memory_order_acquire);
        return std::bit_cast<aligned>(read).entry;
    }
    void write(std::size_t at, Entry&& entry) noexcept
    {
        words written{};
        std::memcpy(written.data(), &entry, sizeof entry);
        for (std::size_t i = 0; i < width; ++i) words_[at * width + i].store(written[i], std::memory_order_release);
    }
    void drop(std::size_t) noexcept {}

private:
    struct alignas(std::uint64_t) aligned {
        Entry entry;
    };
    static constexpr std::size_t width = sizeof(aligned) / sizeof(std::uint64_t);
    using words = std::array<std::uint64_t, width>;

    std::vector<typename Threading::template cell<std::uint64_t>> words_;
};

} // namespace weir::inline v0::detail
