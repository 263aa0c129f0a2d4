// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

/// The value of a hexadecimal digit, in lower case or in either; 16 for what is none.
constexpr unsigned hex_value(char c, bool either) noexcept
{
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (either && c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10 : 16;
}
inline constexpr char hex_digits[] = "0123456789abcdef";
inline constexpr std::string_view base64_plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline constexpr std::string_view base64_url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

inline char* write_base64(byte_view bytes, std::string_view digits, bool padded, char* out) noexcept
{
    std::size_t i = 0;
    for (; bytes.size() - i >= 3; i += 3) {
        unsigned const group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = digits[group >> shift & 63];
    }
    if (std::size_t const rest = bytes.size() - i; rest != 0) {
        unsigned const group = bytes[i] << 16 | (rest == 2 ? bytes[i + 1] << 8 : 0);
        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        if (rest == 2) *out++ = digits[group >> 6 & 63];
        if (padded) out = rest == 2 ? (*out = '=', out + 1) : (out[0] = out[1] = '=', out + 2);
    }
    return out;
}

/// The eight lower-case digits of eight values.
inline std::uint64_t digits_of(std::uint64_t values) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    return values + each * '0' + ((values + each * 6) >> 4 & each) * ('a' - '0' - 10);
}
/// Eight lower-case digits of four bytes, the first digit lowest: all eight at once, in the lanes of one word.
inline std::uint64_t hex_of_four(std::uint32_t bytes) noexcept
{
    constexpr std::uint64_t each = 0x0001'0001'0001'0001;
    std::uint64_t spread = (bytes | std::uint64_t{bytes} << 16) & 0x0000'ffff'0000'ffff;
    spread = (spread | spread << 8) & 0x00ff'00ff'00ff'00ff;
    return digits_of((spread >> 4 & each * 0x0f) | (spread & each * 0x0f) << 8);
}
/// The four bytes of eight digits; what is no digit sets bits in `wrong`: each digit has to be what its value is written as.
inline std::uint32_t four_of_hex(std::uint64_t text, bool either, std::uint64_t& wrong) noexcept
{
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    if (either) text |= (text & each * 0x40) >> 1;
    std::uint64_t const values = (text & each * 0x0f) + (text >> 6 & each) * 9;
    wrong |= (text ^ digits_of(values)) | (values & each * 0x10);
    std::uint64_t bytes = (values << 4 | values >> 8) & 0x00ff'00ff'00ff'00ff;
    bytes = (bytes | bytes >> 8) & 0x0000'ffff'0000'ffff;
    return static_cast<std::uint32_t>(bytes | bytes >> 16);
}

inline decode_result decode_hex(std::string_view text, bool either, std::byte* out, std::size_t room) noexcept
{
    if (text.size() % 2 != 0) return {0, decode_fault::length};
    std::size_t const size = text.size() / 2;
    if (size > room) return {0, decode_fault::room};
    std::size_t i = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::uint64_t wrong = 0;
        for (; i + 4 <= size; i += 4) {
            std::uint64_t word;
            std::memcpy(&word, text.data() + 2 * i, sizeof word);
            std::uint32_t const bytes = four_of_hex(word, either, wrong);
            std::memcpy(out + i, &bytes, sizeof bytes);
        }
        if (wrong != 0) return {0, decode_fault::character};
    }
    unsigned seen = 0; // one branch at the end for all digits
    for (; i < size; ++i) {
        unsigned const high = hex_value(text[2 * i], either), low = hex_value(text[2 * i + 1], either);
        seen |= high | low;
        out[i] = static_cast<std::byte>(high << 4 | low);
    }
    if (seen > 15) return {0, decode_fault::character};
    return {size, decode_fault::none};
}

/// By place in a group of four and character: the digit's bits where they belong in the group, and a bit of the place above them; nothing
/// for what is no digit.
struct group_table {
    std::uint32_t bits[4][256]{}; // a compiler fills it in half the time that std::array takes it

    explicit constexpr group_table(std::string_view digits) noexcept
    {
        for (std::uint32_t value = 0; value < digits.size(); ++value) set(digits[value], value);
    }
    /// `other` with these as its last two digits.
    constexpr group_table(group_table const& other, std::string_view without, std::string_view with) noexcept : group_table(other)
    {
        for (std::uint32_t i = 0; i < 2; ++i) {
            for (auto& place : bits) place[static_cast<unsigned char>(without[i])] = 0;
            set(with[i], 62 + i);
        }
    }
    static constexpr std::uint32_t all_digits = 0x0f00'0000;

private:
    constexpr void set(char digit, std::uint32_t value) noexcept
    {
        auto const at = static_cast<unsigned char>(digit);
        bits[0][at] = value << 18 | 0x0100'0000;
        bits[1][at] = value << 12 | 0x0200'0000;
        bits[2][at] = value << 6 | 0x0400'0000;
        bits[3][at] = value | 0x0800'0000;
    }
};
inline constexpr group_table plain_groups{base64_plain}, url_groups{plain_groups, "+/", "-_"};

