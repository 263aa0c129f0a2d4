// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sys/random.h>

namespace weir::inline v0::http::detail {

/// Random bits of this thread; not for secrets.
[[nodiscard]] inline std::uint64_t random_bits() noexcept
{
    thread_local std::uint64_t state = [] {
        std::uint64_t seed = 0;
        if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = reinterpret_cast<std::uintptr_t>(&seed);
        return seed;
    }();
    return weir::detail::splitmix64(state);
}

/// A `traceparent` of version 00, taken from a field or made (W3C Trace Context, sections 3.2 and 4).
class trace_parent {
public:
    static constexpr std::size_t size = 55;

    explicit trace_parent(std::string_view came) noexcept
    {
        if (is_good(came)) {
            std::copy_n(came.data(), size, text_);
            text_[0] = text_[1] = '0'; // a later version is spoken to in ours (section 4.3)
            return;
        }
        std::copy_n("00-", 3, text_);
        write(random_bits() | 1, text_ + 3); // never all zeros
        write(random_bits(), text_ + 19);
        text_[35] = '-';
        write(random_bits() | 1, text_ + 36);
        std::copy_n("-00", 3, text_ + 52); // not sampled: nobody here records
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_, size}; }
    [[nodiscard]] std::string_view trace_id() const noexcept { return {text_ + 3, 32}; }

private:
    static void write(std::uint64_t bits, char* to) noexcept
    {
        for (int shift = 56; shift >= 0; shift -= 8, to += 2) std::copy_n(pairs[bits >> shift & 255u].data(), 2, to);
    }
    /// The two digits of each byte.
    static constexpr auto pairs = [] {
        constexpr char const* digits = "0123456789abcdef";
        std::array<std::array<char, 2>, 256> all{};
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = {digits[i / 16], digits[i % 16]};
        return all;
    }();
    static bool is_hex(std::string_view text) noexcept { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }
    static bool is_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == std::string_view::npos; }
    static bool is_good(std::string_view text) noexcept
    {
        if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
        std::string_view const version = text.substr(0, 2), trace = text.substr(3, 32), parent = text.substr(36, 16);
        if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(text.substr(53, 2))) return false;
        if (is_zero(trace) || is_zero(parent) || version == "ff") return false;
        return text.size() == size || (version != "00" && text[size] == '-');
    }

    char text_[size];
};

} // namespace weir::inline v0::http::detail
