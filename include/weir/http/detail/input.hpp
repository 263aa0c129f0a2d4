// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace weir::inline v0::http::detail {

/// The bytes that came and were not consumed yet, in one piece.
class input_buffer {
public:
    static constexpr std::size_t first_size = 8'192;

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }

    void consume(std::size_t size) noexcept
    {
        begin_ += size;
        if (begin_ == end_) begin_ = end_ = 0;
    }
    /// Where to read to: at least a kilobyte.
    char* room()
    {
        if (capacity_ - end_ >= 1'024) return bytes_.get() + end_;
        std::size_t const used = end_ - begin_;
        if (capacity_ - used < 1'024) {
            capacity_ = std::max(first_size, capacity_ * 2);
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
    [[nodiscard]] std::size_t room_size() const noexcept { return capacity_ - end_; }
    void add(std::size_t size) noexcept { end_ += size; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace weir::inline v0::http::detail
