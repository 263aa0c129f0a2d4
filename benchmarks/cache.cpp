// SPDX-License-Identifier: BSL-1.0
//
// store and bloom_filter beside what one would write by hand: an exact LRU under a mutex, the bare find of an unordered_flat_map, a classic
// Bloom filter. Prints two tables; figures are medians of alternating rounds, nanoseconds a call of each thread.
#include <weir/cache/bloom_filter.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::size_t capacity = 100'000;
constexpr std::size_t population = 1'000'000;
constexpr int rounds = 11;
constexpr weir::time_point now{1h};

std::atomic<std::uint64_t> sink;

/// Keys of a Zipf distribution with exponent 0.99, spread over all 64 bits.
std::vector<std::uint64_t> zipf(std::size_t draws, std::size_t keys, unsigned seed)
{
    std::vector<double> below(keys);
    double sum = 0;
    for (std::size_t rank = 0; rank < keys; ++rank) below[rank] = sum += 1 / std::pow(static_cast<double>(rank + 1), 0.99);
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(0, sum);
    std::vector<std::uint64_t> drawn(draws);
    for (auto& key : drawn) {
        auto const rank = std::lower_bound(below.begin(), below.end(), uniform(random)) - below.begin();
        std::uint64_t state = static_cast<std::uint64_t>(rank);
        key = weir::detail::splitmix64(state);
    }
    return drawn;
}

/// The plain baseline: an exact LRU, a list and a map under one mutex.
class lru {
public:
    explicit lru(std::size_t size) : size_(size) { places_.reserve(size + 1); }
    std::optional<std::uint64_t> find(std::uint64_t key)
    {
        std::scoped_lock const lock(mutex_);
        auto const at = places_.find(key);
        if (at == places_.end()) return std::nullopt;
        order_.splice(order_.begin(), order_, at->second);
        return at->second->second;
    }
    void put(std::uint64_t key, std::uint64_t value)
    {
        std::scoped_lock const lock(mutex_);
        order_.emplace_front(key, value);
        places_[key] = order_.begin();
        if (order_.size() <= size_) return;
        places_.erase(order_.back().first);
        order_.pop_back();
    }

private:
    std::size_t size_;
    std::mutex mutex_;
    std::list<std::pair<std::uint64_t, std::uint64_t>> order_;
    boost::unordered_flat_map<std::uint64_t, std::list<std::pair<std::uint64_t, std::uint64_t>>::iterator> places_;
};

/// The plain baseline: 9.6 bits a key, seven bits anywhere, by double hashing.
class classic_bloom {
public:
    explicit classic_bloom(std::size_t keys) : bits_(static_cast<std::size_t>(static_cast<double>(keys) * 9.585 / 64) + 1) {}
    void add(std::uint64_t key)
    {
        visit(key, [&](std::size_t bit) {
            bits_[bit / 64] |= std::uint64_t{1} << bit % 64;
            return true;
        });
    }
    bool may_contain(std::uint64_t key) const
    {
        return visit(key, [&](std::size_t bit) { return (bits_[bit / 64] >> bit % 64 & 1) != 0; });
    }
    std::size_t size_in_bytes() const { return bits_.size() * 8; }

private:
    template<class Act>
    bool visit(std::uint64_t key, Act act) const
    {
        __extension__ using wide = unsigned __int128;
        std::uint64_t hash = hash_(key);
        std::uint64_t const step = hash * 0x9e3779b97f4a7c15u | 1u;
        for (int i = 0; i < 7; ++i, hash += step)
            if (!act(static_cast<std::size_t>(static_cast<wide>(hash) * (bits_.size() * 64) >> 64))) return false;
        return true;
    }
    weir::detail::seeded_hash hash_{1};
    std::vector<std::uint64_t> bits_;
};

/// Nanoseconds a call of `one(key)`, by `threads` at once, each over keys of its own.
double time_of(unsigned threads, std::vector<std::vector<std::uint64_t>> const& keys,
               std::function<std::uint64_t(std::vector<std::uint64_t> const&)> const& all)
{
    std::atomic<unsigned> ready{0};
    std::vector<double> took(threads);
    auto const run = [&](unsigned mine) {
        ++ready;
        while (ready.load() != threads) {}
        auto const begin = std::chrono::steady_clock::now();
        sink += all(keys[mine]);
        took[mine] = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() /
                     static_cast<double>(keys[mine].size());
    };
    {
        std::vector<std::jthread> others;
        for (unsigned i = 1; i < threads; ++i) others.emplace_back(run, i);
        run(0);
    }
    return *std::max_element(took.begin(), took.end());
}

double median(std::vector<double> v)
{
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
}

/// The loop around `one`, of which only the type is erased, not the call.
template<class One>
auto over(One one)
{
    return [one](std::vector<std::uint64_t> const& keys) {
        std::uint64_t sum = 0;
        for (std::uint64_t key : keys) sum += one(key);
        return sum;
    };
}

using work = std::function<std::uint64_t(std::vector<std::uint64_t> const&)>;

/// The medians of each piece of work, whose rounds alternate.
std::vector<double> race(unsigned threads, std::vector<std::vector<std::uint64_t>> const& keys, std::vector<work> const& works)
{
    std::vector<std::vector<double>> times(works.size());
    for (int round = 0; round < rounds; ++round)
        for (std::size_t i = 0; i < works.size(); ++i) times[i].push_back(time_of(threads, keys, works[i]));
    std::vector<double> medians;
    for (auto const& each : times) medians.push_back(median(each));
    return medians;
}

