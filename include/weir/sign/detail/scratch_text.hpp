// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

/// A text that is made, hashed and gone: in place up to `Room` bytes, on the heap beyond. What appends to a string appends to it, inlined.
template<std::size_t Room>
class scratch_text {
public:
    scratch_text() noexcept {} // NOLINT: leaves the room as it is
    scratch_text(scratch_text const&) = delete;
    scratch_text& operator=(scratch_text const&) = delete;

    scratch_text& append(std::string_view more)
    {
        char* const at = extend(more.size());
        if (!more.empty()) std::memcpy(at, more.data(), more.size());
        return *this;
    }
    /// Room for as many bytes more, for whoever writes them.
    [[nodiscard]] char* extend(std::size_t more)
    {
        if (more > room_ - size_) [[unlikely]]
            grow(more);
        size_ += more;
        return at_ + size_ - more;
    }
    void push_back(char c) { *extend(1) = c; }
    scratch_text& operator+=(std::string_view more) { return append(more); }

    [[nodiscard]] char& back() noexcept { return at_[size_ - 1]; }
    [[nodiscard]] std::string_view view() const noexcept { return {at_, size_}; }

private:
    [[gnu::noinline, gnu::cold]] void grow(std::size_t more)
    {
        std::size_t const room = 2 * room_ + more;
        auto fresh = std::make_unique<char[]>(room);
        std::memcpy(fresh.get(), at_, size_);
        heap_ = std::move(fresh);
        at_ = heap_.get();
        room_ = room;
    }

    std::size_t size_ = 0, room_ = Room;
    std::unique_ptr<char[]> heap_{};
    char in_place_[Room];
    char* at_ = in_place_;
};

} // namespace weir::inline v0::detail
