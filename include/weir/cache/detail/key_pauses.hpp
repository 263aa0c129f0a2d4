// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weir::inline v0 {

/// When the load of a key is tried again that has failed.
struct load_backoff {
    duration retry_after = std::chrono::seconds(1);      ///< after the first failure, less up to a half by chance; above 0
    duration max_retry_after = std::chrono::seconds(30); ///< at most, doubled with each failure in a row; at least `retry_after`

    friend bool operator==(load_backoff const&, load_backoff const&) = default;
};

namespace detail {

inline void check_backoff(load_backoff const& b, char const* policy)
{
    expect(b.retry_after.count() > 0, std::string(policy) + ".retry_after", "more than 0");
    expect(b.max_retry_after >= b.retry_after, std::string(policy) + ".max_retry_after", "at least retry_after");
}

/// Keys that are left alone for a while, as their loads have failed or one is under way. A fixed number of places: of two keys that fall
/// into one the later takes it, and the other is tried once more than it should be. Keys are numbers that are spread evenly.
///
/// Thread-safe if `shared`, without a lock: what two threads write at once into one place may mix, which again is a try more or a pause too
/// long by one. 24 bytes a place.
template<threading_model Threading>
class key_pauses {
public:
    static constexpr std::size_t places = 512;

    key_pauses() : places_(places) {}

    [[nodiscard]] bool has(std::uint64_t key, time_point now) const noexcept
    {
        place const& p = at(key);
        return p.key.load() == key && now.time_since_epoch().count() < p.until.load();
    }
    /// Takes the key until then for one that tries; false if another one has.
    bool claim(std::uint64_t key, time_point now, duration pause) noexcept
    {
        place& p = at(key);
        std::int64_t seen = p.until.load();
        if (p.key.load() == key) {
            if (now.time_since_epoch().count() < seen) return false;
        } else
            p.row.store(0);
        if (!p.until.replace(seen, after(now, pause).time_since_epoch().count())) return false;
        p.key.store(key);
        return true;
    }
    void failed(std::uint64_t key, time_point now, load_backoff const& b) noexcept
    {
        place& p = at(key);
        std::uint32_t const row = p.key.load() == key ? std::min(p.row.load() + 1, 62u) : 1;
        // Doubled in floating point: no overflow.
        double const longest = std::min(static_cast<double>(b.retry_after.count()) * static_cast<double>(std::uint64_t{1} << (row - 1)),
                                        static_cast<double>(b.max_retry_after.count()));
        std::uint64_t chance = key + row;
        double const part = 0.5 + 0.5 * static_cast<double>(splitmix64(chance) >> 11) * 0x1p-53;
        p.row.store(row);
        p.until.store(after(now, duration(static_cast<duration::rep>(longest * part))).time_since_epoch().count());
        p.key.store(key);
    }
    void succeeded(std::uint64_t key) noexcept
    {
        place& p = at(key);
        if (p.key.load() != key) return;
        p.row.store(0);
        p.until.store(time_point::min().time_since_epoch().count());
    }

private:
    template<class T>
    using cell = typename Threading::template cell<T>;
    struct place {
        cell<std::uint64_t> key;
        cell<std::int64_t> until{time_point::min().time_since_epoch().count()};
        cell<std::uint32_t> row;
    };
    place& at(std::uint64_t key) noexcept { return places_[(key * 0x9e3779b97f4a7c15u) >> 55]; }
    place const& at(std::uint64_t key) const noexcept { return places_[(key * 0x9e3779b97f4a7c15u) >> 55]; }

    std::vector<place> places_;
};

} // namespace detail

} // namespace weir::inline v0
