// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/detail/level_desk.hpp>
#include <weir/cache/level.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// The gate in front of a second level that has none.
struct always_asked {
    static constexpr admission<> admit(auto&) noexcept { return admitted; }
};

struct second_level_options {
    duration ttl = std::chrono::minutes{5}; ///< of the values that it writes there; above zero
    duration negative_ttl{};                ///< of "there is none"; zero: not written
    double jitter = 0.1;                    ///< the part of a time to live that chance takes off, a ratio in [0, 1]
    /// Loads at a time while the level does not answer; one more is refused with `errc::unavailable`. At least 1.
    std::uint32_t max_blind_loads = 64;
    duration poll = std::chrono::milliseconds{20};      ///< how often to ask again while another instance loads; above zero
    duration patience = std::chrono::milliseconds{500}; ///< how long to wait for another instance's load; zero: not at all
    std::size_t max_pending_deletes = 10'000;           ///< deletes that wait for a level that does not answer; at least 1
    std::optional<std::uint64_t> seed = {};             ///< of the jitter; nobody knows it if it is left out
};

/// Looks into a cache that several instances share before it lets a call go on, and writes there what comes back:
/// `cached{store<symbol, quote>{...}, by_symbol}, second_level{std::ref(redis), by_symbol, {.ttl = 5min}}, fetch`. Inside of `cached` it is
/// asked once a key and instance, by the load that all callers wait for.
///
/// - **One load for all instances**: who finds nothing gets the key's lease, and loads. Another instance, which does not, asks again every `poll`
///   until the answer is there, and loads by itself after `patience`; what it loads is not written.
/// - **A level that does not answer** is passed by: at most `max_blind_loads` calls at a time go on without it, so that its end is not the
///   source's. A third argument is asked first, a gate such as a `circuit_breaker`, which hears of each answer or failure: then nobody waits
///   for a level that is known to be down. How long an operation may take says a `timely_level` around it, or the deadline of the call.
/// - **Deletes**: `erase(key, now)` deletes there and tells the other instances. If that fails the key waits in a queue, `flush(now)` tries again (see
///   `retry_deletes`), and this instance passes by the level for that key until it is done. Erase first here, then in the `cached` further out.
/// - **What is written** are values and, for `negative_ttl`, "there is none"; with the lease, so that no old value overwrites a delete.
///
/// A level whose operations are awaitable wants an asynchronous pipeline. Thread-safe as the level is. Level and gate may be `std::ref`.
template<class Level, class KeyOf, class Gate = always_asked, class Value = typename detail::policy_t<Level>::value_type>
class second_level {
    using level_type = detail::policy_t<Level>;
    using key_type = typename level_type::key_type;
    static_assert(second_level_of<level_type, key_type, Value>,
                  "weir::second_level wants a level with look_up, put, lease, erase and publish: see weir/cache/level.hpp");
    using desk_type = detail::level_desk<Level, Gate>;
    using found_type = result<level_finding<Value>>;
    template<class T>
    using later = typename desk_type::template later<T>;
    static constexpr bool is_later = desk_type::is_later;

public:
    using role = source;
    using traits = weir::traits<may_answer_alone, waits>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using options = second_level_options;
    using stats_type = detail::level_stats;
    static constexpr std::string_view name = "second_level";

    class token {
    public:
        token() = default;
        token(token const&) = delete;
        token& operator=(token const&) = delete;
        ~token()
        {
            if (blind_ != nullptr) blind_->leave();
        }
        /// Nobody wakes it: it waits for the time.
        [[nodiscard]] waiter& waiting() noexcept { return waiter_; }
        [[nodiscard]] bool abandon() noexcept { return true; }
        [[nodiscard]] time_point until() const noexcept { return until_; }

    private:
        friend second_level;
        std::optional<key_type> key_;
        typename desk_type::permit permit_;
        level_lease lease_{};
        detail::blind_loads* blind_ = nullptr;
        time_point since_ = never; // another instance loads
        time_point until_{};
        waiter waiter_;
    };

    second_level(Level level, KeyOf key_of, options const& o = {}) requires std::same_as<Gate, always_asked>
        : second_level(std::move(level), std::move(key_of), Gate{}, o)
    {
    }
    /// Throws `std::invalid_argument` that names the member.
    second_level(Level level, KeyOf key_of, Gate gate, options const& o = {})
        : key_of_(std::move(key_of)),
          options_(checked(o)),
          desk_(std::move(level), std::move(gate), o.max_blind_loads, o.max_pending_deletes, o.seed)
    {
    }

