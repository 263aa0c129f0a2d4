// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace weir::inline v0::http::detail {

/// The bytes that came and were not consumed yet, in one piece.
class input_buffer {
public:
    static constexpr std::size_t first_size = 2'048; ///< what a connection needs that only waits
    static constexpr std::size_t kept_size = 8'192;
    static constexpr std::size_t largest_wanted = 65'536;

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

    void consume(std::size_t size) noexcept
    {
        begin_ += size;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    /// Where to read to: at least a kilobyte, and `wanted` bytes if those are known to come.
    char* room(std::uint64_t wanted = 0)
    {
        std::size_t const least = static_cast<std::size_t>(std::clamp<std::uint64_t>(wanted, 1'024, largest_wanted));
        if (capacity_ - end_ >= least) return bytes_.get() + end_;
        std::size_t const used = end_ - begin_;
        if (capacity_ - used < least) {
            capacity_ = std::max({first_size, capacity_ * 2, used + least});
            std::unique_ptr<char[]> grown(new char[capacity_]);
            if (used > 0) std::memcpy(grown.get(), bytes_.get() + begin_, used);
            bytes_ = std::move(grown);
        } else {
            std::memmove(bytes_.get(), bytes_.get() + begin_, used);
        }
        begin_ = 0;
        end_ = used;
        return bytes_.get() + end_;
    }
    /// Lets go of memory that a large message needed.
    void shrink() noexcept
    {
        if (capacity_ <= kept_size || !empty()) return;
        bytes_.reset();
        capacity_ = 0;
    }
    [[nodiscard]] std::size_t room_size() const noexcept { return capacity_ - end_; }
    void add(std::size_t size) noexcept { end_ += size; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace weir::inline v0::http::detail
