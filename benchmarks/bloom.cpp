// SPDX-License-Identifier: BSL-1.0
//
// bloom_filter beside the least that any filter of its size does: hash the key and read one cache line of the same memory. Two such
// baselines: one word of the line, and all eight. Figures are medians of alternating rounds, nanoseconds a call.
#include "rounds.hpp"

#include <weir/cache/bloom_filter.hpp>
#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/counting_bloom_filter.hpp>
#include <weir/core/detail/hash.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <utility>
#include <vector>

namespace {

constexpr int rounds = 15;
using keys = std::vector<std::uint64_t>;
using work = std::function<std::uint64_t(keys const&)>;

/// The loop around `one`, of which only the type is erased, not the call.
template<class One>
work over(One one)
{
    return [one](keys const& all) {
        std::uint64_t sum = 0;
        for (std::uint64_t key : all) sum += one(key);
        return sum;
    };
}

/// The filter's memory, seen from inside.
class opened : public weir::bloom_filter<std::uint64_t> {
public:
    using weir::bloom_filter<std::uint64_t>::bloom_filter;
    auto const& line(std::uint64_t key) const { return lines_[line_of(hash(key))].words; }
};

std::vector<double> race(keys const& all, std::vector<work> const& works)
{
    std::vector<std::vector<double>> times(works.size());
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < works.size(); ++i)
            times[i].push_back(nanoseconds_each(all.size(), [&] { keep(static_cast<long>(works[i](all))); }));
    std::vector<double> medians;
    for (auto& each : times) medians.push_back(median(each));
    return medians;
}

void run(std::size_t size)
{
    opened filter{{.population = size, .seed = 1u}};
    weir::bloom_filter<std::uint64_t, weir::confined> confined{{.population = size, .seed = 1u}};
    weir::counting_bloom_filter<std::uint64_t> counting{{.population = size, .seed = 1u}};
    weir::bloom_guard<std::uint64_t> guard{{.population = size, .seed = 1u}};
    std::mt19937_64 random(4);
    keys in(size), out(1'000'000);
    for (auto& key : in) key = random();
    for (auto& key : out) key = random();
    std::vector<double> adds;
    adds.push_back(nanoseconds_each(size, [&] {
        for (std::uint64_t key : in) filter.add(key);
    }));
    adds.push_back(nanoseconds_each(size, [&] {
        for (std::uint64_t key : in) confined.add(key);
    }));
    adds.push_back(nanoseconds_each(size, [&] {
        for (std::uint64_t key : in) counting.add(key);
    }));
    adds.push_back(nanoseconds_each(size, [&] {
        for (std::uint64_t key : in) guard.add(key);
    }));
    std::shuffle(in.begin(), in.end(), random);
    in.resize(std::min<std::size_t>(in.size(), 1'000'000));

    std::vector<work> const works{
        over([&](std::uint64_t key) { return filter.line(key)[0].load(); }),
        over([&](std::uint64_t key) {
            std::uint64_t all = 0;
            for (auto const& word : filter.line(key)) all ^= word.load();
            return all;
        }),
        over([&](std::uint64_t key) { return filter.may_contain(key) ? 1u : 0u; }),
        over([&](std::uint64_t key) { return confined.may_contain(key) ? 1u : 0u; }),
        over([&](std::uint64_t key) { return counting.may_contain(key) ? 1u : 0u; }),
        over([&](std::uint64_t key) { return guard.may_exist(key) ? 1u : 0u; }),
    };
    auto const hit = race(in, works);
    auto const miss = race(out, works);
    std::printf("%zu keys, 1 %%\n", size);
    std::printf("%-36s %8s %8s %8s %12s %12s %11s %8s\n", "", "add ns", "hit ns", "miss ns", "hit/one word", "hit/one line", "bits a key",
                "rate");
    auto const line = [&](char const* name, std::size_t i, std::size_t bytes) {
        double const rate = static_cast<double>(works[i](out)) / static_cast<double>(out.size());
        std::printf("%-36s %8.1f %8.2f %8.2f %12.2f %12.2f %11.2f %7.3f%%\n", name, adds[i - 2], hit[i], miss[i], hit[i] / hit[0],
                    hit[i] / hit[1], static_cast<double>(bytes) * 8 / static_cast<double>(size), 100 * rate);
    };
    std::printf("%-36s %8s %8.2f %8.2f\n", "hash, read one word of the line", "", hit[0], miss[0]);
    std::printf("%-36s %8s %8.2f %8.2f\n", "hash, read the line", "", hit[1], miss[1]);
    line("bloom_filter<shared>", 2, filter.size_in_bytes());
    line("bloom_filter<confined>", 3, confined.size_in_bytes());
    line("counting_bloom_filter<shared>", 4, counting.size_in_bytes());
    line("bloom_guard<shared>", 5, guard.stats().size_in_bytes);
    std::printf("\n");
}

} // namespace

int main()
{
#if defined(__x86_64__)
    using weir::detail::vectors;
    vectors const has = weir::detail::has_vectors;
    std::printf("bloom_filter by %s\n\n", has == vectors::avx512 ? "AVX-512" : has == vectors::avx2 ? "AVX2" : "plain words");
#endif
    run(100'000);
    run(10'000'000);
}
