// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/store_write.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace weir::inline v0::detail {

/// What one change of a store takes out: how many for which cause, and copies if somebody wants to be told.
template<class Key, class Value>
class removals {
public:
    using listener = std::function<void(Key const&, Value const&, removal)>;

    explicit removals(listener const& to) noexcept : to_(to) {}

    void operator()(Key const& key, Value const& value, removal cause)
    {
        if constexpr (std::copy_constructible<Key>)
            if (to_) [[unlikely]]
                events_.push_back({key, value, cause});
        (*this)(cause);
    }
    void operator()(removal cause) noexcept
    {
        ++counts[static_cast<std::size_t>(cause)];
        any_ = true;
    }
    [[nodiscard]] bool any() const noexcept { return any_; }

    /// After the lock.
    void tell()
    {
        for (event const& each : events_) to_(each.key, each.value, each.cause);
    }

    std::array<std::uint64_t, 5> counts{}; // by cause

private:
    struct event {
        Key key;
        Value value;
        removal cause;
    };
    listener const& to_;
    std::vector<event> events_;
    bool any_ = false;
};

} // namespace weir::inline v0::detail
