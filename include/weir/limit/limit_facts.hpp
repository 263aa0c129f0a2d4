// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

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
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {text_.data(), std::size_t{size_}}; }

private:
    std::array<char, most> text_{};
    std::uint8_t size_ = 0;
};

/// Where one limit stands.
struct limit_fact {
    std::string_view name; ///< the limit's, `named<"per day">(gcra{...})`, or that of its policy; it outlives the call
    quota state{};         ///< as the limiter told it
};

/// Where the limits of a call stand: the facet that `rate_limit` and `throttle` report when they refuse a call, and with `tell_always` when
/// they let it pass. The HTTP edge writes it into the `RateLimit` fields. It lies in the call's frame, so it is small and trivially
/// copyable: up to four facts, and the key of one of them, the first whose policy says that it may be told.
class limit_facts {
public:
    /// As many are told, the first ones.
    static constexpr std::size_t most = 4;

    /// One of the same name is replaced: it was told by an earlier attempt.
    [[gnu::always_inline]] void add(limit_fact const& fact) noexcept // else the call would escape
    {
        std::size_t at = 0;
        while (at < size_ && facts_[at].name != fact.name) ++at;
        if (at == most) return;
        facts_[at] = fact;
        if (at == size_) ++size_;
    }
    /// The same, with the key.
    void add(limit_fact const& fact, partition_key const& key) noexcept
    {
        add(fact);
        if (!tells(fact.name) || (!key_.view().empty() && of_key_ != fact.name)) return;
        key_ = key;
        of_key_ = fact.name;
    }
    [[nodiscard]] detail::slice<limit_fact> all() const noexcept { return {facts_.data(), size_}; }
    /// The key of a limit, by its name; empty if it is not told.
    [[nodiscard]] std::string_view key_of(std::string_view name) const noexcept
    {
        return name == of_key_ ? key_.view() : std::string_view();
    }

private:
    bool tells(std::string_view name) const noexcept
    {
        for (limit_fact const& each : all())
            if (each.name == name) return true;
        return false;
    }

    std::array<limit_fact, most> facts_{};
    std::uint32_t size_ = 0;
    partition_key key_;
    std::string_view of_key_;
};

static_assert(std::is_trivially_copyable_v<limit_facts>);

namespace detail {

/// A call whose caller hears of its limits; that of a shadowed limit does not.
template<class Call>
concept hears_of_limits = requires(Call& call)
{
    {
        call.template reporting<limit_facts>()
        } -> std::same_as<limit_facts&>;
};

} // namespace detail

} // namespace weir::inline v0
