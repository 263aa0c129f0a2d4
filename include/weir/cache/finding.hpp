// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/short_span.hpp>
#include <weir/core/clock.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace weir::inline v0 {

/// What a cache knows of the times of an answer.
struct answer_times {
    duration left = duration::max(); ///< until it goes out of date; below zero: it has been so for that long
    detail::written_spans spans{};   ///< what was noted when it was written

    /// The time to live that it was given, rounded down by less than a thousandth; zero if nobody knows.
    [[nodiscard]] duration ttl() const noexcept { return spans.ttl.value(); }
    /// How long its load took, rounded likewise; zero if nobody knows.
    [[nodiscard]] duration took() const noexcept { return spans.took.value(); }
};

/// What a look-up in a cache found: nothing (a miss), a value (a hit), or that there is no such thing (a negative answer).
template<class Value>
class finding {
public:
    /// A miss.
    finding() noexcept = default;
    /// A hit. Fresh, unless the times say otherwise.
    explicit finding(Value value, answer_times times = {}) : value_(std::move(value)), times_(times) {}
    /// A negative answer.
    [[nodiscard]] static finding absent(answer_times times = {}) noexcept
    {
        finding made;
        made.negative_ = true;
        made.times_ = times;
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
    [[nodiscard]] duration stale_for() const noexcept { return times_.left.count() < 0 ? -times_.left : duration::zero(); }
    /// How long the answer stays fresh; zero for one that is out of date, or none. For a refresh ahead, and with `took` for an early one by
    /// chance (XFetch: Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
    [[nodiscard]] duration left() const noexcept { return std::max(times_.left, duration::zero()); }
    /// How long ago the answer was written, to within a thousandth of its time to live; zero if the cache does not know.
    [[nodiscard]] duration age() const noexcept
    {
        duration const ttl = times_.ttl();
        return ttl.count() == 0 ? ttl : std::max(ttl - std::min(times_.left, ttl), duration::zero());
    }
    /// How long its load took, to within a thousandth; zero if nobody told the cache.
    [[nodiscard]] duration took() const noexcept { return times_.took(); }

    /// For caches: a miss becomes a hit, or a negative answer.
    void set(Value const& value, answer_times const& times)
    {
        value_.emplace(value);
        times_ = times;
    }
    void set(answer_times const& times) noexcept
    {
        negative_ = true;
        times_ = times;
    }

private:
    std::optional<Value> value_;
    answer_times times_{.left = duration::zero(), .spans = {}};
    bool negative_ = false;
};

} // namespace weir::inline v0
