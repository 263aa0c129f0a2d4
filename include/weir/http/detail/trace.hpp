// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/http/detail/short_text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sys/random.h>

namespace weir::inline v0::http::detail {

/// The random numbers of this thread, for `splitmix64`; not for secrets.
[[nodiscard]] inline std::uint64_t& random_state() noexcept
{
    thread_local std::uint64_t state = [] {
        std::uint64_t seed = 0;
        if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = reinterpret_cast<std::uintptr_t>(&seed);
        return seed;
    }();
    return state;
}

/// A `traceparent` of version 00, taken from a field or made (W3C Trace Context, sections 3.2 and 4). One that is made is kept as
/// random bits and written only when it is asked for, since few calls are sent on.
class trace_parent {
public:
    static constexpr std::size_t size = 55;

    /// None: its text is empty.
    trace_parent() noexcept {} // NOLINT: leaves the bytes as they are
    /// This text, whatever it is.
    explicit trace_parent(short_text<size> const& text) noexcept : came_(text) {}
    /// The one that came, or a new one if that is malformed or missing.
    explicit trace_parent(std::string_view came) noexcept
    {
        if (is_good(came))
            came_ = in_our_version(came);
        else
            make();
    }

    [[nodiscard]] short_text<size> text() const noexcept
    {
        if (!made_) return came_;
        char text[size];
        std::uint64_t state = seed_;
        std::copy_n("00-", 3, text);
        write(weir::detail::splitmix64(state) | 1, text + 3); // never all zeros
        write(weir::detail::splitmix64(state), text + 19);
        text[35] = '-';
        write(weir::detail::splitmix64(state) | 1, text + 36);
        std::copy_n("-00", 3, text + 52); // not sampled: nobody here records
        return short_text<size>({text, size});
    }

private:
    void make() noexcept
    {
        std::uint64_t& state = random_state();
        seed_ = state;
        for (int numbers = 0; numbers < 3; ++numbers) static_cast<void>(weir::detail::splitmix64(state)); // `text` draws them
        made_ = true;
    }
    /// A later version is spoken to in ours (section 4.3).
    static short_text<size> in_our_version(std::string_view came) noexcept
    {
        char text[size];
        std::copy_n(came.data(), size, text);
        text[0] = text[1] = '0';
        return short_text<size>({text, size});
    }
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
    static bool is_hex(std::string_view text) noexcept
    {
        return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    }
    static bool is_zero(std::string_view text) noexcept { return text.find_first_not_of('0') == std::string_view::npos; }
    static bool is_good(std::string_view text) noexcept
    {
        if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
        std::string_view const version = text.substr(0, 2), trace = text.substr(3, 32), parent = text.substr(36, 16);
        if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(text.substr(53, 2))) return false;
        if (is_zero(trace) || is_zero(parent) || version == "ff") return false;
        return text.size() == size || (version != "00" && text[size] == '-');
    }

    bool made_ = false;
    short_text<size> came_; // unless made
    std::uint64_t seed_;    // if made: where its random numbers start
};

} // namespace weir::inline v0::http::detail
