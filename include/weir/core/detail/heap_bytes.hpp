// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>

namespace weir::inline v0::detail {

/// What a key or a value keeps outside of itself, in bytes: the text of a string that does not fit into it, with what the allocator adds. A
/// type of one's own says it by `std::size_t weir_heap_bytes(T const&)` beside it; one that does not is taken to keep nothing.
template<class T>
[[nodiscard]] std::size_t heap_bytes(T const& value)
{
    if constexpr (requires { weir_heap_bytes(value); }) {
        return weir_heap_bytes(value);
    } else if constexpr (string_like<T>) {
        static std::size_t const in_place = std::string().capacity();
        std::size_t const size = std::string_view(value).size();
        return size <= in_place ? 0 : (size + 1 + 8 + 15) / 16 * 16;
    } else if constexpr (tuple_like<T>) {
        return std::apply([](auto const&... part) { return (std::size_t{0} + ... + heap_bytes(part)); }, value);
    } else {
        return 0;
    }
}

} // namespace weir::inline v0::detail
