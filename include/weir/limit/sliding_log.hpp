// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/ruled.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace weir::inline v0 {

struct sliding_log_options {
    required<std::uint64_t> permits;        ///< permits in any `per`, at least 1
    duration per = std::chrono::seconds{1}; ///< the window, at least 1 ns
    /// Calls that are told apart, 1 to 2^24; with more of them in one `per`, or reserved ahead, the last ones count as one.
    std::uint64_t entries = std::min<std::uint64_t>(permits, 65'536);
};

/// The arithmetic of `sliding_log`: functions of a ring of instants, each with what was taken then, oldest first.
class time_log {
public:
    class state {
    public:
        struct fresh_type {};
        explicit(false) state(fresh_type = {}) noexcept {}

    private:
        friend class time_log;
        struct entry {
            std::int64_t at;
            std::uint64_t cost;
        };
        entry& operator[](std::size_t i) const noexcept { return ring[(first + i) & (capacity - 1)]; }

        detail::owner<entry[]> ring;
        std::size_t capacity = 0; // a power of two
        std::size_t first = 0;
        std::size_t size = 0;
        std::uint64_t total = 0;                                        // of all costs
        std::int64_t latest = std::numeric_limits<std::int64_t>::min(); // the latest time told
    };
    static constexpr state::fresh_type fresh{};

    /// Throws `std::invalid_argument` for bad options.
    explicit time_log(sliding_log_options const& o) : permits_(o.permits), per_(o.per.count()), entries_(o.entries)
    {
        expect(permits_ >= 1, "permits", "at least 1");
        expect(per_ >= 1, "per", "at least 1 ns");
        expect(entries_ >= 1 && entries_ <= std::uint64_t{1} << 24, "entries", "1 to 2^24");
    }

    /// Gives a state its memory; what it holds stays.
    void prepare(state& s) const
    {
        std::size_t const wanted = std::bit_ceil(static_cast<std::size_t>(entries_));
        if (wanted <= s.capacity) return;
        detail::owner<state::entry[]> ring(new state::entry[wanted]);
        for (std::size_t i = 0; i < s.size; ++i) ring[i] = s[i];
        s.ring = std::move(ring);
        s.capacity = wanted;
        s.first = 0;
    }

    [[nodiscard]] decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        if (cost > permits_) return decision::impossible();
        forget(s, now);
        place const p = find(s, {0, 0}, now, cost);
        if (p.wait.count() > 0) return decision::refused(p.wait);
        add(s, p.at, cost);
        return decision::admitted();
    }
    [[nodiscard]] reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        if (cost > permits_) return reservation::refused(decision::impossible());
        forget(s, now);
        place const p = find(s, {0, 0}, now, cost);
        duration const longest_wait = std::max(max_wait, duration::zero());
        if (p.wait > longest_wait) return reservation::refused(decision::refused(p.wait - longest_wait));
        add(s, p.at, cost);
        return reservation::taken(p.wait);
    }
    /// Takes it off the newest.
    void refund(state& s, std::uint64_t cost) const noexcept
    {
        for (cost = std::min(cost, s.total); cost > 0;) {
            state::entry& newest = s[s.size - 1];
            std::uint64_t const off = std::min(newest.cost, cost);
            newest.cost -= off;
            s.total -= off;
            cost -= off;
            if (newest.cost == 0) --s.size;
        }
    }

    [[nodiscard]] std::uint64_t available(state const& s, time_point now) const noexcept
    {
        std::int64_t const time = std::max(count(now), s.latest);
        if (s.size > 0 && s[s.size - 1].at > time) return 0; // reserved ahead
        return permits_ - std::min(permits_, s.total - expired(s, time).cost);
    }
    [[nodiscard]] duration until_full(state const& s, time_point now) const noexcept
    {
        return is_full(s, now) ? duration::zero() : until(now, static_cast<wide>(s[s.size - 1].at) + per_);
    }
    [[nodiscard]] bool is_full(state const& s, time_point now) const noexcept
    {
        return s.size == 0 || is_over(s[s.size - 1].at, std::max(count(now), s.latest));
    }
    [[nodiscard]] quota quota_at(sliding_log_options const& o, state const& s, time_point now) const noexcept
    {
        std::uint64_t const there = available(s, now);
        duration const more =
            there < permits_ ? find(s, expired(s, std::max(s.latest, count(now))), now, there + 1).wait : duration::zero();
        return {o.permits, o.per, o.permits, there, until_full(s, now), more};
    }
    /// What is in the log counts on, by the new settings.
    [[nodiscard]] state adopt(state&& s, time_log const& old, time_point now) const noexcept
    {
        old.forget(s, now);
        return std::move(s);
    }

    friend bool operator==(time_log const&, time_log const&) noexcept = default;

