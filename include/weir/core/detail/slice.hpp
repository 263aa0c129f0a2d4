// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <type_traits>

namespace weir::inline v0::detail {

template<class Range, class T>
concept slice_source = std::is_same_v<std::remove_cvref_t<decltype(*static_cast<Range const*>(nullptr)->data())>, T>;

/// Values that stand in a row and belong to someone else: an array, a vector, a `std::span`. It is what `std::span<T const>` is, which
/// takes g++ 12 two to six megabytes for each `T` that it is made of, as its constructors ask for ranges.
template<class T>
class slice {
public:
    constexpr slice() noexcept = default;
    constexpr slice(T const* first, std::size_t size) noexcept : first_(first), size_(size) {}
    template<std::size_t Size>
    constexpr slice(T const (&row)[Size]) noexcept : slice(row, Size) // NOLINT: implicit, so that rows of all kinds are passed alike
    {
    }
    template<slice_source<T> Range>
    constexpr slice(Range const& range) noexcept : slice(range.data(), range.size()) // NOLINT: as above
    {
    }

    [[nodiscard]] constexpr T const* begin() const noexcept { return first_; }
    [[nodiscard]] constexpr T const* end() const noexcept { return first_ + size_; }
    [[nodiscard]] constexpr T const* data() const noexcept { return first_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T const& operator[](std::size_t i) const noexcept { return first_[i]; }

private:
    T const* first_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace weir::inline v0::detail
