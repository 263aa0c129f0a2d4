// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/bloom_options.hpp>
#include <weir/cache/detail/bloom_line.hpp>
#include <weir/cache/detail/bloom_shape.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::inline v0::detail {

struct bloom_image;

/// The part that block filters share: which lines a key has, and which places in them.
template<class Key, threading_model Threading>
class bloom_lines {
public:
    using key_type = Key;
    using threading = Threading;
    using options = bloom_filter_options;

    /// Forgets every key.
    void clear() noexcept
    {
        for (line_type& each : lines_)
            for (auto& word : each.words) word.store(0);
    }
    [[nodiscard]] std::size_t size_in_bytes() const noexcept { return lines_.size() * sizeof(line_type); }
    /// The population that it was made for.
    [[nodiscard]] std::size_t planned_population() const noexcept { return population_; }
    /// The rate of false positives that it was made for.
    [[nodiscard]] double planned_rate() const noexcept { return rate_; }

    /// The rate of false positives to be expected with so many keys.
    [[nodiscard]] double rate_with(std::size_t keys) const
    {
        double const load = static_cast<double>(keys) * lines_a_key_ / static_cast<double>(lines_.size());
        return keys == 0 ? 0 : load > 600 ? 1 : std::pow(rate_at(load, places_).mean, lines_a_key_);
    }

protected:
    using line_type = bloom_line<typename Threading::template cell<std::uint64_t>>;
    static constexpr unsigned width = line_type::width;

    bloom_lines(options const& o, double places) : bloom_lines(o, places, o.seed.value_or(random_seed())) {}

    template<key_like<Key> Like>
    std::uint64_t hash(Like const& key) const
    {
        return hash_(as_key<Key>(key));
    }
    static std::uint64_t next(std::uint64_t hash) noexcept { return splitmix64(hash); }
    // The line by the highest bits (Lemire, "Fast random integer generation in an interval", 2019), the places in it by all.
    std::size_t line_of(std::uint64_t hash) const noexcept
    {
        return static_cast<std::size_t>(static_cast<wide>(hash) * lines_.size() >> 64);
    }
    static std::uint64_t places_of(std::uint64_t hash) noexcept { return hash * 0x9e3779b97f4a7c15u >> 16; }

    std::uint64_t seed_;
    seeded_hash hash_;
    unsigned lines_a_key_ = 1;
    std::size_t population_;
    double rate_;
    double places_;
    std::vector<line_type> lines_;

private:
    __extension__ using wide = unsigned __int128;
    friend bloom_image;

    bloom_lines(options const& o, double places, std::uint64_t seed)
        : seed_(seed), hash_(seed), population_(o.population), rate_(o.false_positive_rate), places_(places)
    {
        expect(population_ >= 1 && population_ <= (std::size_t{1} << 36), "bloom_filter.population", "a number of keys in [1, 2^36]");
        expect(rate_ >= 1e-6 && rate_ <= 0.5, "bloom_filter.false_positive_rate", "a rate in [1e-6, 0.5]");
        bloom_shape const shape = bloom_shape_for(population_, rate_, places);
        lines_a_key_ = shape.lines_a_key;
        lines_ = std::vector<line_type>(shape.lines);
    }
};

} // namespace weir::inline v0::detail
