// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_filter.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// What `cached` asks of a guard: whether a key may exist at all.
template<class G, class Key>
concept guard_of = requires(G const& guard, Key const& key)
{
    {
        guard.may_exist(key)
        } -> std::convertible_to<bool>;
};

/// Knows which keys exist, so that look-ups of made-up keys do not go through the cache to what stands behind it: `bloom_guard{known_symbols}`,
/// or `bloom_guard<std::string>{{.population = 1'000'000}}` and `add` for each key.
///
/// A key that was added passes always; one that was not passes at the rate of false positives of a `bloom_filter`. Whoever creates a thing
/// adds its key before anyone can ask for it: the guard turns away what it does not know. Keys cannot be taken out, and one that no longer
/// exists costs a load, no more. Keys far above the planned population let more and more made-up ones pass.
///
/// Thread-safety, cost and memory are those of the `bloom_filter`: about 10 bits a key for 1 %.
template<class Key, threading_model Threading = shared>
class bloom_guard {
public:
    using key_type = Key;
    using options = bloom_filter_options;

    /// Knows nobody yet. Throws `std::invalid_argument` that names the member of the `bloom_filter`.
    explicit bloom_guard(options const& o) : filter_(o) {}

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

    /// From now on the key may exist.
    template<detail::key_like<Key> Like>
    void add(Like const& key)
    {
        if (!filter_.may_contain(key)) population_.add(1);
        filter_.add(key);
    }
    /// False: it does not exist. True: it does, or this is one of the few false positives.
    template<detail::key_like<Key> Like>
    [[nodiscard]] bool may_exist(Like const& key) const
    {
        return filter_.may_contain(key);
    }
    /// Distinct keys added; less than the rate of false positives too few.
    [[nodiscard]] std::size_t population() const noexcept { return population_.load(); }
    [[nodiscard]] bloom_filter_stats stats() const noexcept { return filter_.stats(); }

private:
    static std::size_t size_of(auto const& range)
    {
        return std::max<std::size_t>(static_cast<std::size_t>(std::ranges::distance(range)), 1);
    }

    bloom_filter<Key, Threading> filter_;
    typename Threading::template cell<std::size_t> population_;
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

static_assert(guard_of<bloom_guard<std::string>, std::string>);

} // namespace weir::inline v0
