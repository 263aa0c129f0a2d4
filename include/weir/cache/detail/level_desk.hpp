// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/pending_deletes.hpp>
#include <weir/cache/level.hpp>
#include <weir/core/admission.hpp>
#include <weir/core/awaitable.hpp>
#include <weir/core/call.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/policy.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// The same kind of awaitable, of another value.
template<class Awaitable, class T>
struct rebound_awaitable;
template<template<class, class...> class Awaitable, class Old, class... More, class T>
struct rebound_awaitable<Awaitable<Old, More...>, T> {
    using type = Awaitable<T, More...>;
};

struct level_stats {
    std::uint64_t hits = 0;            ///< look-ups answered by the level, with a value or "there is none"
    std::uint64_t misses = 0;          ///< look-ups that found nothing
    std::uint64_t failures = 0;        ///< operations that the level did not answer
    std::uint64_t spared = 0;          ///< look-ups that the gate did not let through
    std::uint64_t blind_loads = 0;     ///< calls that went on without the level
    std::uint64_t refused = 0;         ///< calls refused as too many did
    std::uint64_t waits = 0;           ///< times that a call waited for another instance's load
    std::uint64_t writes = 0;          ///< answers written
    std::uint64_t outdated = 0;        ///< answers not written, as the key was deleted or written meanwhile
    std::uint64_t pending_deletes = 0; ///< deletes that wait now
    void each(auto&& field) const
    {
        field("hits_total", hits);
        field("misses_total", misses);
        field("failures_total", failures);
        field("spared_total", spared);
        field("blind_loads_total", blind_loads);
        field("refused_total", refused);
        field("waits_total", waits);
        field("writes_total", writes);
        field("outdated_total", outdated);
        field("pending_deletes", pending_deletes);
    }
};

/// Calls that load without a second level, at most so many at a time.
class blind_loads {
public:
    explicit blind_loads(std::uint32_t most) noexcept : most_(most) {}
    [[nodiscard]] bool enter() noexcept
    {
        if (now_.add(1) < most_) return true;
        leave();
        return false;
    }
    void leave() noexcept { now_.add(~std::uint32_t{}); }

private:
    std::uint32_t most_;
    shared::cell<std::uint32_t> now_;
};

/// A call as the gate in front of a second level sees it: what is judged is the level's answer, not that of the handler.
struct level_call {
    time_point at;
    weir::deadline until;
    [[nodiscard]] time_point now() const noexcept { return at; }
    [[nodiscard]] weir::deadline const& deadline() const noexcept { return until; }
    [[nodiscard]] static bool failed(auto const& outcome) { return default_classifier{}(outcome); }
    static void tell(auto const&) noexcept {}
};

/// A second level with what stands around it: the gate, the deletes that wait, the counts.
template<class Level, class Gate>
class level_desk {
public:
    using level_type = policy_t<Level>;
    using gate_type = policy_t<Gate>;
    using key_type = typename level_type::key_type;
    using erased = decltype(std::declval<level_type&>().erase(std::declval<key_type const&>(), time_point{}));
    static constexpr bool is_later = awaitable<erased>;
    struct tally {
        count_cell hits, misses, failures, spared, blind, refused, waits, writes, outdated;
    };
    template<class T, bool IsLater = is_later>
    struct later_of {
        using type = T;
    };
    template<class T>
    struct later_of<T, true> : rebound_awaitable<erased, T> {
    };
    /// What an operation made of several gives: at once or when it is awaited, as the level does.
    template<class T>
    using later = typename later_of<T>::type;

    level_desk(Level level, Gate gate, std::uint32_t max_blind_loads, std::size_t max_pending, std::optional<std::uint64_t> seed)
        : level_(std::move(level)),
          gate_(std::move(gate)),
          blind_(max_blind_loads),
          pending_(max_pending),
          random_(seed.value_or(random_seed()))
    {
    }
    level_desk(level_desk&& other) noexcept = default;

