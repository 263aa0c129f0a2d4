// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// A limiter's answer: admitted; refused until a wait is over; or impossible, as the cost is above the burst and no wait will help.
/// Eight bytes, trivially copyable. True if admitted.
class decision {
public:
    constexpr decision() noexcept = default;

    [[nodiscard]] static constexpr decision admitted() noexcept { return {}; }
    /// Refused, to be tried again after `wait`, which is at least one nanosecond.
    [[nodiscard]] static constexpr decision refused(duration wait) noexcept { return decision{std::max<std::int64_t>(wait.count(), 1)}; }
    [[nodiscard]] static constexpr decision impossible() noexcept { return decision{-1}; }

    constexpr explicit operator bool() const noexcept { return answer_ == 0; }
    [[nodiscard]] constexpr bool is_impossible() const noexcept { return answer_ < 0; }
    /// The shortest wait after which the same call is admitted if nobody else takes permits; zero if it is admitted now,
    /// `duration::max()` if it never is.
    [[nodiscard]] constexpr duration retry_after() const noexcept { return is_impossible() ? duration::max() : duration{answer_}; }

    friend constexpr bool operator==(decision, decision) noexcept = default;

private:
    constexpr explicit decision(std::int64_t answer) noexcept : answer_(answer) {}
    std::int64_t answer_ = 0;
};

static_assert(sizeof(decision) == 8 && std::is_trivially_copyable_v<decision>);

/// The answer to `reserve`: the permits are taken and can be used after a wait, or nothing was taken as the wait would be too long.
/// True if taken.
class reservation {
public:
    [[nodiscard]] static constexpr reservation taken(duration wait) noexcept { return {decision::admitted(), wait}; }
    [[nodiscard]] static constexpr reservation refused(decision why) noexcept { return {why, duration::zero()}; }

    constexpr explicit operator bool() const noexcept { return static_cast<bool>(answer_); }
    /// How long to wait before the permits that were taken may be used; zero if at once.
    [[nodiscard]] constexpr duration wait() const noexcept { return wait_; }
    [[nodiscard]] constexpr bool is_impossible() const noexcept { return answer_.is_impossible(); }
    /// The shortest time after which the same reservation is granted if nobody else takes permits.
    [[nodiscard]] constexpr duration retry_after() const noexcept { return answer_.retry_after(); }

private:
    constexpr reservation(decision answer, duration wait) noexcept : answer_(answer), wait_(wait) {}
    decision answer_;
    duration wait_;
};

/// Where a limiter stands: what the `RateLimit` and `RateLimit-Policy` fields of HTTP say
/// (draft-ietf-httpapi-ratelimit-headers).
struct quota {
    std::uint64_t limit;              ///< permits a window
    duration window;                  ///< the window's length
    std::uint64_t burst;              ///< the most permits that can be had at once
    std::uint64_t remaining;          ///< permits that can be had now
    duration until_full;              ///< time until `remaining` is `burst` again if nobody takes any
    duration until_more = until_full; ///< time until there is one permit more than now; zero if there will be no more
};

/// An algorithm that says whether a call may pass, by permits and time. It reads no clock: it is told the time.
///
/// - A refusal changes nothing. `retry_after` is exact: then the call is admitted, one nanosecond sooner it is not.
/// - A cost above the burst is impossible, at any time. A cost of zero takes nothing, and passes unless permits are reserved ahead.
/// - An earlier time than the last one told gives nothing back.
/// - `drain` takes what is there, at most so much, and says how much that was.
/// - `refund` gives permits back that were taken and not used; never more than a full burst comes of it.
/// - `is_full`: behaves like a fresh one from now on.
/// - `peek(now, cost) const`, which a limiter may have: what `try_acquire` would answer; it takes nothing.
/// - `reconfigure` throws `std::invalid_argument` and changes nothing if the options are bad; permits in use stay in use.
///
/// The smallest one lets everything pass:
/// ```
/// struct unlimited {
///     struct options {};
///     decision try_acquire(time_point, std::uint64_t = 1) { return decision::admitted(); }
///     reservation reserve(time_point, std::uint64_t, duration) { return reservation::taken({}); }
///     std::uint64_t drain(time_point, std::uint64_t most) { return most; }
///     void refund(std::uint64_t) {}
///     std::uint64_t available(time_point) const { return ~std::uint64_t{}; }
///     bool is_full(time_point) const { return true; }
///     quota quota_at(time_point) const { return {~0ull, duration{1}, ~0ull, ~0ull, {}}; }
///     options settings() const { return {}; }
///     void reconfigure(options) {}
/// };
/// ```
template<class T>
concept limiter = requires(T& t, T const& seen, time_point now, std::uint64_t cost, duration max_wait, typename T::options options)
{
    {
        t.try_acquire(now)
        } -> std::same_as<decision>;
    {
        t.try_acquire(now, cost)
        } -> std::same_as<decision>;
    {
        t.reserve(now, cost, max_wait)
        } -> std::same_as<reservation>;
    {
        t.drain(now, cost)
        } -> std::same_as<std::uint64_t>;
    t.refund(cost);
    {
        seen.available(now)
        } -> std::same_as<std::uint64_t>;
    {
        seen.is_full(now)
        } -> std::same_as<bool>;
    {
        seen.quota_at(now)
        } -> std::same_as<quota>;
    {
        seen.settings()
        } -> std::same_as<typename T::options>;
    t.reconfigure(options);
};

