// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::inline v0::http::detail {

/// Whether eight characters and eight others are the same but for the case of ASCII letters, which is their bit 0x20; no branch.
[[nodiscard]] constexpr bool same_eight(std::uint64_t a, std::uint64_t b) noexcept
{
    constexpr std::uint64_t each = 0x0101010101010101u, top = 0x80 * each, cased = 0x20 * each;
    std::uint64_t const small = (a | cased) & ~top;
    std::uint64_t const from_a = small + (0x80 - 'a') * each; // the top bit of a byte tells, and nothing carries into the next
    std::uint64_t const past_z = small + (0x80 - 'z' - 1) * each;
    std::uint64_t const letters = from_a & ~past_z & ~a & top;
    return ((a ^ b) & ~(letters >> 2)) == 0;
}

/// Whether eight characters are all visible ASCII, `!` to `~`; no branch.
[[nodiscard]] constexpr bool are_visible(std::uint64_t eight) noexcept
{
    constexpr std::uint64_t each = 0x0101010101010101u, top = 0x80 * each;
    std::uint64_t const low = eight & ~top;
    return ((low + (0x80 - '!') * each) & ~(low + each) & ~eight & top) == top;
}

template<class Word>
[[nodiscard]] std::uint64_t load(char const* from) noexcept
{
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// One to seven characters as a number, which differs where they do; they are read twice where the length is no power of two.
[[nodiscard]] inline std::uint64_t load_few(char const* from, std::size_t size) noexcept
{
    if (size >= 4) return load<std::uint32_t>(from) << 32 | load<std::uint32_t>(from + size - 4);
    return load<std::uint8_t>(from) << 16 | load<std::uint8_t>(from + size / 2) << 8 | load<std::uint8_t>(from + size - 1);
}

/// Whether two names of fields are the same; the case of ASCII letters is ignored (RFC 9110, section 5.1). Names of different length
/// cost one comparison, others one for eight characters.
[[nodiscard]] inline bool same_name(std::string_view a, std::string_view b) noexcept
{
    std::size_t const size = a.size();
    if (size != b.size()) return false;
    if (size < 8) return size == 0 || same_eight(load_few(a.data(), size), load_few(b.data(), size));
    using word = std::uint64_t;
    for (std::size_t at = 0; at < size - 8; at += 8)
        if (!same_eight(load<word>(a.data() + at), load<word>(b.data() + at))) return false;
    std::size_t const last = size - 8; // it overlaps the one before
    return same_eight(load<word>(a.data() + last), load<word>(b.data() + last));
}

} // namespace weir::inline v0::http::detail
