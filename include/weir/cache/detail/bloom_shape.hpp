// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace weir::inline v0::detail {

/// What a block filter is made of: a key has `lines_a_key` of the `lines`, and a place in each of a line's eight words.
struct bloom_shape {
    unsigned lines_a_key;
    std::size_t lines;
};

/// The rate of false positives among lines that hold `load` keys on average, a Poisson distribution, in words of `places` each.
struct rate_of_lines {
    double mean;
    /// The standard deviation of one line's rate, as a part of the mean. What varies with the number of keys in the line, linearly, is left
    /// out: one line's surplus is another's lack.
    double spread;
};

inline rate_of_lines rate_at(double load, double places)
{
    auto const eighth_power = [](double x) {
        x *= x;
        x *= x;
        return x * x;
    };
    double chance = std::exp(-load);
    double one_free = 1;  // the chance that a place is free
    double both_free = 1; // that two are
    double mean = 0;
    double square = 0;
    double slope = 0;
    for (int keys = 1; keys < 10 * (load + 10); ++keys) {
        chance *= load / keys;
        one_free *= 1 - 1 / places;
        both_free *= 1 - 2 / places;
        double const rate = eighth_power(1 - one_free);
        mean += chance * rate;
        slope += chance * rate * keys;
        square += chance * eighth_power((1 - one_free) / places + (1 - 1 / places) * (1 - 2 * one_free + both_free));
    }
    slope -= mean * load;
    double const variance = square - mean * mean - slope * slope / load;
    return {mean, std::sqrt(std::max(variance, 0.0)) / mean};
}

/// The smallest shape whose rate of false positives is the wanted one at that population, and in all but one of some ten thousand filters
/// less than 5 % above: chance fills the lines of a small filter less evenly.
inline bloom_shape bloom_shape_for(std::size_t population, double wanted, double places)
{
    double const keys = static_cast<double>(population);
    auto const lines_with = [&](unsigned lines_a_key) {
        double low = 0;
        double high = 8 * places;
        for (int i = 0; i < 40; ++i) {
            double const load = (low + high) / 2;
            rate_of_lines const at = rate_at(load, places);
            double const rate = std::pow(at.mean, lines_a_key);
            double const lines = std::max(keys * lines_a_key / load, 1.0);
            bool const good = rate <= wanted && rate * (1 + 6 * lines_a_key * at.spread / std::sqrt(lines)) <= 1.05 * wanted;
            (good ? low : high) = load;
        }
        return static_cast<std::size_t>(std::ceil(keys * lines_a_key / low));
    };
    std::size_t const one = lines_with(1);
    std::size_t const two = lines_with(2);
    return one <= two ? bloom_shape{1, one} : bloom_shape{2, two};
}

} // namespace weir::inline v0::detail
