// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/short_lock.hpp>
#include <weir/limit/detail/top_table.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// Which keys `hot_keys` limits, and how it finds them.
struct hot_keys_options {
    required<std::size_t> top;                     ///< so many keys are limited, those that come most often: 1 to 1,000,000
    duration half_life = std::chrono::seconds{10}; ///< after this time a call counts half as much; at least 1 ms
    std::size_t width = 0;  ///< places a row of the sketch, rounded up to a power of two; 0: 64 a key of `top`, at least 1,024
    std::uint64_t seed = 0; ///< of the hash; 0: drawn at random, as it has to be against attackers
};

/// A key with a limit of its own, or without any: `{"crawler", rate{.permits = 1, .per = 1s}}`, `{"health", std::nullopt}`.
template<class Key, class Options>
struct hot_key_exception {
    Key key;
    std::optional<Options> limit;
};

/// A key that `hot_keys` limits now, and how often it came, by estimate.
template<class Key>
struct hot_key {
    Key key;
    std::uint64_t calls;
};

/// What `hot_keys` counted since it was made, and holds now.
struct hot_keys_stats {
    std::size_t keys = 0;       ///< limited now, besides the exceptions
    std::uint64_t cold = 0;     ///< calls of keys that were not limited
    std::uint64_t replaced = 0; ///< keys that are limited no longer, as others came more often
    void each(auto&& field) const
    {
        field("keys", keys);
        field("cold_total", cold);
        field("replaced_total", replaced);
    }
};

/// A limiter for the keys that come most often, and for no others:
/// `rate_limit{hot_keys{gcra{{.permits = 100, .per = 1s}}, query<"item">, {.top = 200}}}`. What is bought by all at once is limited, a
/// million other items pass without a limit each. (Sentinel's hot parameter flow control.) `KeyOf` is the parameter; exceptions stand at
/// the end and are limited, or not, whatever their rank:
/// `hot_keys{gcra{...}, query<"item">, {.top = 200}, {{"launch", rate{.permits = 5'000}}, {"ping", std::nullopt}}}`.
///
/// **Which keys.** All calls are counted, refused ones, too; each `half_life` all counts are halved. A key is limited from the call with
/// which its count passes that of the least of the `top`, which then is not limited any more; what that key had used is forgotten, and if
/// it comes back it begins with a full burst. Counts of keys below the top are those of a count-min sketch with conservative update: never
/// too low, and, 98 times in a hundred, too high by no more than e / width of the calls of such keys in the last two half-lives (one in
/// 6,000 with 200 keys). A key whose count is above that of the `top`-th by more than this error is limited, and one that is below it by
/// more is not.
///
/// Thread-safe as its `Threading`: one lock for all keys, held for 20 to 50 ns, and each half-life for a walk over the sketch. Memory:
/// `top` times twice the key and 60 bytes, and 16 bytes a place of the sketch's width, whatever keys come. Where each key is to have its
/// limit, take `keyed`.
template<class Limiter, class KeyOf, threading_model Threading = typename Limiter::threading>
requires requires
{
    typename KeyOf::key_type;
}
class hot_keys {
    static_assert(detail::is_keyable<Limiter>());

public:
    using options = typename Limiter::options;
    using threading = Threading;
    using key_type = typename KeyOf::key_type;
    using exception = hot_key_exception<key_type, options>;

    /// Throws `std::invalid_argument` for bad options. The prototype's own state is not used.
    hot_keys(Limiter const& prototype, KeyOf by, hot_keys_options const& o, std::vector<exception> const& exceptions = {})
        : key_of_(std::move(by)),
          half_life_(o.half_life),
          settings_(prototype.settings()),
          current_(prototype.rule()),
          table_(checked(o), width(o), hash(o)),
          exceptions_(0, hash(o))
    {
        for (exception const& each : exceptions) {
            bool const fresh = exceptions_.emplace(each.key, special(each.limit)).second;
            expect(fresh, "exceptions", "each key once");
        }
    }

