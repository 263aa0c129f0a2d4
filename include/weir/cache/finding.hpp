// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <optional>
#include <utility>

namespace weir::inline v0 {

/// What a look-up in a cache found: nothing (a miss), a value (a hit), or that there is no such thing (a negative answer).
template<class Value>
class finding {
public:
    /// A miss.
    finding() noexcept = default;
    /// A hit, of a value that has been out of date for `stale_for`.
    explicit finding(Value value, duration stale_for = {}) : value_(std::move(value)), stale_for_(stale_for) {}
    /// A negative answer.
    [[nodiscard]] static finding absent(duration stale_for = {}) noexcept
    {
        finding made;
        made.negative_ = true;
        made.stale_for_ = stale_for;
        return made;
    }

    [[nodiscard]] bool hit() const noexcept { return value_.has_value(); }
    [[nodiscard]] bool negative() const noexcept { return negative_; }
    [[nodiscard]] bool miss() const noexcept { return !hit() && !negative(); }
    explicit operator bool() const noexcept { return hit(); }

    /// The value of a hit; undefined for anything else.
    [[nodiscard]] Value& operator*() & noexcept { return *value_; }
    [[nodiscard]] Value const& operator*() const& noexcept { return *value_; }
    [[nodiscard]] Value&& operator*() && noexcept { return *std::move(value_); }
    [[nodiscard]] Value* operator->() noexcept { return &*value_; }
    [[nodiscard]] Value const* operator->() const noexcept { return &*value_; }

    /// For how long the answer has been out of date; zero while it is fresh, and always from `store::find`.
    [[nodiscard]] duration stale_for() const noexcept { return stale_for_; }

private:
    std::optional<Value> value_;
    duration stale_for_{};
    bool negative_ = false;
};

} // namespace weir::inline v0
