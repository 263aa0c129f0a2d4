// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/parts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

/// How long a call waits for a load before it takes an answer that is out of date: the soft limit of a load's time; a part of a `cached`.
/// The hard limit is a `timeout` further in:
/// ```cpp
/// weir::cached{weir::store<symbol, quote>{{.capacity = 100'000, .ttl = 30s, .keep_stale = 10min}}, key, weir::soft_timeout{50ms}},
/// weir::timeout{2s}, fetch_quote
/// ```
/// After the soft limit callers are answered with the stale value, reported as `weir::stale`, while the load goes on in the background and
/// fills the store; the hard limit ends it. Where nothing is there that is out of date (see `keep_stale`), a call waits for the load. It
/// wants an asynchronous pipeline `within` a scope; without, it holds for the calls that have joined another one's load, not for that one.
///
/// What a hit costs does not change; a miss looks whether there is a stale answer. Thread-safe if `shared`.
template<threading_model Threading = shared>
class soft_timeout {
public:
    static constexpr std::string_view name = "soft_timeout";

    /// The limit is above 0. Throws `std::invalid_argument`.
    explicit soft_timeout(duration limit) : limit_(checked(limit).count()) {}

    [[nodiscard]] duration patience() const noexcept { return settings(); }

    [[nodiscard]] duration settings() const noexcept { return duration(limit_.load()); }
    /// Another limit for calls from now on. Throws `std::invalid_argument` and changes nothing if it is bad.
    void reconfigure(duration limit) { limit_.store(checked(limit).count()); }
    void describe(auto&& field) const { field("soft_timeout", settings()); }

private:
    static duration checked(duration limit)
    {
        expect(limit.count() > 0, "soft_timeout", "more than 0");
        return limit;
    }

    typename Threading::template cell<std::int64_t> limit_;
};
soft_timeout(duration)->soft_timeout<>;

} // namespace weir::inline v0
