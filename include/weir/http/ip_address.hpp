// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace weir::inline v0 {

/// An IPv4 or IPv6 address, 16 bytes. An IPv4 address that came as an IPv6 one (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is the
/// IPv4 address.
class ip_address {
public:
    /// `::`, which is nobody's.
    constexpr ip_address() noexcept = default;

    /// `192.0.2.1` or `2001:db8::1`, strictly; nothing of anything else. A zone (`%eth0`) is no part of it.
    [[nodiscard]] static std::optional<ip_address> parse(std::string_view text) noexcept
    {
        char copy[INET6_ADDRSTRLEN + 1];
        if (text.empty() || text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return {};
        std::memcpy(copy, text.data(), text.size());
        copy[text.size()] = '\0';
        ip_address made;
        if (text.find(':') != std::string_view::npos) {
            if (inet_pton(AF_INET6, copy, made.bytes_.data()) != 1) return {};
        } else {
            made.bytes_[10] = made.bytes_[11] = 0xff;
            if (inet_pton(AF_INET, copy, made.bytes_.data() + 12) != 1) return {};
        }
        return made;
    }

    [[nodiscard]] constexpr bool is_v4() const noexcept
    {
        for (std::size_t i = 0; i < 10; ++i)
            if (bytes_[i] != 0) return false;
        return bytes_[10] == 0xff && bytes_[11] == 0xff;
    }
    [[nodiscard]] std::string to_string() const
    {
        char text[INET6_ADDRSTRLEN] = {};
        if (is_v4())
            inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
        else
            inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
        return text;
    }
    /// The 128 bits, the first ones first.
    [[nodiscard]] constexpr std::array<std::uint64_t, 2> words() const noexcept { return {word(0), word(8)}; }
    /// What counts as one subscriber, as a key: an IPv4 address, or the /64 network of an IPv6 address, for who has one of its addresses
    /// has them all.
    [[nodiscard]] constexpr std::array<std::uint64_t, 2> subscriber() const noexcept { return {word(0), is_v4() ? word(8) : 0}; }
    /// Whether the first `bits` of the 128, of an IPv4 address those of `::ffff:0:0/96` included, are the same.
    [[nodiscard]] constexpr bool agrees(ip_address const& other, unsigned bits) const noexcept
    {
        auto const same = [](std::uint64_t a, std::uint64_t b, unsigned n) { return n == 0 || (a ^ b) >> (64 - n) == 0; };
        return same(word(0), other.word(0), bits < 64 ? bits : 64) && same(word(8), other.word(8), bits < 64 ? 0 : bits - 64);
    }

    friend constexpr bool operator==(ip_address const&, ip_address const&) noexcept = default;

private:
    [[nodiscard]] constexpr std::uint64_t word(std::size_t from) const noexcept
    {
        std::uint64_t made = 0;
        for (std::size_t i = from; i < from + 8; ++i) made = made << 8 | bytes_[i];
        return made;
    }
    std::array<std::uint8_t, 16> bytes_{};
};

/// A network in CIDR notation (RFC 4632, RFC 4291 section 2.3): `10.0.0.0/8`, `2001:db8::/32`; an address alone is a network of one.
class ip_network {
public:
    /// Nothing if the text is none, or if bits behind the prefix are set.
    [[nodiscard]] static std::optional<ip_network> parse(std::string_view text) noexcept
    {
        auto const slash = text.find('/');
        auto const address = ip_address::parse(text.substr(0, slash));
        if (!address) return {};
        bool const dotted = text.find(':') == std::string_view::npos;
        unsigned bits = dotted ? 32 : 128;
        if (slash != std::string_view::npos) {
            std::string_view const digits = text.substr(slash + 1);
            unsigned prefix = 0;
            auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
            bool const spelled = !digits.empty() && failed == std::errc{} && end == digits.data() + digits.size();
            if (!spelled || (digits.size() > 1 && digits[0] == '0') || prefix > bits) return {};
            bits = prefix;
        }
        ip_network made;
        made.base_ = *address;
        made.bits_ = dotted ? bits + 96 : bits;
        return made.is_bare() ? std::optional(made) : std::nullopt;
    }
    /// An IPv4 address is in networks of IPv4 addresses only.
    [[nodiscard]] constexpr bool contains(ip_address const& a) const noexcept
    {
        return a.is_v4() == base_.is_v4() && base_.agrees(a, bits_);
    }

private:
    [[nodiscard]] bool is_bare() const noexcept
    {
        auto const trailing = [](std::uint64_t w) { return w == 0 ? 64u : static_cast<unsigned>(std::countr_zero(w)); };
        auto const [high, low] = base_.words();
        unsigned const zeros = low != 0 ? trailing(low) : 64 + trailing(high);
        return bits_ + zeros >= 128;
    }
    ip_address base_;
    unsigned bits_ = 128; // of the 128
};

} // namespace weir::inline v0
