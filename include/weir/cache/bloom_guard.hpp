// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_filter.hpp>
#include <weir/cache/detail/generations.hpp>
#include <weir/cache/guard.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/threading.hpp>

#include <algorithm> // also for the concepts of ranges: <ranges> takes a tenth of a second more
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct bloom_guard_stats {
    std::size_t population = 0;         ///< distinct keys added; less than the rate of false positives too few
    std::size_t planned_population = 0; ///< that the filter was made for
    double false_positive_rate = 0;     ///< of made-up keys, reckoned from the population
    std::size_t size_in_bytes = 0;      ///< memory of the filter; twice as much while it is built anew
    std::uint64_t rebuilds = 0;         ///< filters that have taken the place of another
    bool rebuilding = false;            ///< whether one is being built

    /// Above 1 more and more made-up keys pass: it is time to rebuild for a greater population.
    [[nodiscard]] double fill() const noexcept { return static_cast<double>(population) / static_cast<double>(planned_population); }

    void each(auto&& field) const
    {
        field("guard_population", static_cast<std::uint64_t>(population));
        field("guard_planned_population", static_cast<std::uint64_t>(planned_population));
        field("guard_fill", fill());
        field("guard_false_positive_rate", false_positive_rate);
        field("guard_size_in_bytes", static_cast<std::uint64_t>(size_in_bytes));
        field("guard_rebuilds_total", rebuilds);
        field("guard_rebuilding", static_cast<std::uint64_t>(rebuilding));
    }
};

/// Knows which keys exist, so that look-ups of made-up keys do not go through the cache to what stands behind it:
/// `bloom_guard{known_symbols}`, or `bloom_guard<std::string>{{.population = 1'000'000}}` and `add` for each key.
///
/// A key that was added passes always; one that was not passes at the rate of false positives of a `bloom_filter`. Whoever creates a thing
/// stores it, then adds its key, then tells others of it: the guard turns away what it does not know. Keys far above the planned population
/// let more and more made-up ones pass.
///
/// **Rebuild.** Keys that are gone go with the next filter, which is built beside the old one by whoever calls, thread or coroutine, in
/// pieces if he wants, and takes its place at once: `guard.rebuild(all_symbols)`, or
/// ```cpp
/// if (auto fresh = guard.begin_rebuild({.population = 2'000'000})) {
///     while (auto const page = co_await next_page()) fresh->add_all(*page);
///     fresh->commit();                                     // without it, by an exception say, the old filter stays
/// }
/// ```
/// What is added meanwhile is in both. Begin before you read the keys. With a `counting_bloom_filter` as `Filter` single keys can be
/// removed, too; one that is removed while a successor is built may be known again until the next one.
///
/// Thread-safety: `shared`: all of it, from any thread at any time; readers take no lock and never see a filter half built. Cost: a look-up
/// in the filter, and some 10 ns to be seen as a reader. `commit` waits, for nanoseconds, until nobody reads the old filter. Memory is that
/// of the `Filter`, about 10 bits a key for 1 %, and of its successor while there is one.
template<class Key, threading_model Threading = shared, class Filter = bloom_filter<Key, Threading>>
class bloom_guard {
    struct content {
        explicit content(Filter f) : filter(std::move(f)) {}
        void add(auto const& key)
        {
            if (!filter.may_contain(key)) population.add(1);
            filter.add(key);
        }
        Filter filter;
        typename Threading::template cell<std::size_t> population;
    };
    struct state : detail::generations<content, Threading> {
        using detail::generations<content, Threading>::generations;
        typename Threading::template cell<std::uint64_t> rebuilds;
    };

public:
    using key_type = Key;
    using options = bloom_filter_options;

    /// A filter that is being built. Its end without `commit` leaves the guard as it is. The guard outlives it; one thread at a time uses
    /// it.
    class rebuilding {
    public:
        rebuilding(rebuilding&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
        rebuilding& operator=(rebuilding&& other) noexcept
        {
            std::swap(state_, other.state_);
            return *this;
        }
        ~rebuilding()
        {
            if (state_ != nullptr) state_->abandon();
        }
        template<detail::key_like<Key> Like>
        void add(Like const& key)
        {
            state_->successor().add(key);
        }
        template<std::ranges::input_range Range>
        void add_all(Range&& keys)
        {
            for (auto const& key : keys) add(key);
        }
        /// The guard knows from now on what was added here, and what was added to the guard meanwhile, and nothing else. Once.
        void commit()
        {
            state_->rebuilds.add(1);
            std::exchange(state_, nullptr)->commit();
        }

    private:
        friend bloom_guard;
        explicit rebuilding(state& s) noexcept : state_(&s) {}
        state* state_;
    };

    /// Knows nobody yet. Throws `std::invalid_argument` that names the member of the `bloom_filter`.
    explicit bloom_guard(options const& o) : bloom_guard(Filter(o)) {}

