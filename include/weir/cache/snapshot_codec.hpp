// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// How a key or a value lies in a snapshot. There are codecs for what is trivially copyable and holds no pointers, for `std::string`, and
/// for a `std::shared_ptr` to one of those. For a type of your own:
/// ```cpp
/// template<> struct weir::snapshot_codec<quote> {
///     static constexpr std::uint32_t version = 1;                         // another one makes old snapshots "of another kind"
///     static void encode(quote const& from, std::string& to);            // appends to `to`
///     static std::optional<quote> decode(std::string_view from);         // nothing: the bytes are no quote
/// };
/// ```
/// What `decode` refuses is an error of the whole snapshot, found before anything is restored.
template<class T>
struct snapshot_codec {
    static_assert(std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && !std::is_pointer_v<T>,
                  "a snapshot does not know how to keep this type: specialise weir::snapshot_codec for it");
    static constexpr std::uint32_t version = 0x10000 + sizeof(T);
    static void encode(T const& from, std::string& to)
    {
        std::size_t const at = to.size();
        to.resize(at + sizeof(T));
        std::memcpy(to.data() + at, &from, sizeof(T));
    }
    static std::optional<T> decode(std::string_view from)
    {
        if (from.size() != sizeof(T)) return std::nullopt;
        T to;
        std::memcpy(&to, from.data(), sizeof(T));
        return to;
    }
};

template<std::same_as<std::string> Text> // a template still: who keeps no strings does not compile it
struct snapshot_codec<Text> {
    static constexpr std::uint32_t version = 1;
    static void encode(std::string const& from, std::string& to) { to += from; }
    static std::optional<std::string> decode(std::string_view from) { return std::string(from); }
};

/// A view would not outlive the file: keep strings.
template<>
struct snapshot_codec<std::string_view>;

template<class T>
struct snapshot_codec<std::shared_ptr<T>> {
    using codec = snapshot_codec<std::remove_const_t<T>>;
    static constexpr std::uint32_t version = codec::version ^ 0x80000000u;
    /// A byte first: whether there is something.
    static void encode(std::shared_ptr<T> const& from, std::string& to)
    {
        to += from != nullptr ? '\1' : '\0';
        if (from != nullptr) codec::encode(*from, to);
    }
    static std::optional<std::shared_ptr<T>> decode(std::string_view from)
    {
        if (from.empty()) return std::nullopt;
        if (from[0] == '\0') return std::shared_ptr<T>();
        auto inside = codec::decode(from.substr(1));
        if (!inside) return std::nullopt;
        return std::make_shared<T>(*std::move(inside));
    }
};

} // namespace weir::inline v0
