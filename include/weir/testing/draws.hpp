// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/splitmix64.hpp>
#include <weir/core/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// Where the random decisions of a test come from: a stream of numbers of one seed, or the record of an earlier one. The smaller a
/// number, the simpler what is made of it: a record that is cut short goes on with zeros, and one that is lowered makes a simpler test.
/// (The sequence of choices of D. MacIver and A. Donaldson, "Test-case reduction via test-case generation", ECOOP 2020.)
///
/// Used by one thread. A draw costs some nanoseconds; one that is recorded 8 bytes.
class draws {
public:
    /// Of a seed; nothing is recorded.
    explicit draws(std::uint64_t seed = 1) noexcept : state_(seed * 0x9e3779b97f4a7c15u) {}

    /// Of a seed, recorded: more than `most` draws throw `std::length_error`.
    [[nodiscard]] static draws recorded(std::uint64_t seed, std::size_t most)
    {
        draws made(seed);
        made.most_ = most;
        return made;
    }
    /// A record again, followed by zeros.
    [[nodiscard]] static draws replayed(std::vector<std::uint64_t> record, std::size_t most)
    {
        draws made = recorded(0, most);
        made.script_ = std::move(record);
        made.replays_ = true;
        return made;
    }

    /// A whole number below `bound`, which is at least 1; all are equally likely.
    std::uint64_t below(std::uint64_t bound)
    {
        expect(bound != 0, "draws.below", "a bound of at least 1");
        if (bound == 1) return 0;
        return decide(bound, [&] { return word() % bound; });
    }
    /// From `low` to `high`, both included.
    std::uint64_t between(std::uint64_t low, std::uint64_t high)
    {
        expect(low <= high, "draws.between", "a low end that is not above the high one");
        return high - low == ~std::uint64_t{0} ? decide(0, [&] { return word(); }) : low + below(high - low + 1);
    }
    /// A span of time from `low` to `high`, in whole nanoseconds.
    duration between(duration low, duration high)
    {
        expect(low <= high, "draws.between", "a low end that is not above the high one");
        auto const width = static_cast<std::uint64_t>(high.count()) - static_cast<std::uint64_t>(low.count());
        return duration{static_cast<std::int64_t>(static_cast<std::uint64_t>(low.count()) + between(std::uint64_t{0}, width))};
    }
    /// True with this probability; false is the simpler one. What is certain takes no draw.
    bool chance(double probability)
    {
        expect_ratio(probability, "draws.chance");
        if (probability == 0 || probability == 1) return probability == 1;
        return decide(2, [&] { return std::uint64_t{unit() < probability}; }) == 1;
    }
    /// Times between events that come at random (a Poisson process), and the service times of the textbooks: at most 64 times the mean.
    duration exponential(duration mean)
    {
        expect(mean.count() >= 0, "draws.exponential", "a mean of 0 or more");
        return up_to_64(mean, [&] { return -std::log(1 - unit()); });
    }
    /// Times as services take them: half below the median, some far above. `sigma` is the deviation of the logarithm: at 0.5 one in
    /// a hundred takes 3.2 times the median, at 1 ten times; at most 64 times.
    duration log_normal(duration median, double sigma)
    {
        expect(median.count() >= 0, "draws.log_normal", "a median of 0 or more");
        expect(sigma >= 0 && sigma <= 4, "draws.log_normal", "a sigma from 0 to 4");
        return up_to_64(median, [&] {
            double const radius = std::sqrt(-2 * std::log(1 - unit())); // G. Box, M. Muller, 1958
            return std::exp(sigma * radius * std::cos(2 * 3.14159265358979323846 * unit()));
        });
    }
    /// A seed for the options of a policy; never 0, as that stands for any.
    std::uint64_t seed() { return 1 + below(std::uint64_t{1} << 32); }

    /// What was drawn, if it is recorded, without the zeros at the end.
    [[nodiscard]] std::vector<std::uint64_t> record() const
    {
        auto end = record_.end();
        while (end != record_.begin() && end[-1] == 0) --end;
        return {record_.begin(), end};
    }

private:
    std::uint64_t word() noexcept { return detail::splitmix64(state_); }
    double unit() noexcept { return static_cast<double>(word() >> 11) * 0x1p-53; }

    /// One decision below `bound`; a bound of 0 is 2^64.
    template<class Draw>
    std::uint64_t decide(std::uint64_t bound, Draw&& draw)
    {
        if (most_ == 0) return draw();
        if (record_.size() >= most_)
            throw std::length_error("weir: a schedule draws more than max_draws allows; simplify it, or allow more");
        std::uint64_t value = 0;
        if (!replays_)
            value = draw();
        else if (record_.size() < script_.size())
            value = bound == 0 ? script_[record_.size()] : script_[record_.size()] % bound;
        record_.push_back(value);
        return value;
    }
    template<class Factor>
    duration up_to_64(duration scale, Factor&& factor)
    {
        expect(scale <= std::chrono::hours(24 * 365), "draws", "a span of at most a year");
        std::uint64_t const most = 64 * static_cast<std::uint64_t>(scale.count());
        if (most == 0) return duration::zero();
        return duration{static_cast<std::int64_t>(
            decide(most + 1, [&] { return static_cast<std::uint64_t>(std::min(factor(), 64.0) * static_cast<double>(scale.count())); }))};
    }

    std::uint64_t state_;
    std::size_t most_ = 0; ///< 0: nothing is recorded
    bool replays_ = false;
    std::vector<std::uint64_t> script_;
    std::vector<std::uint64_t> record_;
};

} // namespace weir::inline v0
