// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct staggered_warm_up_options {
    required<std::size_t> max_concurrent; ///< loads at a time; at least 1
    duration pause{};                     ///< between the beginnings of two loads, at least; 0 or more
    double spread = 0.5;                  ///< the part of a time to live over which values loaded here go out of date; in [0, 1)
};

struct staggered_warm_up_stats {
    std::size_t keys = 0;   ///< to be loaded, all together
    std::size_t begun = 0;  ///< loads
    std::size_t loaded = 0; ///< loads that have ended well
    std::size_t failed = 0; ///< loads that have not
    void each(auto&& field) const
    {
        field("keys", static_cast<std::uint64_t>(keys));
        field("begun_total", static_cast<std::uint64_t>(begun));
        field("loaded_total", static_cast<std::uint64_t>(loaded));
        field("failed_total", static_cast<std::uint64_t>(failed));
    }
};

/// Fills a cache at the start of a service, a bounded number of loads at a time, and so that what was loaded together does not go out of
/// date together. It decides and does nothing: who drives it asks for the next key, loads it, through the pipeline say, and tells the end.
/// ```cpp
/// weir::staggered_warm_up<std::string> warm{hot_symbols, {.max_concurrent = 8}};
/// weir::store<std::string, quote> quotes{{.capacity = 100'000, .ttl = 60s},
///                                        {.time_to_live = [&](auto const&, auto const&) { return warm.time_to_live(60s); }}};
/// // each of eight workers:
/// while (!warm.finished()) {
///     auto const next = warm.next(now());
///     if (next.key == nullptr) { wait until next.again, or until another load has ended; continue; }
///     warm.ended((co_await svc(*next.key)).has_value());
/// }
/// ```
/// The times to live are the points of a low-discrepancy sequence (multiples of the golden ratio, Weyl) over the last `spread` of the ttl:
/// any stretch of time gets its share of them and hardly more, also when few were loaded, where chance would clot. The store's jitter comes
/// on top.
///
/// Thread-safe, by a lock where it is `shared`. Memory: the keys. It outlives what it is asked for.
template<class Key, threading_model Threading = shared>
class staggered_warm_up {
public:
    using options = staggered_warm_up_options;
    using stats_type = staggered_warm_up_stats;

    /// What to do next.
    struct step {
        Key const* key;   ///< to be loaded now; null: nothing
        time_point again; ///< then ask again: the next load may begin; `never`: when a load has ended, or not at all if it is finished
    };

    /// Throws `std::invalid_argument` that names the member.
    staggered_warm_up(std::vector<Key> keys, options const& o) : keys_(std::move(keys)), options_(o)
    {
        expect(*o.max_concurrent >= 1, "staggered_warm_up.max_concurrent", "at least 1");
        expect(o.pause.count() >= 0, "staggered_warm_up.pause", "0 or more");
        expect(o.spread >= 0 && o.spread < 1, "staggered_warm_up.spread", "a ratio in [0, 1)");
        stats_.keys = keys_.size();
    }

    [[nodiscard]] step next(time_point now)
    {
        std::scoped_lock const lock(mutex_);
        if (stats_.begun == keys_.size() || under_way() == *options_.max_concurrent) return {nullptr, never};
        if (now < free_at_) return {nullptr, free_at_};
        free_at_ = after(now, options_.pause);
        return {&keys_[stats_.begun++], now};
    }
    /// A load that `next` asked for has ended.
    void ended(bool loaded)
    {
        std::scoped_lock const lock(mutex_);
        if (under_way() != 0) ++(loaded ? stats_.loaded : stats_.failed);
    }
    /// Whether every key was loaded, or has failed.
    [[nodiscard]] bool finished() const
    {
        std::scoped_lock const lock(mutex_);
        return stats_.loaded + stats_.failed == keys_.size();
    }
    /// How long a value that is written now is good for, whose usual time is `ttl`: until it is finished somewhere in
    /// `[ttl * (1 - spread), ttl]`, for `store_hooks::time_to_live`; after that `ttl`.
    [[nodiscard]] duration time_to_live(duration ttl)
    {
        std::scoped_lock const lock(mutex_);
        if (stats_.loaded + stats_.failed == keys_.size()) return ttl;
        place_ += 0.6180339887498949;
        place_ -= std::floor(place_);
        auto const off = static_cast<std::int64_t>(static_cast<double>(ttl.count()) * options_.spread * place_);
        return std::max(ttl - duration{off}, duration{1});
    }
    [[nodiscard]] stats_type stats() const
    {
        std::scoped_lock const lock(mutex_);
        return stats_;
    }

private:
    std::size_t under_way() const noexcept { return stats_.begun - stats_.loaded - stats_.failed; }

    std::vector<Key> keys_;
    options options_;
    mutable typename Threading::mutex mutex_;
    stats_type stats_;
    time_point free_at_ = time_point::min();
    double place_ = 0;
};

} // namespace weir::inline v0
