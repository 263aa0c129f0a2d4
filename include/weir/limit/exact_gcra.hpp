// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/ruled.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>

namespace weir::inline v0 {

/// The arithmetic of `pace`, exact for every rate: it counts in units of `1 / permits` ns (both numbers of the rate shortened), in
/// which a nanosecond and a permit's interval are both whole. The state is the instant without credit, in these units, 128 bits;
/// with small numbers it fits a word.
class exact_pace {
    __extension__ using wide = __int128;

public:
    struct state {
        wide empty_at;
        friend bool operator==(state const&, state const&) noexcept = default;
    };
    static constexpr state fresh{static_cast<wide>(1) << 127};
    static constexpr std::int64_t elsewhere = std::numeric_limits<std::int64_t>::max();

    /// Throws `std::invalid_argument` for a rate that makes no sense, as `pace` does.
    explicit exact_pace(rate const& r) : burst_(r.burst)
    {
        static_cast<void>(pace(rate{.permits = 1, .per = r.per, .burst = 1}));
        expect(*r.permits >= 1 && *r.permits <= limit, "permits", "1 to 2^62");
        expect(r.burst >= 1 && r.burst <= limit, "burst", "1 to 2^62");
        std::uint64_t const common = std::gcd(*r.permits, static_cast<std::uint64_t>(r.per.count()));
        each_ns_ = static_cast<std::int64_t>(*r.permits / common);
        price_ = r.per.count() / static_cast<std::int64_t>(common);
        expect(tolerance() / each_ns_ < static_cast<wide>(limit), "burst", "burst x per / permits below 146 years");
    }

    [[nodiscard]] constexpr decision try_acquire(state& s, time_point now, std::uint64_t cost) const noexcept
    {
        if (cost > burst_) return decision::impossible();
        wide const left = credit(s, now) - static_cast<wide>(cost) * price_;
        if (left < 0) return decision::refused(time_for(-left));
        s = with_credit(left, now);
        return decision::admitted();
    }
    [[nodiscard]] constexpr reservation reserve(state& s, time_point now, std::uint64_t cost, duration max_wait) const noexcept
    {
        if (cost > burst_) return reservation::refused(decision::impossible());
        wide const left = credit(s, now) - static_cast<wide>(cost) * price_;
        duration const wait = left < 0 ? time_for(-left) : duration::zero();
        duration const longest_wait = std::clamp(max_wait, duration::zero(), duration{pace::longest});
        if (wait > longest_wait) return reservation::refused(decision::refused(wait - longest_wait));
        s = with_credit(left, now);
        return reservation::taken(wait);
    }
    constexpr void refund(state& s, std::uint64_t cost) const noexcept
    {
        wide const back = static_cast<wide>(std::min(cost, limit)) * price_; // below 2^125
        s.empty_at = s.empty_at < fresh.empty_at + back ? fresh.empty_at : s.empty_at - back;
    }

    [[nodiscard]] constexpr std::uint64_t available(state const& s, time_point now) const noexcept
    {
        return static_cast<std::uint64_t>(std::max<wide>(credit(s, now), 0) / price_);
    }
    [[nodiscard]] constexpr duration until_full(state const& s, time_point now) const noexcept
    {
        return time_for(tolerance() - credit(s, now));
    }
    [[nodiscard]] constexpr bool is_full(state const& s, time_point now) const noexcept { return credit(s, now) == tolerance(); }
    [[nodiscard]] constexpr quota quota_at(rate const& r, state const& s, time_point now) const noexcept
    {
        return {r.permits, r.per, r.burst, available(s, now), until_full(s, now), detail::until_more(*this, s, now, burst_)};
    }

    /// The permits in use, or reserved, stay so; a part of one counts as one nanosecond more of the new pace at most.
    [[nodiscard]] constexpr state adopt(state const& s, exact_pace const& old, time_point now) const noexcept
    {
        wide const debt = old.tolerance() - old.credit(s, now);
        wide const whole = std::min<wide>(debt / old.price_, limit);
        // What is left is less than one permit of the old pace: as many parts of 2^62 of a permit of this, rounded up.
        wide const part = (debt % old.price_ * static_cast<wide>(limit) + old.price_ - 1) / old.price_;
        wide const here = whole * price_ + (part * price_ + static_cast<wide>(limit) - 1) / static_cast<wide>(limit);
        return with_credit(tolerance() - here, now);
    }

