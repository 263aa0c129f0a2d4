// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/cached_stats.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/result.hpp>

#include <concepts>
#include <cstdint>

/// \file
/// The parts of which a `cached` is put together besides its store and its key. A part is a small value that has one or more of the
/// functions below; `cached` finds out which by the concepts, asks the parts in the order in which they were given, and has no code for
/// what none of them does. They may be given as `std::ref` or `std::shared_ptr`, and found again with
/// `svc.get<cached>().part<refresh_ahead>()`. A part of a cache that several threads use is called by all of them at once.
///
/// | what it has | is asked | the concept |
/// |---|---|---|
/// | `may_exist(key)` | on a miss: false answers "there is none" | `guard_of` |
/// | `wants_refresh(hit)` | on a hit of a value: true loads it anew meanwhile | `freshness_strategy` |
/// | `may_refresh(ahead)` | before that load begins: false leaves the value as it is | `refresh_throttle` |
/// | `is_valid(key, value, written_at)` | on a hit of a value: false makes a miss of it | `validity_rule` |
/// | `keeps(value)` | after a load: false keeps it out of the store | `keep_rule` |
/// | `stale_for(failure)` | when a load has failed: how old an answer may be to be given instead | `failure_strategy` |
/// | `spares_load(ahead)` | on a miss: true answers what is out of date, if there is something, without a load | `load_throttle` |
/// | `patience()` | on a miss: after that time a call takes what is out of date, while the load goes on | `soft_limit` |
/// | `load_ended(report)` | after each load | `load_watcher` |
/// | `missed(now, stats, tell)` | on each miss | `miss_watcher` |

namespace weir::inline v0 {

/// A hit, as a freshness strategy sees it.
class hit_facts {
public:
    enum class question : bool { draw, key };
    using answers = std::uint64_t(void*, question);

    time_point now{};
    duration age{};                       ///< since it was written
    duration time_left = duration::max(); ///< until it goes out of date
    duration load_time{};                 ///< how long its load took; zero if nobody knows

    hit_facts() = default;
    /// For `cached`: who answers what costs something.
    hit_facts(void* whom, answers* ask) noexcept : whom_(whom), ask_(ask) {}

    /// Uniform in (0, 1], drawn anew each time.
    [[nodiscard]] double draw() const { return static_cast<double>((ask_(whom_, question::draw) >> 11) + 1) * 0x1p-53; }
    /// A number of the key, the same for the same key.
    [[nodiscard]] std::uint64_t key() const { return ask_(whom_, question::key); }

private:
    void* whom_ = nullptr;
    answers* ask_ = [](void*, question) { return ~std::uint64_t{}; };
};

/// A load that has failed. A refusal by a policy further in is one, too; that there is no such thing is not, nor that the caller gave up.
struct load_failure {
    error why;
    time_point now;
    std::uint64_t key; ///< a number of the key, the same for the same key
};

/// A load that is about to begin.
struct load_ahead {
    time_point now;
    std::uint64_t key; ///< a number of the key, the same for the same key
};

/// A load that has ended; one that was cancelled is not told.
struct load_report {
    time_point now;
    duration took;
    std::uint64_t key; ///< a number of the key, the same for the same key
    bool failed;       ///< neither a value nor "there is none" came of it
    bool refresh;      ///< a value was there meanwhile
    error why;         ///< if it failed
};

/// Says of a hit whether it is to be loaded anew, while the value that is there answers. In an asynchronous pipeline `within` a scope the
/// load is a fork of its own; in any other the call that was told so loads, and the others get the old value meanwhile. There is one load a
/// key. If it fails the old value stays.
template<class T>
concept freshness_strategy = requires(T& t, hit_facts const& hit)
{
    {
        t.wants_refresh(hit)
        } -> std::convertible_to<bool>;
};

/// Says whether a value that is there may be loaded anew now, after a freshness strategy wanted it and no other call is at it.
template<class T>
concept refresh_throttle = requires(T& t, load_ahead const& ahead)
{
    {
        t.may_refresh(ahead)
        } -> std::convertible_to<bool>;
};

/// Says of a value in the store whether it still holds.
template<class T, class Key, class Value>
concept validity_rule = requires(T& t, Key const& key, Value const& value, time_point written_at)
{
    {
        t.is_valid(key, value, written_at)
        } -> std::convertible_to<bool>;
};

/// Says of a value that was loaded whether it may be kept.
template<class T, class Value>
concept keep_rule = requires(T& t, Value const& value)
{
    {
        t.keeps(value)
        } -> std::convertible_to<bool>;
};

/// Says how long an answer may be out of date to be given instead of a failure; zero: none. The store has such answers for its
/// `keep_stale`. Who gets one finds `weir::stale` among the facts of the reply. With several strategies the longest time counts.
template<class T>
concept failure_strategy = requires(T& t, load_failure const& failure)
{
    {
        t.stale_for(failure)
        } -> std::convertible_to<duration>;
};

/// Says that a load is not worth trying now, if an answer is there that is out of date: the last one failed a moment ago, say.
template<class T>
concept load_throttle = requires(T& t, load_ahead const& ahead)
{
    {
        t.spares_load(ahead)
        } -> std::convertible_to<bool>;
};

/// Says how long a call waits for a load before it takes an answer that is out of date, if there is one; above zero. The load goes on, also
/// without anybody who waits. With several the shortest counts. It holds for calls that wait: those that joined a load, and in an
/// asynchronous pipeline `within` a scope all.
template<class T>
concept soft_limit = requires(T& t)
{
    {
        t.patience()
        } -> std::convertible_to<duration>;
};

/// Is told of each load.
template<class T>
concept load_watcher = requires(T& t, load_report const& report)
{
    t.load_ended(report);
};

/// Where the loads that refresh values come from: `budget`, say, which retries and hedges share. `borrow(now)` takes one, false if there is
/// none; `give_back(then, now)` says that the one borrowed then has loaded a value.
template<class B>
concept refresh_budget = requires(B& b, time_point then)
{
    {
        b.borrow(then)
        } -> std::convertible_to<bool>;
    b.give_back(then, then);
};
/// As many refreshes as are wanted.
struct unbudgeted {
    static constexpr bool borrow(time_point) noexcept { return true; }
    static constexpr void give_back(time_point, time_point) noexcept {}
};

namespace detail {
struct any_stats {
    cached_stats operator()() const;
};
struct any_teller {
    void operator()(auto const&) const;
};
} // namespace detail

/// Is told of each miss; `stats()` gives the `cached_stats` as they are, at some cost, and `tell(event)` tells the call's observer.
template<class T>
concept miss_watcher = requires(T& t, time_point now, detail::any_stats const& stats, detail::any_teller const& tell)
{
    t.missed(now, stats, tell);
};

/// The fact that an answer of a cache is out of date, and why nothing better is there. In the reply: `reply.reported<weir::stale>()`.
struct stale {
    duration by{};                ///< for how long it has been out of date
    errc why = errc::unavailable; ///< of the load that failed; `errc::deadline_exceeded` if it takes too long, or was not tried
};

} // namespace weir::inline v0
