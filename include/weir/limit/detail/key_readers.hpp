// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/reader_word.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace weir::inline v0::detail {

/// Those who look into tables without a lock, each with a word on its own thread's line. A reader enters its word and then looks whether
/// the table is being changed; who changes one says so and then waits for those who are inside: one of the two sees the other.
class key_readers {
public:
    key_readers() = default;
    key_readers(key_readers&& other) noexcept : words_(std::move(other.words_)) {} // before anybody reads

    /// The calling thread's word; null if it has not joined, or shares its line with others.
    [[nodiscard, gnu::always_inline]] reader_word* own() noexcept { return words_.own(); }
    /// Makes the calling thread a reader. Throws `std::bad_alloc`.
    void join()
    {
        static_cast<void>(words_.local());
        joined_.fetch_add(1, std::memory_order_acq_rel);
    }
    /// Waits until all have left who were inside, or may be. Who enters later sees what was done before this.
    void wait() noexcept
    {
        // Either whoever has joined meanwhile comes before this, and is waited for, or it sees what we did.
        joined_.fetch_add(0, std::memory_order_acq_rel);
        words_.for_each([](reader_word& each) { each.wait(); });
    }

private:
    striped<reader_word, shared> words_;
    std::atomic<std::uint64_t> joined_{0};
};

} // namespace weir::inline v0::detail
