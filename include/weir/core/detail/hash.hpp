// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/random_seed.hpp>
#include <weir/core/detail/splitmix64.hpp>

#include <boost/container_hash/hash.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace weir::inline v0::detail {

/// What reads as a string: `std::string`, `std::string_view`, a literal. All of them hash alike.
template<class T>
concept string_like = std::convertible_to<T const&, std::string_view>;

/// What a container of `Key` can be asked with: a `Key`, another kind of string for a string, or what converts to a `Key`.
template<class Like, class Key>
concept key_like = std::same_as<Like, Key> ||(string_like<Like>&& string_like<Key>) || std::convertible_to<Like const&, Key>;

/// `like` as a container of `Key` looks it up: as it is where it hashes and compares like a `Key`, else converted.
template<class Key, key_like<Key> Like>
[[nodiscard]] constexpr decltype(auto) as_key(Like const& like)
{
    if constexpr (std::same_as<Like, Key>)
        return (like);
    else if constexpr (string_like<Like> && string_like<Key>)
        return std::string_view(like);
    else
        return Key(like);
}

template<class T>
concept tuple_like = requires
{
    std::tuple_size<T>::value;
};
template<class T>
concept std_hashable = requires(T const& value)
{
    {
        std::hash<T>{}(value)
        } -> std::same_as<std::size_t>;
};

/// A 64-bit hash keyed by a seed: whoever does not know the seed, and cannot see hashes, cannot choose keys that collide.
/// Strings of every kind hash alike, integers and enumerations by value, pairs, tuples and arrays part by part; all of these depend
/// on the seed throughout. Any other type goes through its `std::hash` or `boost::hash`, whose own collisions the seed cannot undo.
///
/// Every bit of the result depends on every bit of the key, so that some bits may choose a shard and others a slot.
/// It is the folded multiplication of wyhash (Wang Yi and others, 2019) over 16 bytes a step, with secrets drawn from the seed.
/// Cost: two multiplications for an integer, about 2 ns for a short string. Thread-safe: it never changes. Memory: 16 bytes.
/// Not cryptographic: a message digest it is not.
class seeded_hash {
public:
    using is_transparent = void;
    using is_avalanching = std::true_type;

    constexpr explicit seeded_hash(std::uint64_t seed) noexcept : first_(splitmix64(seed)), second_(splitmix64(seed) | 1u) {}

    template<class T>
    [[nodiscard]] constexpr std::uint64_t operator()(T const& key) const
    {
        if constexpr (string_like<T>)
            return bytes(std::string_view(key));
        else if constexpr (std::integral<T> || std::is_enum_v<T>)
            return word(static_cast<std::uint64_t>(key));
        else if constexpr (tuple_like<T>)
            return std::apply([this](auto const&... part) { return this->parts(part...); }, key);
        else if constexpr (std_hashable<T>)
            return word(std::hash<T>{}(key));
        else
            return word(boost::hash<T>{}(key));
    }

    /// Two words, as a pair of them hashes.
    [[nodiscard]] constexpr std::uint64_t words(std::uint64_t a, std::uint64_t b) const noexcept
    {
        return word(std::rotl(word(std::rotl(first_, 23) ^ word(a)), 23) ^ word(b));
    }

private:
    __extension__ using wide = unsigned __int128;

    static constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept
    {
        wide const product = static_cast<wide>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    template<class Word>
    static std::uint64_t load(char const* from) noexcept
    {
        Word word;
        std::memcpy(&word, from, sizeof word);
        return word;
    }

    constexpr std::uint64_t word(std::uint64_t value) const noexcept { return fold(fold(value ^ first_, second_) ^ first_, second_); }

    std::uint64_t bytes(std::string_view text) const noexcept
    {
        char const* at = text.data();
        std::size_t left = text.size();
        std::uint64_t state = first_ + left; // the length, as the tail's words may overlap
        for (; left > 16; at += 16, left -= 16) state = fold(load<std::uint64_t>(at) ^ second_, load<std::uint64_t>(at + 8) ^ state);

        std::uint64_t head = 0;
        std::uint64_t tail = 0;
        if (left >= 8) {
            head = load<std::uint64_t>(at);
            tail = load<std::uint64_t>(at + left - 8);
        } else if (left >= 4) {
            head = load<std::uint32_t>(at);
            tail = load<std::uint32_t>(at + left - 4);
        } else if (left > 0) {
            head = load<std::uint8_t>(at) << 16 | load<std::uint8_t>(at + left / 2) << 8 | load<std::uint8_t>(at + left - 1);
        }
        return fold(fold(head ^ second_, tail ^ state) ^ first_, second_);
    }

    template<class... Part>
    constexpr std::uint64_t parts(Part const&... part) const
    {
        std::uint64_t state = first_;
        ((state = word(std::rotl(state, 23) ^ (*this)(part))), ...);
        return state;
    }

    std::uint64_t first_;
    std::uint64_t second_;
};

} // namespace weir::inline v0::detail
