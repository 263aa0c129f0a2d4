// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/byte_view.hpp>

#include <openssl/crypto.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
struct a_secret_is_not_printed__call_reveal_where_its_bytes_are_needed;
} // namespace advice

/// Equal or not, in a time that depends on the lengths only, eight bytes a step: nobody learns from the time how much of a guess was right.
[[nodiscard]] inline bool equal_in_constant_time(byte_view a, byte_view b) noexcept
{
    if (a.size() != b.size()) return false;
    std::uint64_t different = 0;
    std::size_t i = 0;
    for (; i + 8 <= a.size(); i += 8) {
        std::uint64_t x, y;
        std::memcpy(&x, a.data() + i, 8);
        std::memcpy(&y, b.data() + i, 8);
        different |= x ^ y;
    }
    for (; i < a.size(); ++i) different |= std::uint64_t{a[i] ^ b[i]};
    asm volatile("" : "+r"(different)); // else the compiler may leave the loop at the first difference
    return different == 0;
}

/// A container of bytes that a `secret` can hold: `std::string`, `std::vector<std::byte>`, `std::array<unsigned char, 32>`.
template<class T>
concept secret_bytes =
    detail::byte_range<T> && std::is_copy_constructible_v<T> && std::is_copy_assignable_v<T> && std::is_default_constructible_v<T>;

/// A value that must not leak: a key, a password, a token. It does not print (writing one to a stream does not compile), its bytes are
/// overwritten with zeros when it is destroyed or moved from, and it is compared in constant time (the length is no secret). Move-only:
/// a copy is asked for by `copy()`, and what takes a string's bytes over overwrites them where they were.
///
/// What was in memory before it came here (a file's buffer, a parsed document) is the caller's to overwrite. The bytes may still be
/// swapped to disk or stand in a core dump.
template<secret_bytes T = std::string>
class secret {
public:
    /// Holds nothing.
    secret() = default;
    /// Takes the bytes over: `value` is overwritten with zeros, and empty if it can be.
    explicit secret(T&& value) : value_(value) { wipe(value); }
    /// Copies the text.
    explicit secret(std::string_view text) requires std::same_as<T, std::string> : value_(text) {}
    explicit secret(char const* text) requires std::same_as<T, std::string> : value_(text) {}

    // Copies, then overwrites: moving a short string would leave its characters in the source.
    secret(secret&& other) : value_(other.value_) { wipe(other.value_); }
    secret& operator=(secret&& other)
    {
        if (this != &other) {
            wipe(value_);
            value_ = other.value_;
            wipe(other.value_);
        }
        return *this;
    }
    ~secret() { wipe(value_); }

    /// A second secret with the same bytes.
    [[nodiscard]] secret copy() const
    {
        secret made;
        made.value_ = value_;
        return made;
    }

    /// The bytes, for the one place that needs them. Do not log, store or return them.
    [[nodiscard]] T const& reveal() const& noexcept { return value_; }
    T const& reveal() const&& = delete;

    [[nodiscard]] bool empty() const noexcept { return value_.size() == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return value_.size(); }

    friend bool operator==(secret const& a, secret const& b) noexcept { return equal_in_constant_time(a.value_, b.value_); }
    friend bool operator==(secret const& a, byte_view b) noexcept { return equal_in_constant_time(a.value_, b); }

    template<class Stream>
    friend advice::a_secret_is_not_printed__call_reveal_where_its_bytes_are_needed operator<<(Stream& stream, secret const&) = delete;

private:
    static void wipe(T& value) noexcept
    {
        OPENSSL_cleanse(value.data(), value.size());
        if constexpr (requires { value.clear(); }) value.clear();
    }

    T value_{};
};

secret(char const*)->secret<std::string>;
secret(std::string_view)->secret<std::string>;

static_assert(!std::is_copy_constructible_v<secret<>> && std::is_move_constructible_v<secret<>> && std::is_move_assignable_v<secret<>>);

} // namespace weir::inline v0
