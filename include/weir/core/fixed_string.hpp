// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace weir::inline v0 {

/// A string literal as a template argument: `named<"per tenant">`, `query<"symbol">`.
template<std::size_t Size>
struct fixed_string {
    char text[Size]{};

    consteval fixed_string(char const (&literal)[Size]) // NOLINT: implicit, so that a literal can stand as the argument
    {
        std::copy_n(literal, Size, text);
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text, Size - 1}; }
};

} // namespace weir::inline v0
