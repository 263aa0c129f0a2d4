// SPDX-License-Identifier: BSL-1.0
//
// store beside the bare find of an unordered_flat_map and what one would write by hand, an exact LRU under a mutex. Prints figures and the
// bars they have to meet; figures are medians of rounds in random order, nanoseconds a call of each thread.
// With two arguments, one of bare, plain, shared, visit, borrow, confined and lru, and a number, it makes that many times 50,000 hits with that one alone:
// what callgrind counts for `cache plain 20` less what it counts for `cache plain 0` are the instructions of a million hits.
#include <weir/cache/store.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

std::atomic<std::size_t> allocations_made{0};
std::atomic<std::size_t> bytes_held{0};

} // namespace

// Counts what the program allocates and holds.
[[gnu::noinline]] void* operator new(std::size_t size)
{
    void* const p = std::malloc(size);
    if (p == nullptr) throw std::bad_alloc();
    ++allocations_made;
    bytes_held += malloc_usable_size(p);
    return p;
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment)
{
    auto const a = static_cast<std::size_t>(alignment);
    void* const p = std::aligned_alloc(a, (size + a - 1) / a * a);
    if (p == nullptr) throw std::bad_alloc();
    ++allocations_made;
    bytes_held += malloc_usable_size(p);
    return p;
}
[[gnu::noinline]] void operator delete(void* p) noexcept
{
    bytes_held -= malloc_usable_size(p);
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept
{
    operator delete(p);
}
void operator delete(void* p, std::align_val_t) noexcept
{
    operator delete(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept
{
    operator delete(p);
}

namespace {

using namespace std::chrono_literals;

constexpr std::size_t capacity = 100'000;
constexpr std::size_t population = 1'000'000;
constexpr int rounds = 21;
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

/// The medians of each piece of work. Each round takes them in another order: what a processor's caches still hold of a store depends on who
/// came before.
std::vector<double> race(unsigned threads, std::vector<std::vector<std::uint64_t>> const& keys, std::vector<work> const& works)
{
    std::vector<std::vector<double>> times(works.size());
    std::vector<std::size_t> order(works.size());
    for (std::size_t i = 0; i < works.size(); ++i) order[i] = i;
    std::mt19937 random(1);
    for (int round = 0; round < rounds; ++round) {
        std::shuffle(order.begin(), order.end(), random);
        for (std::size_t i : order) times[i].push_back(time_of(threads, keys, works[i]));
    }
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
    [[gnu::always_inline]] auto find(std::uint64_t key) { return store.find(key, now); }
    void put(std::uint64_t key, std::uint64_t value)
    {
        if constexpr (std::is_same_v<typename Store::value_type, std::uint64_t>)
            store.put(key, value, now);
        else
            store.put(key, std::make_shared<std::uint64_t const>(value), now);
    }
    std::uint64_t lent(std::uint64_t key) { return *store.borrow(key, now); }
    std::uint64_t seen(std::uint64_t key)
    {
        std::uint64_t value = 0;
        store.visit(key, now, [&](auto const& kept, auto const&) { value = *kept; });
        return value;
    }
};

using plain_store = at_one_time<weir::store<std::uint64_t, std::uint64_t>>;
using shared_store = at_one_time<weir::store<std::uint64_t, std::shared_ptr<std::uint64_t const>>>;
using confined_store = at_one_time<weir::store<std::uint64_t, std::uint64_t, weir::confined>>;

struct contestants {
    plain_store plain;
    shared_store shared;
    confined_store confined;
    lru baseline{capacity};
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> bare;

    work by_bare = over([this](std::uint64_t key) { return bare.find(key)->second; });
    work by_plain = over([this](std::uint64_t key) { return *plain.find(key); });
    work by_shared = over([this](std::uint64_t key) { return **shared.find(key); });
    work by_visit = over([this](std::uint64_t key) { return shared.seen(key); });
    work by_borrow = over([this](std::uint64_t key) { return shared.lent(key); });
    work by_confined = over([this](std::uint64_t key) { return *confined.find(key); });
    work by_lru = over([this](std::uint64_t key) { return *baseline.find(key); });

    /// Hits only: keys that every cache holds, as often as they are asked for.
    std::vector<std::uint64_t> hits(std::size_t draws, unsigned seed)
    {
        auto keys = zipf(draws, population, seed);
        std::erase_if(
            keys, [&](std::uint64_t key) { return !plain.find(key) || !shared.find(key) || !confined.find(key) || !baseline.find(key); });
        for (std::uint64_t key : keys) bare.emplace(key, key);
        return keys;
    }
};

int line(char const* what, double is, char const* relation, double bar)
{
    bool const met = relation[0] == '<' ? is <= bar : is >= bar;
    std::printf("%-66s %8.3f   bar %s %.3f   %s\n", what, is, relation, bar, met ? "met" : "MISSED");
    return met ? 0 : 1;
}

/// Bytes an entry beyond key and value, of a full store.
template<class Value>
double bytes_beside(std::function<Value(std::uint64_t)> const& make)
{
    std::vector<Value> values;
    for (std::uint64_t key = 0; key < 2 * capacity; ++key) values.push_back(make(key));
    std::size_t const before = bytes_held.load();
    weir::store<std::uint64_t, Value> store{{.capacity = capacity, .ttl = 1h, .seed = 1u}};
    for (std::uint64_t key = 0; key < 2 * capacity; ++key) store.put(key, values[key], now);
    return static_cast<double>(bytes_held.load() - before) / static_cast<double>(store.size()) - sizeof(std::uint64_t) - sizeof(Value);
}

int stores()
{
    contestants all;
    auto const history = zipf(4'000'000, population, 1);
    double const ratio = hit_ratio(all.plain, history);
    double const ratio_shared = hit_ratio(all.shared, history);
    double const ratio_confined = hit_ratio(all.confined, history);
    double const ratio_lru = hit_ratio(all.baseline, history);
    for (std::uint64_t key : history)
        if (all.bare.size() < capacity) all.bare.emplace(key, key);
    std::vector<std::vector<std::uint64_t>> keys{all.hits(800'000, 2), all.hits(800'000, 3)};
    for (auto& each : keys) each.resize(std::min<std::size_t>(each.size(), 500'000));

    std::size_t const before = allocations_made.load();
    sink += all.by_plain(keys[0]) + all.by_shared(keys[0]) + all.by_confined(keys[0]);
    auto const allocated = static_cast<double>(allocations_made.load() - before);

    auto const one = race(1, keys, {all.by_bare, all.by_plain, all.by_shared, all.by_visit, all.by_confined, all.by_lru, all.by_borrow});
    auto const two = race(2, keys, {all.by_bare, all.by_plain, all.by_shared, all.by_visit, all.by_lru, all.by_borrow});

    std::printf("store: zipf 0.99, %zu of %zu keys, 8 bytes to 8 bytes or to a shared_ptr\n", capacity, population);
    std::printf("%-46s %8s %8s %10s\n", "", "1T ns", "2T ns", "hit ratio");
    std::printf("%-46s %8.1f %8.1f %10s\n", "unordered_flat_map::find, no bound", one[0], two[0], "-");
    std::printf("%-46s %8.1f %8.1f %10.4f\n", "store::find, a hit", one[1], two[1], ratio);
    std::printf("%-46s %8.1f %8.1f %10.4f\n", "store::find, a hit, shared value", one[2], two[2], ratio_shared);
    std::printf("%-46s %8.1f %8.1f %10s\n", "store::visit, a hit, shared value", one[3], two[3], "");
    std::printf("%-46s %8.1f %8.1f %10s\n", "store::borrow, a hit, shared value", one[6], two[5], "");
    std::printf("%-46s %8.1f %8s %10.4f\n", "store<confined>::find, a hit", one[4], "-", ratio_confined);
    std::printf("%-46s %8.1f %8.1f %10.4f\n\n", "LRU by hand, one mutex", one[5], two[4], ratio_lru);

    int missed = line("hit, plain value, one thread, against the bare find", one[1] / one[0], "<=", 2.5);
    missed += line("hit, plain value, two threads, against the bare find", two[1] / two[0], "<=", 3.4);
    missed += line("hit, shared value visited, one thread, against the bare find", one[3] / one[0], "<=", 4);
    missed += line("hit, shared value visited, two threads, against the bare find", two[3] / two[0], "<=", 6);
    missed += line("hit, shared value lent, one thread, against the bare find", one[6] / one[0], "<=", 4);
    missed += line("hit, shared value lent, two threads, against the bare find", two[5] / two[0], "<=", 6);
    missed += line("hit, shared value copied, one thread, against the bare find", one[2] / one[0], "<=", 4);
    missed += line("hit, shared value copied, two threads, against the bare find", two[2] / two[0], "<=", 6);
    missed += line("two threads, times as fast as the LRU under a mutex", two[4] / two[1], ">=", 5);
    missed += line("hit ratio", ratio, ">=", 0.809);
    missed +=
        line("bytes an entry beyond key and value, plain", bytes_beside<std::uint64_t>([](std::uint64_t key) { return key; }), "<=", 40);
    missed += line("bytes an entry beyond key and value, shared",
                   bytes_beside<std::shared_ptr<int const>>([](std::uint64_t) { return nullptr; }), "<=", 40);
    missed += line("allocations of 1.5 million hits", allocated, "<=", 0);
    return missed;
}

int alone(std::string const& which, int rounds_of_hits)
{
    contestants all;
    for (std::uint64_t key : zipf(300'000, population, 1)) {
        all.plain.put(key, key);
        all.shared.put(key, key);
        all.confined.put(key, key);
        all.baseline.put(key, key);
    }
    auto keys = all.hits(100'000, 2);
    for (std::size_t i = 0; keys.size() < 50'000; ++i) keys.push_back(keys[i]); // again
    keys.resize(50'000);
    std::vector<std::pair<std::string, work const*>> const works{
        {"bare", &all.by_bare},     {"plain", &all.by_plain},       {"shared", &all.by_shared}, {"visit", &all.by_visit},
        {"borrow", &all.by_borrow}, {"confined", &all.by_confined}, {"lru", &all.by_lru}};
    for (auto const& [name, one] : works) {
        if (name != which) continue;
        for (int round = 0; round < rounds_of_hits; ++round) sink += (*one)(keys);
        return 0;
    }
    std::fprintf(stderr, "cache: expected bare, plain, shared, visit, borrow, confined or lru, not %s\n", which.c_str());
    return 2;
}

} // namespace

int main(int argc, char** argv)
{
    std::jthread([] {}).join(); // a program with one thread only counts shared_ptrs without atomics
    if (argc > 2) return alone(argv[1], std::atoi(argv[2]));
    int const missed = stores();
    if (missed != 0) std::printf("\n%d bars missed\n", missed);
    return 0;
}
