// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace weir::inline v0 {

/// The key of a limit as it is told to whoever is limited by it: a short text, held in place. A key that is longer than `most` bytes, or
/// neither text nor an integer, is not told.
class partition_key {
public:
    static constexpr std::size_t most = 39; // a UUID and a little more

    constexpr partition_key() noexcept = default;
    template<class Key>
    explicit partition_key(Key const& key) noexcept
    {
        if constexpr (std::convertible_to<Key const&, std::string_view>) {
            std::string_view const text(key);
            if (text.size() > most) return;
            std::copy(text.begin(), text.end(), text_.begin());
            size_ = static_cast<std::uint8_t>(text.size());
        } else if constexpr (std::integral<Key>) {
            auto const end = std::to_chars(text_.data(), text_.data() + most, key).ptr;
            size_ = static_cast<std::uint8_t>(end - text_.data());
        }
    }
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, most> text_{};
    std::uint8_t size_ = 0;
};

/// Where one limit stands.
struct limit_fact {
    std::string_view name;        ///< the limit's, `named<"per day">(gcra{...})`, or that of its policy; it outlives the call
    quota state{};                ///< as the limiter told it
    partition_key partition = {}; ///< the key, where the policy says that it may be told; else empty
};

/// Where the limits of a call stand: the facet that `rate_limit` and `throttle` report when they refuse a call, and with `tell_always` when
/// they let it pass. The HTTP edge writes it into the `RateLimit` fields.
class limit_facts {
public:
    /// As many are told, the first ones.
    static constexpr std::size_t most = 4;

    /// One of the same name is replaced: it was told by an earlier attempt.
    void add(limit_fact const& fact) noexcept
    {
        auto const end = facts_.begin() + size_;
        auto const same = std::find_if(facts_.begin(), end, [&](limit_fact const& f) { return f.name == fact.name; });
        if (same == facts_.end()) return;
        *same = fact;
        if (same == end) ++size_;
    }
    [[nodiscard]] std::span<limit_fact const> all() const noexcept { return {facts_.data(), size_}; }

private:
    std::array<limit_fact, most> facts_{};
    std::uint8_t size_ = 0;
};

} // namespace weir::inline v0