    /// Knows the keys of a range; made for as many.
    template<std::ranges::forward_range Range>
    explicit bloom_guard(Range&& known, double false_positive_rate = 0.01)
        : bloom_guard(std::forward<Range>(known), options{.population = size_of(known), .false_positive_rate = false_positive_rate})
    {
    }
    /// Knows the keys of a range; made for the population of the options.
    template<std::ranges::input_range Range>
    bloom_guard(Range&& known, options const& o) : bloom_guard(o)
    {
        for (auto const& key : known) add(key);
    }
    /// Knows what a filter knows, one that was loaded from a file say.
    explicit bloom_guard(Filter filter) : state_(new state(detail::owner<content>(new content(std::move(filter)))))
    {
        state_->write([](content& c, content*) { c.population.store(c.filter.added()); });
    }

    /// From now on the key may exist.
    template<detail::key_like<Key> Like>
    void add(Like const& key)
    {
        state_->write([&](content& now, content* next) {
            now.add(key);
            if (next != nullptr) next->add(key);
        });
    }
    /// The key, which was added, does not exist any more. False if it was not known. For a `Filter` that can remove.
    template<detail::key_like<Key> Like>
    bool remove(Like const& key) requires requires(Filter& f)
    {
        f.remove(key);
    }
    {
        return state_->write([&](content& now, content*) { // whether it is in the successor, nobody knows
            if (!now.filter.remove(key)) return false;
            if (!now.filter.may_contain(key)) now.population.add(static_cast<std::size_t>(-1));
            return true;
        });
    }
    /// False: it does not exist. True: it does, or this is one of the few false positives.
    template<detail::key_like<Key> Like>
    [[nodiscard]] bool may_exist(Like const& key) const
    {
        return state_->read([&](content const& k) { return k.filter.may_contain(key); });
    }

    /// Begins a filter that will take the place of this one. Null if another one is under way.
    /// Throws `std::invalid_argument` that names the member of the `bloom_filter`.
    [[nodiscard]] std::optional<rebuilding> begin_rebuild(options const& o)
    {
        detail::owner<content> fresh(new content(Filter(o)));
        if (!state_->begin(fresh)) return std::nullopt;
        return rebuilding(*state_);
    }
    /// The same, for the population and the rate that this filter was made for.
    [[nodiscard]] std::optional<rebuilding> begin_rebuild() { return begin_rebuild(planned()); }

    /// Knows the keys of the range instead of those that it knew; made for as many, or for as many as before if those are more.
    /// False, and nothing happens, if another one is under way.
    template<std::ranges::forward_range Range>
    bool rebuild(Range&& keys)
    {
        options o = planned();
        o.population = std::max(*o.population, size_of(keys));
        return rebuild(std::forward<Range>(keys), o);
    }
    template<std::ranges::input_range Range>
    bool rebuild(Range&& keys, options const& o)
    {
        return rebuild([&](rebuilding& fresh) { fresh.add_all(keys); }, o);
    }
    /// The same with the keys that `fill(rebuilding&)` adds.
    template<class Fill>
    requires std::invocable<Fill&, rebuilding&>
    bool rebuild(Fill&& fill, options const& o)
    {
        auto fresh = begin_rebuild(o);
        if (!fresh) return false;
        fill(*fresh);
        fresh->commit();
        return true;
    }

    /// Calls `f(filter)`: to save it, say. A `commit` waits for its end.
    template<class F>
    decltype(auto) with_filter(F&& f) const
    {
        return state_->read([&](content const& k) -> decltype(auto) { return std::forward<F>(f)(k.filter); });
    }

    /// Distinct keys added; less than the rate of false positives too few.
    [[nodiscard]] std::size_t population() const
    {
        return state_->read([](content const& k) { return k.population.load(); });
    }
    [[nodiscard]] bloom_guard_stats stats() const
    {
        return state_->read([&](content const& c) {
            std::size_t const population = c.population.load();
            return bloom_guard_stats{population,
                                     c.filter.planned_population(),
                                     c.filter.rate_with(population),
                                     c.filter.size_in_bytes(),
                                     state_->rebuilds.load(),
                                     state_->building()};
        });
    }
    void describe(auto&& field) const
    {
        options const o = planned();
        field("planned_population", *o.population);
        field("false_positive_rate", o.false_positive_rate);
    }

private:
    static std::size_t size_of(auto const& range)
    {
        return std::max<std::size_t>(static_cast<std::size_t>(std::ranges::distance(range)), 1);
    }
    options planned() const
    {
        return with_filter(
            [](Filter const& f) { return options{.population = f.planned_population(), .false_positive_rate = f.planned_rate()}; });
    }

    detail::owner<state> state_;
};

namespace detail {
/// The key type for elements of a range: any kind of string is kept as a string.
template<class T>
using key_of_element = std::conditional_t<string_like<T>, std::string, T>;
} // namespace detail

template<std::ranges::input_range Range>
bloom_guard(Range&&) -> bloom_guard<detail::key_of_element<std::ranges::range_value_t<Range>>>;
template<std::ranges::input_range Range>
bloom_guard(Range&&, double) -> bloom_guard<detail::key_of_element<std::ranges::range_value_t<Range>>>;
template<std::ranges::input_range Range>
bloom_guard(Range&&, bloom_filter_options) -> bloom_guard<detail::key_of_element<std::ranges::range_value_t<Range>>>;
template<class Key, class Threading>
bloom_guard(bloom_filter<Key, Threading>) -> bloom_guard<Key, Threading>;

} // namespace weir::inline v0