    /// Counts the call, and takes `cost` permits if its key is limited.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] decision try_acquire(Like const& key, time_point now, std::uint64_t cost = 1)
    {
        return call(key, now, decision::admitted(), [&](rule const& r, state& s, time_point t) { return r.try_acquire(s, t, cost); });
    }
    /// The same, also where the permits come later, if that is `max_wait` after `now` at the latest.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] reservation reserve(Like const& key, time_point now, std::uint64_t cost, duration max_wait)
    {
        return call(key, now, reservation::taken(duration::zero()),
                    [&](rule const& r, state& s, time_point t) { return r.reserve(s, t, cost, max_wait); });
    }
    /// Gives permits back that were taken and not used; nothing happens if the key is not limited.
    template<detail::key_like<key_type> Like>
    void refund(Like const& key, std::uint64_t cost)
    {
        visit(key, [&](rule const& r, state& s, options const&) { r.refund(s, cost); });
    }
    /// What `try_acquire` would answer; takes and counts nothing.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] decision peek(Like const& key, time_point now, std::uint64_t cost = 1)
    {
        decision answer = decision::admitted();
        visit(key, [&](rule const& r, state s, options const&) { answer = r.try_acquire(s, std::max(now, latest_), cost); });
        return answer;
    }
    /// The permits of a key; of one that is not limited, as many as there are numbers.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] std::uint64_t available(Like const& key, time_point now)
    {
        std::uint64_t permits = std::numeric_limits<std::uint64_t>::max();
        visit(key, [&](rule const& r, state& s, options const&) { permits = r.available(s, std::max(now, latest_)); });
        return permits;
    }
    /// What the `RateLimit` fields say of a key; of one that is not limited, what they would say if it began to be.
    template<detail::key_like<key_type> Like>
    [[nodiscard]] quota quota_at(Like const& key, time_point now)
    {
        quota q{};
        bool const limited =
            visit(key, [&](rule const& r, state& s, options const& o) { q = detail::quota_of(r, o, s, std::max(now, latest_)); });
        if (limited) return q;
        std::lock_guard const lock(mutex_);
        return detail::quota_of(current_, settings_, rule::fresh, now);
    }

    /// What tells the key of a call.
    [[nodiscard]] KeyOf const& key_of() const noexcept { return key_of_; }
    /// The keys that are limited now, besides the exceptions; the most frequent first.
    [[nodiscard]] std::vector<hot_key<key_type>> top() const
    {
        std::vector<hot_key<key_type>> keys;
        {
            std::lock_guard const lock(mutex_);
            for (auto const& e : table_.entries()) keys.push_back({e.key, e.count});
        }
        std::vector<std::size_t> order(keys.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return keys[a].calls != keys[b].calls ? keys[a].calls > keys[b].calls : a < b; });
        std::vector<hot_key<key_type>> sorted;
        sorted.reserve(keys.size());
        for (std::size_t const i : order) sorted.push_back(std::move(keys[i]));
        return sorted;
    }
    [[nodiscard]] hot_keys_stats stats() const
    {
        std::lock_guard const lock(mutex_);
        return {table_.entries().size(), cold_, table_.replaced()};
    }

    [[nodiscard]] options settings() const
    {
        std::lock_guard const lock(mutex_);
        return settings_;
    }
    /// Throws what `reconfigure` would throw.
    static void check(options const& o) { static_cast<void>(rule(o)); }
    /// Changes the limit of all keys but the exceptions while others call; permits in use stay so. Throws `std::invalid_argument` for bad
    /// options, and then changes nothing.
    void reconfigure(options const& o)
    {
        rule const wanted(o);
        std::lock_guard const lock(mutex_);
        for (auto& e : table_.entries()) e.value = wanted.adopt(e.value, current_, latest_);
        settings_ = o;
        current_ = wanted;
    }

