// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// Why a text is no encoding of bytes.
enum class decode_fault : std::uint8_t {
    none,
    length,        ///< no number of bytes has an encoding of this length, or padding is missing or too much
    character,     ///< a character that is not of the alphabet: white space and line ends too
    trailing_bits, ///< the last character has bits beyond the last byte: another text stands for the same bytes
    room,          ///< the bytes do not fit where they were to go
};

/// How many bytes were decoded, or why none were.
struct decode_result {
    std::size_t size = 0;
    decode_fault fault = decode_fault::none;
    explicit constexpr operator bool() const noexcept { return fault == decode_fault::none; }
};

namespace detail {

inline constexpr std::uint8_t no_digit = 0xff;

/// The digits of an encoding and, by character, their values.
struct alphabet {
    std::string_view digits;
    std::array<std::uint8_t, 256> values{};

    explicit constexpr alphabet(std::string_view d) noexcept : digits(d)
    {
        values.fill(no_digit);
        for (std::size_t i = 0; i < d.size(); ++i) values[static_cast<unsigned char>(d[i])] = static_cast<std::uint8_t>(i);
    }
    [[nodiscard]] constexpr std::uint8_t value(char c) const noexcept { return values[static_cast<unsigned char>(c)]; }
};

inline constexpr alphabet hex_lower{"0123456789abcdef"};
inline constexpr alphabet hex_either = [] {
    alphabet both = hex_lower;
    for (std::size_t c = 'a'; c <= 'f'; ++c) both.values[c - 'a' + 'A'] = both.values[c];
    return both;
}();
inline constexpr alphabet base64_plain{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
inline constexpr alphabet base64_url{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

inline char* write_base64(byte_view bytes, alphabet const& a, bool padded, char* out) noexcept
{
    std::size_t i = 0;
    for (; bytes.size() - i >= 3; i += 3) {
        unsigned const group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = a.digits[group >> shift & 63];
    }
    if (std::size_t const rest = bytes.size() - i; rest != 0) {
        unsigned const group = bytes[i] << 16 | (rest == 2 ? bytes[i + 1] << 8 : 0);
        *out++ = a.digits[group >> 18];
        *out++ = a.digits[group >> 12 & 63];
        if (rest == 2) *out++ = a.digits[group >> 6 & 63];
        if (padded) out = rest == 2 ? (*out = '=', out + 1) : (out[0] = out[1] = '=', out + 2);
    }
    return out;
}

inline decode_result read_hex(std::string_view text, alphabet const& a, std::span<std::byte> out) noexcept
{
    if (text.size() % 2 != 0) return {0, decode_fault::length};
    std::size_t const size = text.size() / 2;
    if (size > out.size()) return {0, decode_fault::room};
    unsigned seen = 0; // one branch at the end for all digits
    for (std::size_t i = 0; i < size; ++i) {
        unsigned const high = a.value(text[2 * i]), low = a.value(text[2 * i + 1]);
        seen |= high | low;
        out[i] = static_cast<std::byte>(high << 4 | low);
    }
    if (seen > 15) return {0, decode_fault::character};
    return {size, decode_fault::none};
}

/// Decodes base64 without padding.
inline decode_result read_base64(std::string_view text, alphabet const& a, std::span<std::byte> out) noexcept
{
    if (text.size() % 4 == 1) return {0, decode_fault::length};
    std::size_t const size = text.size() / 4 * 3 + (text.size() % 4 != 0 ? text.size() % 4 - 1 : 0);
    if (size > out.size()) return {0, decode_fault::room};
    // Four digits a step, and one branch at the end for all of them: a value that is none has bits above the six.
    auto const value = [&](std::size_t i) -> std::uint32_t { return a.value(text[i]); };
    std::uint32_t seen = 0;
    std::size_t read = 0, written = 0;
    for (; text.size() - read >= 4; read += 4) {
        std::uint32_t const first = value(read), second = value(read + 1), third = value(read + 2), last = value(read + 3);
        seen |= first | second | third | last;
        std::uint32_t const group = first << 18 | second << 12 | third << 6 | last;
        out[written++] = static_cast<std::byte>(group >> 16 & 0xff);
        out[written++] = static_cast<std::byte>(group >> 8 & 0xff);
        out[written++] = static_cast<std::byte>(group & 0xff);
    }
    std::uint32_t rest = 0;
    if (std::size_t const left = text.size() - read; left != 0) {
        std::uint32_t const first = value(read), second = value(read + 1), third = left == 3 ? value(read + 2) : 0;
        seen |= first | second | third;
        std::uint32_t const group = first << 18 | second << 12 | third << 6;
        out[written++] = static_cast<std::byte>(group >> 16 & 0xff);
        if (left == 3) out[written++] = static_cast<std::byte>(group >> 8 & 0xff);
        rest = group & (left == 3 ? 0xffu : 0xffffu);
    }
    if (seen > 63) return {0, decode_fault::character};
    if (rest != 0) return {0, decode_fault::trailing_bits};
    return {size, decode_fault::none};
}

/// Decodes into a string that grows to what is needed.
template<class Decode>
std::optional<std::string> decode_to_string(std::string_view text, Decode decode)
{
    std::string out(text.size(), '\0');
    decode_result const d = decode(text, std::as_writable_bytes(std::span(out)));
    if (!d) return std::nullopt;
    out.resize(d.size);
    return out;
}

} // namespace detail

/// Writes two lower-case hexadecimal digits a byte and returns the end (RFC 4648, section 8).
inline char* write_hex(byte_view bytes, char* out) noexcept
{
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        *out++ = detail::hex_lower.digits[bytes[i] >> 4];
        *out++ = detail::hex_lower.digits[bytes[i] & 15];
    }
    return out;
}

/// Decodes hexadecimal digits of either case into `out`.
inline decode_result read_hex(std::string_view text, std::span<std::byte> out) noexcept
{
    return detail::read_hex(text, detail::hex_either, out);
}

/// Decodes base64 with its padding into `out` (RFC 4648, section 4). Strict, as its sections 3.1 to 3.5 ask of those who compare: no
/// line ends, no foreign characters, padding to a whole group of four and nothing after it, no bits beyond the last byte. So two
/// different texts never stand for the same bytes.
inline decode_result read_base64(std::string_view text, std::span<std::byte> out) noexcept
{
    if (text.size() % 4 != 0) return {0, decode_fault::length};
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
    return detail::read_base64(text, detail::base64_plain, out);
}

/// Decodes base64url without padding into `out` (RFC 4648, section 5; RFC 7515, section 2), as strictly.
inline decode_result read_base64url(std::string_view text, std::span<std::byte> out) noexcept
{
    return detail::read_base64(text, detail::base64_url, out);
}

/// Lower-case hexadecimal digits: `"00ff"`.
[[nodiscard]] inline std::string to_hex(byte_view bytes)
{
    std::string out(bytes.size() * 2, '\0');
    write_hex(bytes, out.data());
    return out;
}

/// Base64 with padding: `"Zm8="`.
[[nodiscard]] inline std::string to_base64(byte_view bytes)
{
    std::string out((bytes.size() + 2) / 3 * 4, '\0');
    detail::write_base64(bytes, detail::base64_plain, true, out.data());
    return out;
}

/// Base64url without padding: `"Zm8"`.
[[nodiscard]] inline std::string to_base64url(byte_view bytes)
{
    std::string out((bytes.size() * 4 + 2) / 3, '\0');
    detail::write_base64(bytes, detail::base64_url, false, out.data());
    return out;
}

/// The bytes of hexadecimal digits of either case; nothing unless the text is exactly that.
[[nodiscard]] inline std::optional<std::string> from_hex(std::string_view text)
{
    return detail::decode_to_string(text, [](std::string_view t, std::span<std::byte> out) { return read_hex(t, out); });
}

/// The bytes of a base64 text; nothing unless `read_base64` takes it.
[[nodiscard]] inline std::optional<std::string> from_base64(std::string_view text)
{
    return detail::decode_to_string(text, [](std::string_view t, std::span<std::byte> out) { return read_base64(t, out); });
}

/// The bytes of a base64url text without padding; nothing unless `read_base64url` takes it.
[[nodiscard]] inline std::optional<std::string> from_base64url(std::string_view text)
{
    return detail::decode_to_string(text, read_base64url);
}

} // namespace weir::inline v0