    template<class Outcome>
    lookup look_up(auto& call, token& t, Outcome& outcome)
    {
        decltype(auto) key = key_of_(call);
        if (detail::is_missing(key)) return lookup::missed;
        t.key_.emplace(detail::as_key<key_type>(detail::present(key)));
        if (desk_.is_to_be_deleted(*t.key_)) return lookup::missed;
        return ask(call, t, outcome);
    }
    /// Another instance may have loaded it meanwhile.
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        return ask(call, t, outcome);
    }
    template<class Call, class Outcome>
    auto look_up_later(Call& call, token& t, Outcome& outcome) -> later<lookup>
    requires(is_later)
    {
        auto asking = desk_.level().look_up(*t.key_, call.now());
        found_type const found = co_await std::move(asking);
        co_return found_there(call, t, found, outcome);
    }

    template<class Outcome>
    auto learn(auto& call, token& t, Outcome& outcome)
    {
        if (t.blind_ != nullptr) std::exchange(t.blind_, nullptr)->leave();
        if constexpr (is_later)
            return entry_of(call, t, outcome) ? settlement::later : settlement::at_once;
        else if (std::optional<level_entry<Value>> const entry = entry_of(call, t, outcome))
            desk_.wrote(desk_.level().put(*t.key_, *entry, t.lease_, call.now()));
    }
    template<class Call, class Outcome>
    auto learn_later(Call& call, token& t, Outcome& outcome) -> later<void>
    requires(is_later)
    {
        std::optional<level_entry<Value>> const entry = entry_of(call, t, outcome);
        auto putting = desk_.level().put(*t.key_, *entry, t.lease_, call.now());
        result<std::uint64_t> const written = co_await std::move(putting);
        desk_.wrote(written);
    }

    /// Deletes the answer of a key for all instances, and tells them. 1: done. 0: it waits until the level answers. An error,
    /// `errc::overloaded`: too many wait, and nothing was done. An awaitable of it if the level's operations are.
    auto erase(key_type key, time_point now) { return desk_.erase(std::move(key), now); }
    /// Tries what waits, in turn, until all is done or one fails. How many are left, or an awaitable of it.
    auto flush(time_point now) { return desk_.flush(now); }
    /// Deletes that wait.
    [[nodiscard]] std::size_t pending() const noexcept { return desk_.pending(); }

    [[nodiscard]] level_type& level() noexcept { return desk_.level(); }
    [[nodiscard]] auto& gate() noexcept { return desk_.gate(); }
    [[nodiscard]] stats_type stats(time_point = {}) const { return desk_.stats(); }
    [[nodiscard]] options const& settings() const noexcept { return options_; }
    void describe(auto&& field) const
    {
        field("ttl", options_.ttl);
        field("negative_ttl", options_.negative_ttl);
        field("max_blind_loads", options_.max_blind_loads);
        field("patience", options_.patience);
    }

private:
    template<class Outcome>
    using answer = detail::kept_answer<Value, Outcome>;

    static options const& checked(options const& o)
    {
        expect(o.ttl.count() > 0, "second_level.ttl", "a duration above zero");
        expect(o.negative_ttl.count() >= 0, "second_level.negative_ttl", "a duration, or zero to write no negative answers");
        expect_ratio(o.jitter, "second_level.jitter");
        expect(o.max_blind_loads >= 1, "second_level.max_blind_loads", "at least 1");
        expect(o.poll.count() > 0, "second_level.poll", "a duration above zero");
        expect(o.patience.count() >= 0, "second_level.patience", "a duration, or zero not to wait");
        expect(o.max_pending_deletes >= 1, "second_level.max_pending_deletes", "at least 1");
        return o;
    }

    template<class Outcome>
    lookup ask(auto& call, token& t, Outcome& outcome)
    {
        if (!desk_.may_ask(call, t.permit_)) return go_on_blind(t, outcome);
        if constexpr (is_later)
            return lookup::later;
        else
            return found_there(call, t, desk_.level().look_up(*t.key_, call.now()), outcome);
    }
    template<class Outcome>
    lookup found_there(auto& call, token& t, found_type const& found, Outcome& outcome)
    {
        desk_.heard(call, t.permit_, found);
        if (found.has_error()) return go_on_blind(t, outcome);
        if (found->value) {
            answer<Outcome>::say(outcome, *found->value);
            return lookup::answered;
        }
        if (found->absent) {
            answer<Outcome>::say_absent(outcome);
            return lookup::answered;
        }
        t.lease_ = found->lease;
        if (t.lease_) return lookup::missed;
        time_point const now = call.now();
        if (t.since_ == never) t.since_ = now;
        if (now - t.since_ >= options_.patience) return lookup::missed;
        t.until_ = after(now, options_.poll);
        desk_.waits();
        return lookup::parked;
    }
    template<class Outcome>
    lookup go_on_blind(token& t, Outcome& outcome)
    {
        t.blind_ = desk_.go_on_blind();
        if (t.blind_ != nullptr) return lookup::missed;
        outcome = error(errc::unavailable);
        return lookup::answered;
    }
    /// What is to be written, if anything.
    template<class Outcome>
    std::optional<level_entry<Value>> entry_of(auto& call, token const& t, Outcome const& outcome)
    {
        if (!t.lease_) return {};
        if (answer<Outcome>::says_absent(outcome)) {
            if (options_.negative_ttl.count() == 0) return {};
            return level_entry<Value>{{}, desk_.jittered(options_.negative_ttl, options_.jitter)};
        }
        if (outcome.has_error() || call.failed(outcome)) return {};
        return level_entry<Value>{answer<Outcome>::value(outcome), desk_.jittered(options_.ttl, options_.jitter)};
    }

    [[no_unique_address]] KeyOf key_of_;
    options options_;
    desk_type desk_;
};

template<class Level, class KeyOf>
second_level(Level, KeyOf) -> second_level<Level, KeyOf>;
template<class Level, class KeyOf>
second_level(Level, KeyOf, second_level_options) -> second_level<Level, KeyOf>;
template<class Level, class KeyOf, class Gate>
second_level(Level, KeyOf, Gate) -> second_level<Level, KeyOf, Gate>;
template<class Level, class KeyOf, class Gate>
second_level(Level, KeyOf, Gate, second_level_options) -> second_level<Level, KeyOf, Gate>;

} // namespace weir::inline v0
