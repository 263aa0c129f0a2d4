// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/limiter.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// A rule whose state fits a word, always or mostly.
/// - `pack` says whether it does, and how; it never makes `elsewhere`, which stands for a state that is not in the word.
/// - `quick` is the common way on the word itself: true, and the next word, if the call is admitted; false says nothing. It has to be
///   false for `elsewhere`.
/// - The rule is made of whole words, any mixture of two rules' words being harmless to `quick`.
template<class R>
concept word_rule = limiting_rule<R> && std::is_trivially_copyable_v<R> && sizeof(R) % sizeof(std::int64_t) == 0 &&
                    requires(R const& rule, typename R::state const& s, std::int64_t& word, time_point now, std::uint64_t cost)
{
    {
        R::elsewhere
        } -> std::convertible_to<std::int64_t>;
    {
        rule.pack(s, word)
        } -> std::same_as<bool>;
    {
        rule.unpack(word)
        } -> std::same_as<typename R::state>;
    {
        rule.quick(word, now, cost, word)
        } -> std::same_as<bool>;
};

/// The home of a rule's state in a word that is changed by compare-and-swap; what does not fit the word is under a lock.
struct in_a_word {
    // The settings are words beside the state, read without a lock. What keeps them together is the state word: while they change it says
    // `elsewhere`, for which the quick way fails, and afterwards it does not say what it said before.
    // A call that reads settings of two minds cannot swap the state: it saw the state as it was before the change, and the swap releases
    // what the exchange to `elsewhere` acquires; had the swap come first, no new setting could have been read.
    // In the other direction, who sees the state after the change acquires the settings with it.
    template<class Limiter, word_rule Rule, class Options, threading_model Threading>
    class home {
        using state = typename Rule::state;

    public:
        home(Options const& o, Rule const& r) : settings_(o), before_(r)
        {
            set_rule(r);
            put(r, Rule::fresh);
        }

        [[gnu::always_inline]] decision try_acquire(time_point now, std::uint64_t cost) noexcept
        {
            std::int64_t const seen = word_.load(std::memory_order_acquire);
            Rule const current = get_rule(std::memory_order_relaxed);
            if (std::int64_t next; current.quick(seen, now, cost, next)) [[likely]] {
                if (std::int64_t expected = seen; word_.replace(expected, next)) [[likely]]
                    return decision::admitted();
            }
            return try_acquire_slowly(now, cost);
        }

        template<class Change>
        auto update(time_point now, Change change) noexcept
        {
            for (;;) {
                auto const [current, seen] = look();
                if (seen == Rule::elsewhere) return update_elsewhere(now, change);
                state s = current.unpack(seen);
                auto const answer = change(current, s);
                if (!answer) return answer;
                std::int64_t next = 0;
                if (!current.pack(s, next)) return update_elsewhere(now, change);
                if (std::int64_t expected = seen; word_.replace(expected, next)) return answer;
            }
        }

        template<class Look>
        auto read(time_point now, Look read_state) const noexcept
        {
            for (;;) {
                auto const [current, seen] = look();
                if (seen != Rule::elsewhere) return read_state(current, current.unpack(seen));
                std::lock_guard const lock(mutex_);
                if (word_.load() == Rule::elsewhere) return read_state(current_rule(), adopted(current_rule(), now));
            }
        }

        void refund(std::uint64_t cost) noexcept
        {
            for (;;) {
                auto const [current, seen] = look();
                if (seen == Rule::elsewhere) break;
                state s = current.unpack(seen);
                current.refund(s, cost);
                std::int64_t next = 0;
                if (!current.pack(s, next)) break;
                if (std::int64_t expected = seen; word_.replace(expected, next)) return;
            }
            std::lock_guard const lock(mutex_);
            take();
            before_.refund(kept_, cost); // by the settings under which they were taken
            if (before_ == current_rule()) put(before_, kept_);
        }

        Options settings() const noexcept
        {
            std::lock_guard const lock(mutex_);
            return settings_;
        }
        void reconfigure(Options const& o, Rule const& wanted) noexcept
        {
            std::lock_guard const lock(mutex_);
            settings_ = o;
            if (wanted == current_rule()) return;
            take(); // from here on the quick way fails, and whoever takes the slow way waits for the lock
            set_rule(wanted);
        }
        Rule rule() const noexcept
        {
            std::lock_guard const lock(mutex_);
            return current_rule();
        }

    private:
        using words = std::array<std::int64_t, sizeof(Rule) / sizeof(std::int64_t)>;

        struct view {
            Rule current;
            std::int64_t seen;
        };

        [[gnu::always_inline]] Rule get_rule(std::memory_order order) const noexcept
        {
            // No loop: it is not unrolled, and the words go through memory.
            return [&]<std::size_t... I>(std::index_sequence<I...>)
            {
                return std::bit_cast<Rule>(words{rule_[I].load(order)...});
            }
            (std::make_index_sequence<sizeof(Rule) / sizeof(std::int64_t)>{});
        }
        // Under the lock.
        Rule current_rule() const noexcept { return get_rule(std::memory_order_relaxed); }
        void set_rule(Rule const& r) noexcept
        {
            auto const w = std::bit_cast<words>(r);
            for (std::size_t i = 0; i < w.size(); ++i) rule_[i].store(w[i], std::memory_order_release);
        }

        // Settings and state that belong together, unless the state is elsewhere.
        view look() const noexcept
        {
            for (;;) {
                std::int64_t const seen = word_.load(std::memory_order_acquire);
                Rule const current = get_rule(std::memory_order_acquire);
                if (seen == Rule::elsewhere || word_.load() == seen) return {current, seen};
            }
        }

        // Under the lock: the state leaves the word.
        void take() noexcept
        {
            std::int64_t const seen = word_.exchange(Rule::elsewhere);
            if (seen == Rule::elsewhere) return;
            last_ = seen;
            before_ = current_rule();
            kept_ = before_.unpack(seen);
        }
        // Under the lock, with the state elsewhere: it goes back into the word if it fits and does not look as it did when it left.
        void put(Rule const& current, state const& s) noexcept
        {
            before_ = current;
            kept_ = s;
            if (std::int64_t next = 0; current.pack(s, next) && next != last_) word_.store(next, std::memory_order_release);
        }
        state adopted(Rule const& current, time_point now) const noexcept
        {
            return before_ == current ? kept_ : current.adopt(kept_, before_, now);
        }

        template<class Change>
        [[gnu::noinline]] auto update_elsewhere(time_point now, Change change) noexcept
        {
            std::lock_guard const lock(mutex_);
            take();
            Rule const current = current_rule();
            state s = adopted(current, now);
            auto const answer = change(current, s);
            put(current, s);
            return answer;
        }
        [[gnu::noinline, gnu::cold]] decision try_acquire_slowly(time_point now, std::uint64_t cost) noexcept
        {
            return update(now, [&](Rule const& r, state& s) { return r.try_acquire(s, now, cost); });
        }

        typename Threading::template cell<std::int64_t> word_{Rule::elsewhere};
        std::array<typename Threading::template cell<std::int64_t>, sizeof(Rule) / sizeof(std::int64_t)> rule_;
        mutable typename Threading::mutex mutex_;
        // Under the lock:
        Options settings_;
        std::int64_t last_ = Rule::elsewhere; // the word as it was when the state left it,
        Rule before_;                         // the settings before a change that is under way,
        state kept_{Rule::fresh};             // and the state that belongs to them
    };
};

} // namespace weir::inline v0::detail
