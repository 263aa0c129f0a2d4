// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace weir_fuzz {

/// Ends the program, so that the fuzzer keeps its input, unless it holds.
inline void must(bool holds, char const* what)
{
    if (holds) [[likely]]
        return;
    std::fprintf(stderr, "it does not hold that %s\n", what);
    std::abort();
}

/// What the fuzzer gives, taken from the front.
class given {
public:
    given(std::uint8_t const* data, std::size_t size) noexcept : rest_(reinterpret_cast<char const*>(data), size) {}

    /// A number from 0 to 255; 0 where nothing is left.
    [[nodiscard]] unsigned number() noexcept
    {
        if (rest_.empty()) return 0;
        auto const first = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return first;
    }
    /// What stands before the next `end`, which is taken too; all if there is none.
    [[nodiscard]] std::string_view until(char end) noexcept
    {
        std::string_view const part = rest_.substr(0, rest_.find(end));
        rest_.remove_prefix(part.size() == rest_.size() ? part.size() : part.size() + 1);
        return part;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

} // namespace weir_fuzz