    [[nodiscard]] level_type& level() noexcept { return unwrapped<Level>::of(level_); }
    [[nodiscard]] gate_type& gate() noexcept { return unwrapped<Gate>::of(gate_); }
    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }
    [[nodiscard]] bool is_to_be_deleted(key_type const& key) { return pending_.contains(key); }

    /// What the gate lends until the level has answered.
    class permit {
    public:
        permit() = default;
        permit(permit const&) = delete;
        permit& operator=(permit const&) = delete;
        ~permit()
        {
            if constexpr (requires(gate_type & gate, lent one) { gate.cancel(one); })
                if (of_ != nullptr) of_->gate().cancel(*held_);
        }

    private:
        friend level_desk;
        using lent = typename decltype(std::declval<gate_type&>().admit(std::declval<level_call&>()))::permit_type;
        level_desk* of_ = nullptr;
        std::optional<lent> held_;
    };
    /// Whether the gate lets the level be asked.
    [[nodiscard]] bool may_ask(auto& call, permit& p)
    {
        level_call seen{call.now(), call.deadline()};
        auto const admission = gate().admit(seen);
        if (!admission) {
            count(&tally::spared);
            return false;
        }
        p.held_.emplace(admission.permit());
        p.of_ = this;
        return true;
    }
    /// The level has answered a look-up, or has not.
    void heard(auto& call, permit& p, auto const& found)
    {
        level_call seen{call.now(), call.deadline()};
        p.of_ = nullptr;
        if constexpr (requires { gate().settle(*p.held_, found, seen); }) gate().settle(*p.held_, found, seen);
        count(found.has_error() ? &tally::failures : found->value || found->absent ? &tally::hits : &tally::misses);
    }
    /// Where a call that goes on without the level leaves again; null: too many do.
    [[nodiscard]] blind_loads* go_on_blind()
    {
        bool const may = blind_.enter();
        count(may ? &tally::blind : &tally::refused);
        return may ? &blind_ : nullptr;
    }
    void waits() { count(&tally::waits); }
    void wrote(auto const& told) { count(told.has_error() ? &tally::failures : *told != 0 ? &tally::writes : &tally::outdated); }

    /// Uniform in `[ttl * (1 - jitter), ttl]`, above zero.
    [[nodiscard]] duration jittered(duration ttl, double jitter)
    {
        std::uint64_t state = random_.add(0x9e3779b97f4a7c15u);
        double const drawn = static_cast<double>(splitmix64(state) >> 11) * 0x1p-53;
        return std::max(ttl - duration(static_cast<duration::rep>(static_cast<double>(ttl.count()) * jitter * drawn)), duration(1));
    }

    auto erase(key_type key, time_point now) -> later<result<std::uint64_t>>
    {
        // It waits from the start: until it is done the level is passed by for this key.
        if (!pending_.add(key)) return too_many();
        return erase_first(std::move(key), now);
    }
    auto flush(time_point now) -> later<std::size_t>
    {
        if constexpr (is_later)
            return flush_later(now);
        else {
            for (std::size_t left = pending_.size(); left > 0; --left) {
                std::optional<key_type> const key = pending_.begin();
                if (!key) break;
                bool const all_done = gone(level().erase(*key, now)) && gone(level().publish(*key));
                pending_.end(*key, all_done);
                if (!all_done) break;
            }
            return pending_.size();
        }
    }

    [[nodiscard]] level_stats stats() const
    {
        level_stats s;
        tallies_.for_each([&](tally const& each) {
            s.hits += each.hits.load();
            s.misses += each.misses.load();
            s.failures += each.failures.load();
            s.spared += each.spared.load();
            s.blind_loads += each.blind.load();
            s.refused += each.refused.load();
            s.waits += each.waits.load();
            s.writes += each.writes.load();
            s.outdated += each.outdated.load();
        });
        s.pending_deletes = pending_.size();
        return s;
    }

private:
    void count(count_cell tally::*what)
    {
        auto const mine = tallies_.local();
        (mine.stripe.*what).add(1, mine.alone);
    }
    template<class T>
    bool gone(result<T> const& told)
    {
        if (told.has_error()) count(&tally::failures);
        return told.has_value();
    }
    static auto too_many() -> later<result<std::uint64_t>>
    {
        if constexpr (is_later)
            return too_many_later();
        else
            return errc::overloaded;
    }
    // Templates, so that a level without awaitables has no coroutine.
    template<class Told = later<result<std::uint64_t>>>
    static Told too_many_later()
    {
        co_return errc::overloaded;
    }
    auto erase_first(key_type key, time_point now) -> later<result<std::uint64_t>>
    {
        if constexpr (is_later)
            return erase_later(std::move(key), now);
        else {
            flush(now);
            return pending_.contains(key) ? 0u : 1u;
        }
    }
    template<class Told = later<result<std::uint64_t>>>
    Told erase_later(key_type key, time_point now)
    {
        auto flushing = flush(now);
        co_await std::move(flushing);
        co_return pending_.contains(key) ? 0u : 1u;
    }
    /// What is tried goes back if the coroutine is cancelled.
    struct trying {
        pending_deletes<key_type, shared>& of;
        std::optional<key_type> key;
        bool is_done = false;
        trying(pending_deletes<key_type, shared>& all) : of(all), key(all.begin()) {}
        trying(trying const&) = delete;
        trying& operator=(trying const&) = delete;
        ~trying()
        {
            if (key) of.end(*key, is_done);
        }
    };
    template<class Left = later<std::size_t>>
    Left flush_later(time_point now)
    {
        for (std::size_t left = pending_.size(); left > 0; --left) {
            trying one(pending_);
            if (!one.key) break;
            auto erasing = level().erase(*one.key, now);
            auto const there = co_await std::move(erasing);
            if (!gone(there)) break;
            auto publishing = level().publish(*one.key);
            auto const told = co_await std::move(publishing);
            if (!gone(told)) break;
            one.is_done = true;
        }
        co_return pending_.size();
    }

    Level level_;
    [[no_unique_address]] Gate gate_;
    blind_loads blind_;
    pending_deletes<key_type, shared> pending_;
    shared::cell<std::uint64_t> random_;
    striped<tally, shared> tallies_;
};

} // namespace weir::inline v0::detail