template<class Cache>
double hit_ratio(Cache& cache, std::vector<std::uint64_t> const& keys)
{
    std::size_t hits = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        bool const warm = i >= keys.size() / 2;
        if (cache.find(keys[i]))
            hits += warm ? 1 : 0;
        else
            cache.put(keys[i], keys[i]);
    }
    return static_cast<double>(hits) / static_cast<double>(keys.size() - keys.size() / 2);
}

/// The store with the face of the baselines.
template<class Store>
struct at_one_time {
    Store store{{.capacity = capacity, .ttl = 1h, .seed = 1u}};
    auto find(std::uint64_t key) { return store.find(key, now); }
    void put(std::uint64_t key, std::uint64_t value) { store.put(key, value, now); }
};

void stores()
{
    at_one_time<weir::store<std::uint64_t, std::uint64_t>> shared;
    at_one_time<weir::store<std::uint64_t, std::uint64_t, weir::confined>> confined;
    lru baseline(capacity);
    auto const history = zipf(8'000'000, population, 1);
    double const ratio = hit_ratio(shared, history);
    double const ratio_confined = hit_ratio(confined, history);
    double const ratio_lru = hit_ratio(baseline, history);

    // Hits only: keys that every cache holds, as often as they are asked for.
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> bare;
    auto const hits_of = [&](unsigned seed) {
        auto keys = zipf(800'000, population, seed);
        std::erase_if(keys, [&](std::uint64_t key) { return !shared.find(key) || !confined.find(key) || !baseline.find(key); });
        keys.resize(std::min<std::size_t>(keys.size(), 500'000));
        return keys;
    };
    std::vector<std::vector<std::uint64_t>> const keys{hits_of(2), hits_of(3)};
    for (std::uint64_t key : history)
        if (bare.size() < capacity) bare.emplace(key, key);
    for (auto const& each : keys)
        for (std::uint64_t key : each) bare.emplace(key, key);

    work const by_bare = over([&](std::uint64_t key) { return bare.find(key)->second; });
    work const by_shared = over([&](std::uint64_t key) { return *shared.find(key); });
    work const by_confined = over([&](std::uint64_t key) { return *confined.find(key); });
    work const by_lru = over([&](std::uint64_t key) { return *baseline.find(key); });
    auto const one = race(1, keys, {by_bare, by_shared, by_confined, by_lru});
    auto const two = race(2, keys, {by_bare, by_shared, by_lru});

    std::printf("store: zipf 0.99, %zu of %zu keys, 8 bytes to 8 bytes\n", capacity, population);
    std::printf("%-36s %8s %8s %10s %10s\n", "", "1T ns", "2T ns", "1T / bare", "hit ratio");
    std::printf("%-36s %8.1f %8.1f %10.2f %10s\n", "unordered_flat_map::find, no bound", one[0], two[0], 1.0, "-");
    std::printf("%-36s %8.1f %8.1f %10.2f %10.3f\n", "store<shared>::find, a hit", one[1], two[1], one[1] / one[0], ratio);
    std::printf("%-36s %8.1f %8s %10.2f %10.3f\n", "store<confined>::find, a hit", one[2], "-", one[2] / one[0], ratio_confined);
    std::printf("%-36s %8.1f %8.1f %10.2f %10.3f\n\n", "LRU by hand, one mutex", one[3], two[2], one[3] / one[0], ratio_lru);
}

void bloom(std::size_t size)
{
    weir::bloom_filter<std::uint64_t> shared{{.population = size, .seed = 1u}};
    weir::bloom_filter<std::uint64_t, weir::confined> confined{{.population = size, .seed = 1u}};
    classic_bloom classic(size);
    std::mt19937_64 random(4);
    std::vector<std::uint64_t> in(size), out(1'000'000);
    for (auto& key : in) key = random();
    for (auto& key : out) key = random();
    for (std::uint64_t key : in) {
        shared.add(key);
        confined.add(key);
        classic.add(key);
    }
    std::shuffle(in.begin(), in.end(), random);
    if (in.size() > 1'000'000) in.resize(1'000'000);

    auto const look_up = [](auto const& filter) -> work {
        return over([&](std::uint64_t key) { return filter.may_contain(key) ? 1u : 0u; });
    };
    std::vector<work> const works{look_up(shared), look_up(confined), look_up(classic)};
    auto const hit = race(1, {in}, works);
    auto const miss = race(1, {out}, works);
    auto const rate = [&](work const& w) { return static_cast<double>(w(out)) / static_cast<double>(out.size()); };
    auto const bits = [&](std::size_t bytes) { return static_cast<double>(bytes) * 8 / static_cast<double>(size); };

    std::printf("bloom_filter: 1 %%, %zu keys\n", size);
    std::printf("%-36s %8s %8s %12s %12s %10s\n", "", "hit ns", "miss ns", "hit / classic", "bits a key", "rate");
    auto const line = [&](char const* name, std::size_t i, std::size_t bytes) {
        std::printf("%-36s %8.2f %8.2f %12.2f %12.2f %9.3f%%\n", name, hit[i], miss[i], hit[i] / hit[2], bits(bytes), 100 * rate(works[i]));
    };
    line("bloom_filter<shared>", 0, shared.size_in_bytes());
    line("bloom_filter<confined>", 1, confined.size_in_bytes());
    line("classic, by hand", 2, classic.size_in_bytes());
    std::printf("\n");
}

} // namespace

int main()
{
    stores();
    bloom(100'000);
    bloom(10'000'000);
}