/// Decodes base64 without padding.
inline decode_result decode_base64(std::string_view text, group_table const& t, std::byte* out, std::size_t room) noexcept
{
    std::size_t const left = text.size() % 4;
    if (left == 1) return {0, decode_fault::length};
    std::size_t const size = text.size() / 4 * 3 + (left != 0 ? left - 1 : 0);
    if (size > room) return {0, decode_fault::room};
    auto const* at = reinterpret_cast<unsigned char const*>(text.data());
    auto const* const end = at + (text.size() - left);
    std::byte* to = out;
    std::uint32_t seen = group_table::all_digits; // one branch at the end for all digits
    for (; at != end; at += 4, to += 3) {
        std::uint32_t const group = t.bits[0][at[0]] | t.bits[1][at[1]] | t.bits[2][at[2]] | t.bits[3][at[3]];
        seen &= group;
        to[0] = static_cast<std::byte>(group >> 16);
        to[1] = static_cast<std::byte>(group >> 8);
        to[2] = static_cast<std::byte>(group);
    }
    std::uint32_t rest = 0;
    if (left != 0) {
        std::uint32_t const group = t.bits[0][at[0]] | t.bits[1][at[1]] | (left == 3 ? t.bits[2][at[2]] : 0x0400'0000) | 0x0800'0000;
        seen &= group;
        to[0] = static_cast<std::byte>(group >> 16);
        if (left == 3) to[1] = static_cast<std::byte>(group >> 8);
        rest = group & (left == 3 ? 0xffu : 0xffffu);
    }
    if (seen != group_table::all_digits) return {0, decode_fault::character};
    if (rest != 0) return {0, decode_fault::trailing_bits};
    return {size, decode_fault::none};
}

/// Whether a text is base64 with its padding, as `weir::read_base64` takes it.
inline bool is_base64(std::string_view text) noexcept
{
    if (text.size() % 4 != 0) return false;
    if (text.empty()) return true;
    std::size_t const padding = text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
    auto const* at = reinterpret_cast<unsigned char const*>(text.data());
    auto const& t = plain_groups;
    std::uint32_t seen = group_table::all_digits; // one branch at the end for all digits
    for (auto const* const last = at + (text.size() - 4); at != last; at += 4)
        seen &= t.bits[0][at[0]] | t.bits[1][at[1]] | t.bits[2][at[2]] | t.bits[3][at[3]];
    std::uint32_t const end = t.bits[0][at[0]] | t.bits[1][at[1]] | (padding == 2 ? 0x0400'0000 : t.bits[2][at[2]]) |
                              (padding != 0 ? 0x0800'0000 : t.bits[3][at[3]]);
    std::uint32_t const stray = padding == 0 ? 0 : padding == 1 ? 0xff : 0xffff; // bits beyond the last byte
    return (seen & end) == group_table::all_digits && (end & stray) == 0;
}

// What the functions below say of a `std::span`, without one: each that is made takes g++ 12 two to six megabytes.
inline decode_result read_hex(std::string_view text, std::byte* out, std::size_t room) noexcept
{
    return decode_hex(text, true, out, room);
}
inline decode_result read_lower_hex(std::string_view text, std::byte* out, std::size_t room) noexcept
{
    return decode_hex(text, false, out, room);
}
inline decode_result read_base64(std::string_view text, std::byte* out, std::size_t room) noexcept
{
    if (text.size() % 4 != 0) return {0, decode_fault::length};
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
    return decode_base64(text, plain_groups, out, room);
}
inline decode_result read_base64url(std::string_view text, std::byte* out, std::size_t room) noexcept
{
    return decode_base64(text, url_groups, out, room);
}

/// Decodes into a string.
inline std::optional<std::string> decode_to_string(std::string_view text,
                                                   decode_result (*decode)(std::string_view, std::byte*, std::size_t) noexcept)
{
    std::optional<std::string> out(std::in_place, text.size(), '\0');
    decode_result const d = decode(text, reinterpret_cast<std::byte*>(out->data()), out->size());
    if (d)
        out->resize(d.size);
    else
        out.reset();
    return out;
}

} // namespace detail

/// Writes two lower-case hexadecimal digits a byte and returns the end (RFC 4648, section 8).
inline char* write_hex(byte_view bytes, char* out) noexcept
{
    std::size_t i = 0;
    if constexpr (std::endian::native == std::endian::little) {
        for (; i + 4 <= bytes.size(); i += 4, out += 8) {
            std::uint32_t four;
            std::memcpy(&four, bytes.data() + i, sizeof four);
            std::uint64_t const digits = detail::hex_of_four(four);
            std::memcpy(out, &digits, sizeof digits);
        }
    }
    for (; i < bytes.size(); ++i) {
        *out++ = detail::hex_digits[bytes[i] >> 4];
        *out++ = detail::hex_digits[bytes[i] & 15];
    }
    return out;
}

/// Decodes hexadecimal digits of either case into `out`.
inline decode_result read_hex(std::string_view text, std::span<std::byte> out) noexcept
{
    return detail::read_hex(text, out.data(), out.size());
}

/// Decodes base64 with its padding into `out` (RFC 4648, section 4). Strict, as its sections 3.1 to 3.5 ask of those who compare: no
/// line ends, no foreign characters, padding to a whole group of four and nothing after it, no bits beyond the last byte. So two
/// different texts never stand for the same bytes.
inline decode_result read_base64(std::string_view text, std::span<std::byte> out) noexcept
{
    return detail::read_base64(text, out.data(), out.size());
}

/// Decodes base64url without padding into `out` (RFC 4648, section 5; RFC 7515, section 2), as strictly.
inline decode_result read_base64url(std::string_view text, std::span<std::byte> out) noexcept
{
    return detail::read_base64url(text, out.data(), out.size());
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
    return detail::decode_to_string(text, &detail::read_hex);
}

/// The bytes of a base64 text; nothing unless `read_base64` takes it.
[[nodiscard]] inline std::optional<std::string> from_base64(std::string_view text)
{
    return detail::decode_to_string(text, &detail::read_base64);
}

/// The bytes of a base64url text without padding; nothing unless `read_base64url` takes it.
[[nodiscard]] inline std::optional<std::string> from_base64url(std::string_view text)
{
    return detail::decode_to_string(text, &detail::read_base64url);
}

} // namespace weir::inline v0