/// The algorithm of a limiter without a home for its state: pure functions of settings, a state and the time, for who keeps many
/// states under one lock, as `keyed` does. `adopt` brings a state from an older rule to this one; `quota_at` is told the options, as a rule
/// need not keep them.
template<class R>
concept limiting_rule = std::equality_comparable<R> &&
    requires(R const& rule, typename R::state& s, time_point now, std::uint64_t cost, duration max_wait)
{
    {
        R::fresh
        } -> std::convertible_to<typename R::state>;
    {
        rule.try_acquire(s, now, cost)
        } -> std::same_as<decision>;
    {
        rule.reserve(s, now, cost, max_wait)
        } -> std::same_as<reservation>;
    rule.refund(s, cost);
    {
        rule.available(s, now)
        } -> std::same_as<std::uint64_t>;
    {
        rule.until_full(s, now)
        } -> std::same_as<duration>;
    {
        rule.is_full(s, now)
        } -> std::same_as<bool>;
    {
        rule.adopt(std::move(s), rule, now)
        } -> std::same_as<typename R::state>;
};

namespace detail {

/// `drain`, by a rule.
template<limiting_rule R>
constexpr std::uint64_t drain(R const& rule, typename R::state& s, time_point now, std::uint64_t most) noexcept
{
    std::uint64_t const taken = std::min(most, rule.available(s, now));
    return taken > 0 && rule.try_acquire(s, now, taken) ? taken : 0;
}

/// The `until_more` of a quota, by a rule.
template<limiting_rule R>
constexpr duration until_more(R const& rule, typename R::state s, time_point now, std::uint64_t burst) noexcept
{
    std::uint64_t const there = rule.available(s, now);
    return there < burst ? rule.try_acquire(s, now, there + 1).retry_after() : duration::zero();
}

/// `quota_at`, by a rule, with the time until there is one permit more: when a call that costs one more than there are would be admitted.
template<limiting_rule R, class Options>
constexpr quota quota_of(R const& rule, Options const& o, typename R::state const& s, time_point now)
{
    quota q = rule.quota_at(o, s, now);
    if constexpr (std::is_trivially_copyable_v<typename R::state>) {
        typename R::state copy = s;
        decision const more = rule.try_acquire(copy, now, q.remaining + 1);
        q.until_more = more || more.is_impossible() ? duration::zero() : more.retry_after();
    }
    return q;
}

} // namespace detail

/// A limiter that can be had per key: its state is a few words.
template<class T>
concept keyable_limiter = limiter<T> && limiting_rule<typename T::rule_type> &&
    std::is_trivially_copyable_v<typename T::rule_type::state> && std::constructible_from<typename T::rule_type, typename T::options> &&
    requires(T const& t, typename T::rule_type::state const& s, time_point now)
{
    {
        t.rule().quota_at(t.settings(), s, now)
        } -> std::same_as<quota>;
    typename T::threading;
    {
        t.rule()
        } -> std::same_as<typename T::rule_type>;
};

namespace advice {
template<class Limiter>
struct limit_of {
    struct cannot_be_had_per_key__what_it_keeps_is_more_than_a_few_words__gcra_or_sliding_window_can;
};
} // namespace advice

namespace detail {
template<class Limiter>
constexpr bool is_keyable()
{
    if constexpr (!keyable_limiter<Limiter>)
        static_cast<void>(sizeof(typename advice::limit_of<
                                 Limiter>::cannot_be_had_per_key__what_it_keeps_is_more_than_a_few_words__gcra_or_sliding_window_can));
    return true;
}
} // namespace detail

} // namespace weir::inline v0