private:
    using rule = typename Limiter::rule_type;
    using state = typename rule::state;

    /// An exception: its own limit, if it has one.
    struct special {
        explicit special(std::optional<options> const& o) : settings(o)
        {
            if (o) current.emplace(*o);
        }
        std::optional<options> settings;
        std::optional<rule> current;
        state used = rule::fresh;
    };
    struct equal {
        using is_transparent = void;
        template<class A, class B>
        bool operator()(A const& a, B const& b) const
        {
            return a == b;
        }
    };

    static std::size_t checked(hot_keys_options const& o)
    {
        expect(o.top >= 1 && o.top <= 1'000'000, "top", "1 to 1,000,000");
        expect(o.half_life >= std::chrono::milliseconds(1), "half_life", "at least 1 ms");
        expect(o.width <= std::size_t{1} << 28, "width", "at most 2^28");
        return o.top;
    }
    static std::size_t width(hot_keys_options const& o)
    {
        return std::bit_ceil(o.width != 0 ? o.width : std::max<std::size_t>(1'024, 64 * o.top));
    }
    detail::seeded_hash hash(hot_keys_options const& o)
    {
        if (seed_ == 0) seed_ = o.seed != 0 ? o.seed : detail::random_seed();
        return detail::seeded_hash(seed_);
    }

    /// Goes on in time: halves what was counted before, once for each half-life that is over.
    void pass(time_point now)
    {
        if (now <= latest_) return;
        if (latest_ == time_point::min()) halved_ = now;
        latest_ = now;
        auto const gone =
            static_cast<std::uint64_t>(now.time_since_epoch().count()) - static_cast<std::uint64_t>(halved_.time_since_epoch().count());
        std::uint64_t const times = gone / static_cast<std::uint64_t>(half_life_.count());
        if (times == 0) [[likely]]
            return;
        table_.halve(static_cast<unsigned>(std::min<std::uint64_t>(times, 64)));
        halved_ = time_point{duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(halved_.time_since_epoch().count()) +
                                                                times * static_cast<std::uint64_t>(half_life_.count()))}};
    }

    template<class Like, class Answer, class Act>
    Answer call(Like const& like, time_point now, Answer unlimited, Act act)
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        std::lock_guard const lock(mutex_);
        pass(now);
        if (!exceptions_.empty())
            if (auto const found = exceptions_.find(key); found != exceptions_.end()) {
                special& s = found->second;
                return s.current ? act(*s.current, s.used, latest_) : unlimited;
            }
        if (auto* const hot = table_.count(key, rule::fresh)) return act(current_, hot->value, latest_);
        ++cold_;
        return unlimited;
    }
    template<class Like, class Visit>
    bool visit(Like const& like, Visit act)
    {
        decltype(auto) key = detail::as_key<key_type>(like);
        std::lock_guard const lock(mutex_);
        if (auto const found = exceptions_.find(key); found != exceptions_.end()) {
            special& s = found->second;
            if (s.current) act(*s.current, s.used, *s.settings);
            return s.current.has_value();
        }
        auto* const hot = table_.find(key);
        if (hot != nullptr) act(current_, hot->value, settings_);
        return hot != nullptr;
    }

    [[no_unique_address]] KeyOf key_of_;
    duration half_life_;
    std::uint64_t seed_ = 0;
    mutable detail::short_lock_of<Threading> mutex_;
    options settings_;
    rule current_;
    time_point latest_ = time_point::min();
    time_point halved_ = time_point::min(); // when counts were halved last
    std::uint64_t cold_ = 0;
    detail::top_table<key_type, state> table_;
    boost::unordered_flat_map<key_type, special, detail::seeded_hash, equal> exceptions_;
};

template<class Limiter, class KeyOf>
hot_keys(Limiter const&, KeyOf, hot_keys_options) -> hot_keys<Limiter, KeyOf>;
template<class Limiter, class KeyOf>
hot_keys(Limiter const&, KeyOf, hot_keys_options, std::vector<hot_key_exception<typename KeyOf::key_type, typename Limiter::options>>)
    -> hot_keys<Limiter, KeyOf>;

} // namespace weir::inline v0
