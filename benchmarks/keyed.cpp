// SPDX-License-Identifier: BSL-1.0
// A limit a key: what a call costs against the bare look-up that it is made of, and what memory a key takes.
//   keyed              both; fails if a call costs more than 1.3 times the bare look-up and gcra, by one thread or by each of two
//   keyed time|memory  the one or the other
#include "rounds.hpp"

#include <weir/core/detail/hash.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <malloc.h>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t many = 100'000;
constexpr std::size_t walk = 1 << 20; // calls before the same keys come again
constexpr weir::rate plenty{
    .permits = 1'000'000'000, .per = 1s, .burst = 1'000'000'000'000'000}; // also for a thread whose time lags behind

struct by_number {
    using key_type = std::uint64_t;
};
struct by_name {
    using key_type = std::string;
};

/// Keys by Zipf's law with exponent 0.99, drawn before anything is timed.
std::vector<std::uint64_t> zipf_keys(std::uint64_t seed)
{
    std::vector<double> sum(many);
    double total = 0;
    for (std::size_t rank = 0; rank < many; ++rank) sum[rank] = total += 1 / std::pow(static_cast<double>(rank + 1), 0.99);
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> anywhere(0, total);
    std::vector<std::uint64_t> keys(walk);
    for (std::uint64_t& key : keys)
        key = static_cast<std::uint64_t>(std::lower_bound(sum.begin(), sum.end(), anywhere(random)) - sum.begin()) * 0x9e3779b97f4a7c15u;
    return keys;
}

/// The bare look-up: the same map with the same seeded hash, never changed while it is asked, of gcras: nothing in it knows of locks, evictions,
/// capacity or the time that other calls were told.
class bare_map {
public:
    explicit bare_map(std::vector<std::uint64_t> const& keys)
    {
        for (std::uint64_t key : keys)
            if (!limits_.contains(key)) limits_.emplace(key, weir::gcra<>{plenty});
    }
    weir::decision try_acquire(std::uint64_t key, weir::time_point now) { return limits_.find(key)->second.try_acquire(now); }

private:
    boost::unordered_flat_map<std::uint64_t, weir::gcra<>, weir::detail::seeded_hash> limits_{0, weir::detail::seeded_hash(42)};
};
/// The same with nothing but a word for each key, the least there could be, and one rule for all.
class bare_words {
public:
    explicit bare_words(std::vector<std::uint64_t> const& keys)
    {
        for (std::uint64_t key : keys) words_.try_emplace(key);
    }
    weir::decision try_acquire(std::uint64_t key, weir::time_point now)
    {
        std::atomic_ref<std::int64_t> state(words_.find(key)->second.value);
        for (;;) {
            std::int64_t seen = state.load(std::memory_order_acquire);
            if (std::int64_t next = 0; rule_.quick(seen, now, 1, next)) {
                if (state.compare_exchange_weak(seen, next)) return weir::decision::admitted();
            } else {
                return rule_.try_acquire(seen, now, 1);
            }
        }
    }

private:
    struct word {
        std::int64_t value = weir::pace::fresh;
    };
    weir::pace rule_{plenty};
    boost::unordered_flat_map<std::uint64_t, word, weir::detail::seeded_hash> words_{0, weir::detail::seeded_hash(42)};
};

template<class Limits>
[[gnu::noinline]] void run(Limits& limits, std::vector<std::uint64_t> const& keys, long calls)
{
    long admitted = 0;
    std::int64_t now = 1'000'000'000;
    for (long i = 0; i < calls; ++i)
        admitted += static_cast<bool>(
            limits.try_acquire(keys[static_cast<std::size_t>(i) & (walk - 1)], weir::time_point{weir::duration{now += 10}}));
    keep(admitted);
}

bool times()
{
    // Each thread has its own walk over the same keys.
    std::vector<std::uint64_t> const keys[2] = {zipf_keys(1), zipf_keys(2)};
    bare_map map(keys[0]);
    bare_words words(keys[0]);
    weir::keyed limits{weir::gcra{plenty}, by_number{}, {.capacity = 2 * many, .seed = 42}};
    for (std::uint64_t key : keys[0]) static_cast<void>(limits.try_acquire(key, weir::time_point{}));
    std::vector<std::uint64_t> mine[2];
    for (int n = 0; n < 2; ++n) // both ask for keys that the bare maps hold
        for (std::size_t i = 0; i < walk; ++i) mine[n].push_back(n == 0 ? keys[0][i] : keys[0][(i * 7919 + 13) & (walk - 1)]);

    bool good = true;
    for (unsigned threads = 1; threads <= 2; ++threads) {
        std::atomic<unsigned> next{0};
        auto const of = [&](auto& which) {
            return [&](long calls) {
                thread_local unsigned const number = next.fetch_add(1) & 1;
                run(which, mine[number], calls);
            };
        };
        auto const a = of(map);
        auto const b = of(words);
        auto const c = of(limits);
        std::vector<double> spent[3];
        for (int round = 0; round < 21; ++round) {
            constexpr long calls = 500'000;
            spent[0].push_back(nanoseconds(threads, calls, a));
            spent[1].push_back(nanoseconds(threads, calls, b));
            spent[2].push_back(nanoseconds(threads, calls, c));
        }
        double const bare = median(spent[0]);
        double const ours = median(spent[2]);
        std::printf("zipf 0.99 over 100,000 keys, %u thread%s: bare look-up + gcra %5.1f ns, + a word %5.1f ns, keyed %5.1f ns: %.2f of "
                    "gcra, %.2f of the word\n",
                    threads, threads == 1 ? "" : "s", bare, median(spent[1]), ours, ours / bare, ours / median(spent[1]));
        good = good && ours <= 1.3 * bare;
    }
    std::printf("bar: 1.3 of the bare look-up + gcra\n");
    return good;
}

std::size_t heap()
{
    auto const info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

template<class KeyOf, class MakeKey>
void print_memory(char const* name, std::size_t count, KeyOf by, MakeKey key_of)
{
    std::size_t const before = heap();
    auto limits = std::make_unique<weir::keyed<weir::gcra<>, KeyOf>>(weir::gcra{{.permits = 1, .per = 24h}}, by,
                                                                     weir::keyed_options{.capacity = count});
    auto const begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) static_cast<void>(limits->try_acquire(key_of(i), weir::time_point{1h}));
    std::chrono::duration<double, std::nano> const spent = std::chrono::steady_clock::now() - begin;
    auto const stats = limits->stats();
    std::printf("%-28s %9zu keys, %6.1f bytes a key by its own count, %6.1f by the allocator's; %5.0f ns for a new one\n", name, stats.keys,
                static_cast<double>(stats.bytes) / static_cast<double>(stats.keys),
                static_cast<double>(heap() - before) / static_cast<double>(stats.keys), spent.count() / static_cast<double>(count));
}

bool memory()
{
    print_memory("64-bit numbers", 10'000'000, by_number{}, [](std::size_t i) { return std::uint64_t{i}; });
    print_memory("names of 15 characters", 2'000'000, by_name{}, [](std::size_t i) { return "tenant-" + std::to_string(10'000'000 + i); });
    print_memory("names of 36 characters", 2'000'000, by_name{},
                 [](std::size_t i) { return "6f9619ff-8b86-d011-b42d-" + std::to_string(100'000'000'000 + i); });
    return true;
}

} // namespace

int main(int argc, char** argv)
{
    bool const only = argc == 2;
    bool good = true;
    if (!only || std::strcmp(argv[1], "time") == 0) good = times();
    if (!only || std::strcmp(argv[1], "memory") == 0) memory();
    return good ? 0 : 1;
}