    [[nodiscard]] constexpr bool pack(state const& s, std::int64_t& word) const noexcept
    {
        if (s == fresh) {
            word = std::numeric_limits<std::int64_t>::min();
            return true;
        }
        if (s.empty_at >= elsewhere || s.empty_at <= std::numeric_limits<std::int64_t>::min()) return false;
        word = static_cast<std::int64_t>(s.empty_at);
        return true;
    }
    [[nodiscard]] constexpr state unpack(std::int64_t word) const noexcept
    {
        return word == std::numeric_limits<std::int64_t>::min() ? fresh : state{word};
    }
    [[nodiscard]] constexpr bool quick(std::int64_t seen, time_point now, std::uint64_t cost, std::int64_t& next) const noexcept
    {
        std::int64_t need = 0;
        std::int64_t time = 0;
        std::int64_t most = 0;
        if (cost > burst_ || __builtin_mul_overflow(static_cast<std::int64_t>(cost), price_, &need) ||
            __builtin_mul_overflow(static_cast<std::int64_t>(burst_), price_, &most) ||
            __builtin_mul_overflow(now.time_since_epoch().count(), each_ns_, &time))
            return false;
        std::int64_t since = 0;
        if (seen == std::numeric_limits<std::int64_t>::min() || __builtin_sub_overflow(time, seen, &since)) since = seen < 0 ? most : -1;
        since = std::min(since, most);
        return since >= need && !__builtin_sub_overflow(time, since - need, &next) && next != elsewhere &&
               next != std::numeric_limits<std::int64_t>::min();
    }

    friend constexpr bool operator==(exact_pace const&, exact_pace const&) noexcept = default;

private:
    static constexpr std::uint64_t limit = std::uint64_t{1} << 62;

    constexpr wide tolerance() const noexcept { return static_cast<wide>(burst_) * price_; } // below 2^125
    constexpr wide units(time_point t) const noexcept { return static_cast<wide>(t.time_since_epoch().count()) * each_ns_; }
    constexpr wide credit(state const& s, time_point now) const noexcept
    {
        if (s == fresh) return tolerance();
        wide const time = units(now);
        if (s.empty_at < time - tolerance()) return tolerance(); // so that the difference is not too large for its type
        return time - s.empty_at;
    }
    constexpr state with_credit(wide credit, time_point now) const noexcept { return {units(now) - credit}; }
    constexpr duration time_for(wide credit) const noexcept
    {
        wide const ns = (credit + each_ns_ - 1) / each_ns_;
        return ns > duration::max().count() ? duration::max() : duration{static_cast<std::int64_t>(ns)};
    }

    std::int64_t each_ns_ = 1; // the credit of a nanosecond
    std::int64_t price_ = 1;   // of a permit
    std::uint64_t burst_;
};

/// `gcra` and `token_bucket`, exact where `permits` does not divide `per` as well: `weir::exact_gcra{{.permits = 3, .per = 1s}}`
/// admits three calls each second for ever, where `gcra` admits one each 333,333,334 ns; `{.permits = 3, .per = 2ns}` more than one a
/// nanosecond. A call passes at the first nanosecond at which its permits are there. With a `burst` of 1 the part of a nanosecond by
/// which it is late runs over; a larger bucket keeps it.
///
/// Time: any `time_point`. Thread-safe; lock-free as `gcra` while instants in units of `1 / permits` ns fit 64 bits (three permits a
/// second: 97 years of the clock; seven a second: 41; a million and one: two and a half hours), and beyond that under a lock, as exactly.
/// Memory: 144 bytes with the lock. Cost: twice the instructions of `gcra`. A key of `keyed` takes 16 bytes beside the key. Choose `gcra`
/// wherever the rate divides, or a billionth less does not matter: it is quicker.
template<threading_model Threading = shared>
class exact_gcra : public detail::ruled<exact_gcra<Threading>, exact_pace, rate, Threading> {
public:
    /// Full from the beginning. Throws `std::invalid_argument` for bad options.
    explicit exact_gcra(rate const& r) : detail::ruled<exact_gcra<Threading>, exact_pace, rate, Threading>(r) {}
};

} // namespace weir::inline v0