private:
    __extension__ using wide = __int128;
    struct place {
        std::int64_t at;
        duration wait;
    };
    struct prefix {
        std::size_t size;
        std::uint64_t cost;
    };

    static std::int64_t count(time_point t) noexcept { return t.time_since_epoch().count(); }
    static duration until(time_point now, wide at) noexcept
    {
        wide const wait = at - count(now);
        return duration{static_cast<std::int64_t>(std::clamp<wide>(wait, 0, std::numeric_limits<std::int64_t>::max()))};
    }

    bool is_over(std::int64_t at, std::int64_t time) const noexcept
    {
        return at <= time && static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(at) >= static_cast<std::uint64_t>(per_);
    }
    prefix expired(state const& s, std::int64_t time) const noexcept
    {
        prefix p{0, 0};
        while (p.size < s.size && is_over(s[p.size].at, time)) p.cost += s[p.size++].cost;
        return p;
    }
    void forget(state& s, time_point now) const noexcept
    {
        s.latest = std::max(s.latest, count(now));
        prefix const p = expired(s, s.latest);
        s.first += p.size;
        s.size -= p.size;
        s.total -= p.cost;
    }
    // The first instant at which a cost passes, not before what was taken or reserved last.
    place find(state const& s, prefix gone, time_point now, std::uint64_t cost) const noexcept
    {
        std::int64_t const time = std::max(s.latest, count(now));
        std::uint64_t left = s.total - gone.cost;
        wide at = time;
        for (std::size_t i = gone.size; left > permits_ || cost > permits_ - left; ++i) {
            left -= s[i].cost;
            at = static_cast<wide>(s[i].at) + per_;
        }
        if (s.size > 0) at = std::max<wide>(at, s[s.size - 1].at);
        if (at <= time) return {time, duration::zero()};
        return {static_cast<std::int64_t>(std::min<wide>(at, std::numeric_limits<std::int64_t>::max())), until(now, at)};
    }
    void add(state& s, std::int64_t at, std::uint64_t cost) const noexcept
    {
        if (cost == 0) return;
        s.total += cost;
        if (s.size > 0 && (s[s.size - 1].at == at || s.size >= entries_)) {
            s[s.size - 1].at = at; // later than it was: it counts for longer
            s[s.size - 1].cost += cost;
            return;
        }
        s[s.size++] = {at, cost};
    }

    std::uint64_t permits_;
    std::int64_t per_;
    std::uint64_t entries_;
};

/// So many permits in any window of time, exactly: the instants of what was taken are kept until they are `per` ago, in a ring.
/// `weir::sliding_log{{.permits = 5, .per = 1min}}`. A call at t counts in [t, t + per).
///
/// Never more than `permits` in any span of `per`, nor fewer than that allows. The ring has `entries` places of 16 bytes, allocated when
/// the limiter is made and touched as they are used. With more calls within `per` than places, the latest of them counts together with the
/// next, from the later one's time: still never more, but some may be refused that would pass.
/// A reservation goes when enough of the log has passed, not before an earlier one. A refund takes off what was taken last.
/// Time: any `time_point`; one earlier than the latest counts as the latest.
///
/// Thread-safe as `sliding_log<shared>`, under a lock: the ring is more than a word. Cost: about 150 instructions; a weighted call looks at
/// as many entries as have to pass for it. Not for `keyed`, whose states are a few words: `gcra` or `sliding_window` are. Choose it where
/// few permits matter much: five attempts at a password a minute.
template<threading_model Threading = shared>
class sliding_log : public detail::ruled<sliding_log<Threading>, time_log, sliding_log_options, Threading> {
public:
    /// Throws `std::invalid_argument` for bad options.
    explicit sliding_log(sliding_log_options const& o) : detail::ruled<sliding_log<Threading>, time_log, sliding_log_options, Threading>(o)
    {
    }
};

} // namespace weir::inline v0
