// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/guard.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// What a key that is a string looks like.
struct text_shape {
    std::size_t min_length = 1;       ///< in bytes
    std::size_t max_length = 256;     ///< in bytes; at least `min_length`
    std::string_view prefix = {};     ///< it begins with this, which counts in its length
    std::string_view characters = {}; ///< what may stand behind the prefix: `"A-Z0-9._-"`, a '-' first or last is itself; empty: every byte
};

/// Between which numbers, both included, a key that is an integer lies.
template<std::integral Number>
struct number_range {
    Number least = std::numeric_limits<Number>::min();
    Number most = std::numeric_limits<Number>::max(); ///< at least `least`
};

struct key_rule_stats {
    std::uint64_t refused = 0; ///< keys that cannot exist by their shape
    void each(auto&& field) const { field("key_rule_refused_total", refused); }
};

namespace detail {

class text_test {
public:
    explicit text_test(text_shape const& s) : min_length_(s.min_length), max_length_(s.max_length), prefix_(s.prefix)
    {
        expect(max_length_ >= min_length_, "key_rule.max_length", "at least min_length");
        expect(prefix_.size() <= max_length_, "key_rule.prefix", "no longer than max_length");
        for (std::size_t i = 0; i < s.characters.size(); ++i) {
            auto const first = static_cast<unsigned char>(s.characters[i]);
            auto last = first;
            if (i + 2 < s.characters.size() && s.characters[i + 1] == '-') last = static_cast<unsigned char>(s.characters[i += 2]);
            expect(first <= last, "key_rule.characters", "ranges that go up, such as \"A-Z0-9\"");
            for (unsigned c = first; c <= last; ++c) allowed_[c / 64] |= std::uint64_t{1} << c % 64;
        }
        if (s.characters.empty()) allowed_.fill(~std::uint64_t{0});
    }
    bool operator()(std::string_view key) const noexcept
    {
        if (key.size() < min_length_ || key.size() > max_length_ || !key.starts_with(prefix_)) return false;
        for (char const each : key.substr(prefix_.size())) {
            auto const c = static_cast<unsigned char>(each);
            if ((allowed_[c / 64] >> c % 64 & 1) == 0) return false;
        }
        return true;
    }
    void describe(auto&& field) const
    {
        field("min_length", min_length_);
        field("max_length", max_length_);
        if (!prefix_.empty()) field("prefix", std::string_view(prefix_));
    }

private:
    std::size_t min_length_;
    std::size_t max_length_;
    std::string prefix_;
    std::array<std::uint64_t, 4> allowed_{};
};

template<class Number>
class range_test {
public:
    explicit range_test(number_range<Number> const& r) : range_(r) { expect(r.least <= r.most, "key_rule.most", "at least least"); }
    bool operator()(Number key) const noexcept { return key >= range_.least && key <= range_.most; }
    void describe(auto&& field) const
    {
        field("least", range_.least);
        field("most", range_.most);
    }

private:
    number_range<Number> range_;
};

} // namespace detail

/// A guard that knows by its shape that a key cannot exist: the cheapest shield against made-up keys, to be asked first.
/// ```cpp
/// weir::key_rule{weir::text_shape{.max_length = 8, .prefix = "SYM:", .characters = "A-Z0-9"}}
/// weir::key_rule{weir::number_range<int>{.least = 1, .most = 4'000'000}}
/// weir::key_rule{[](std::string_view isin) { return check_digit_is_right(isin); }}
/// ```
/// It stops keys made at random, and none that are made up to look right: those are for a `bloom_guard` behind it. Alone it stands in
/// `cached` as the guard, or in `known_keys`. Throws `std::invalid_argument` that names the member. Thread-safe if the predicate is; costs
/// a look at the key, and a count if it refuses.
template<class Test, threading_model Threading = shared>
class key_rule {
public:
    using stats_type = key_rule_stats;

    explicit key_rule(Test test) : test_(std::move(test)) {}
    explicit key_rule(text_shape const& shape) requires std::same_as<Test, detail::text_test> : test_(shape) {}
    template<class Number>
    explicit key_rule(number_range<Number> const& range) requires std::same_as<Test, detail::range_test<Number>> : test_(range)
    {
    }

    template<class Key>
    requires std::predicate<Test const&, Key const&>
    [[nodiscard]] bool may_exist(Key const& key) const
    {
        if (std::invoke(test_, key)) [[likely]]
            return true;
        refused_.add();
        return false;
    }
    [[nodiscard]] stats_type stats() const { return {refused_.sum()}; }
    void describe(auto&& field) const
    {
        if constexpr (requires { test_.describe(field); }) test_.describe(field);
    }

private:
    [[no_unique_address]] Test test_;
    mutable detail::counter<Threading> refused_;
};

template<class Test>
key_rule(Test) -> key_rule<Test>;
key_rule(text_shape)->key_rule<detail::text_test>;
template<class Number>
key_rule(number_range<Number>) -> key_rule<detail::range_test<Number>>;

} // namespace weir::inline v0
