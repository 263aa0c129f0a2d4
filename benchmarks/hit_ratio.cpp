// SPDX-License-Identifier: BSL-1.0
//
// How often a full store has what is asked for, beside an exact LRU, SIEVE alone, W-TinyLFU as its paper has it, and Belady's optimum, which knows
// the future. Prints a table and, with a file's name as argument, draws it as an SVG. The second half of each history is counted.
// usage: hit_ratio [FILE.svg [REQUESTS]]
#include <weir/cache/frequency_sketch.hpp>
#include <weir/cache/sieve.hpp>
#include <weir/cache/store.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

using history = std::vector<std::uint32_t>; // keys, from zero up

/// Draws ranks of a Zipf distribution.
class zipf {
public:
    zipf(std::size_t keys, double exponent) : below_(keys)
    {
        double sum = 0;
        for (std::size_t rank = 0; rank < keys; ++rank) below_[rank] = sum += std::pow(static_cast<double>(rank + 1), -exponent);
    }
    std::uint32_t operator()(std::mt19937_64& random) const
    {
        double const at = std::uniform_real_distribution<double>(0, below_.back())(random);
        return static_cast<std::uint32_t>(std::lower_bound(below_.begin(), below_.end(), at) - below_.begin());
    }

private:
    std::vector<double> below_;
};

struct workload {
    std::string name;
    std::size_t capacity;
    std::function<history(std::size_t)> make; // of so many requests
};

constexpr std::uint32_t population = 1'000'000;

history draws(double exponent, std::size_t requests, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    zipf const draw(population, exponent);
    history h(requests);
    for (auto& key : h) key = draw(random);
    return h;
}
/// Half of the requests are zipf 0.99; the other half read, one after the other, keys that never come again.
history scan(std::size_t requests)
{
    history h = draws(0.99, requests, 2);
    std::uint32_t next = population;
    for (std::size_t at = 0; at < h.size(); ++at)
        if (at / 50'000 % 2 == 1) h[at] = next++;
    return h;
}
/// A loop over a half more keys than there is room for.
history loop(std::size_t requests)
{
    history h(requests);
    for (std::size_t at = 0; at < h.size(); ++at) h[at] = static_cast<std::uint32_t>(at % 150'000);
    return h;
}
/// Zipf 0.99, and ten times in a history all ranks go to other keys.
history shifting(std::size_t requests)
{
    history h = draws(0.99, requests, 3);
    for (std::size_t at = 0; at < h.size(); ++at) h[at] = static_cast<std::uint32_t>((h[at] + at * 10 / h.size() * 70'001) % population);
    return h;
}
/// What was asked for lately is asked for again: nine of ten requests go to one of the last 200,000, the later the more often.
history recent(std::size_t requests)
{
    std::mt19937_64 random(4);
    history h(requests);
    std::uint32_t next = 0;
    std::exponential_distribution<double> back(1.0 / 60'000);
    for (std::size_t at = 0; at < h.size(); ++at) {
        auto const ago = static_cast<std::size_t>(back(random)) + 1;
        h[at] = random() % 10 == 0 || ago > at ? next++ : h[at - ago];
    }
    return h;
}

/// The part of the second half that `asked(key)` has.
template<class Asked>
double ratio(history const& h, Asked&& asked)
{
    std::size_t hits = 0;
    for (std::size_t at = 0; at < h.size(); ++at) {
        bool const hit = asked(h[at]);
        if (at >= h.size() / 2 && hit) ++hits;
    }
    return static_cast<double>(hits) / static_cast<double>(h.size() - h.size() / 2);
}

/// A list with its members' places.
struct lru_list {
    std::list<std::uint32_t> order; // the newest first
    boost::unordered_flat_map<std::uint32_t, std::list<std::uint32_t>::iterator> places;

    bool touch(std::uint32_t key)
    {
        auto const at = places.find(key);
        if (at == places.end()) return false;
        order.splice(order.begin(), order, at->second);
        return true;
    }
    void insert(std::uint32_t key)
    {
        order.push_front(key);
        places[key] = order.begin();
    }
    void erase(std::uint32_t key)
    {
        order.erase(places[key]);
        places.erase(key);
    }
    std::uint32_t oldest() const { return order.back(); }
    std::uint32_t drop()
    {
        std::uint32_t const key = oldest();
        erase(key);
        return key;
    }
    std::size_t size() const { return places.size(); }
};

double lru(history const& h, std::size_t capacity)
{
    lru_list cache;
    return ratio(h, [&](std::uint32_t key) {
        if (cache.touch(key)) return true;
        cache.insert(key);
        if (cache.size() > capacity) cache.drop();
        return false;
    });
}

double sieve_alone(history const& h, std::size_t capacity)
{
    weir::sieve<weir::confined> order(capacity);
    boost::unordered_flat_map<std::uint32_t, std::uint32_t> places;
    history keys(capacity);
    return ratio(h, [&](std::uint32_t key) {
        if (auto const at = places.find(key); at != places.end()) {
            order.touch(at->second);
            return true;
        }
        auto slot = static_cast<std::uint32_t>(places.size());
        if (order.size() == capacity) {
            slot = order.evict();
            places.erase(keys[slot]);
        }
        keys[slot] = key;
        places[key] = slot;
        order.insert(slot);
        return false;
    });
}

/// Window of a hundredth, segmented LRU of a fifth and four fifths, a sketch that hears of each request.
double w_tinylfu(history const& h, std::size_t capacity)
{
    std::size_t const room = std::max<std::size_t>(capacity / 100, 1);
    std::size_t const safe = (capacity - room) * 4 / 5;
    lru_list window, probation, kept;
    weir::frequency_sketch sketch(2 * capacity);
    auto const hash = [](std::uint32_t key) {
        std::uint64_t state = key;
        return static_cast<std::uint32_t>(weir::detail::splitmix64(state));
    };
    return ratio(h, [&](std::uint32_t key) {
        sketch.add(hash(key));
        if (window.touch(key) || kept.touch(key)) return true;
        if (probation.touch(key)) {
            probation.erase(key);
            kept.insert(key);
            if (kept.size() > safe) probation.insert(kept.drop());
            return true;
        }
        window.insert(key);
        if (window.size() <= room) return false;
        std::uint32_t const candidate = window.drop();
        if (probation.size() + kept.size() < capacity - room)
            probation.insert(candidate);
        else if (sketch.estimate(hash(candidate)) > sketch.estimate(hash(probation.oldest()))) {
            probation.drop();
            probation.insert(candidate);
        }
        return false;
    });
}

template<class Threading>
double store(history const& h, std::size_t capacity)
{
    weir::store<std::uint32_t, std::uint32_t, Threading> cache{{.capacity = capacity, .ttl = 24h, .seed = 1u}};
    constexpr weir::time_point now{1h};
    return ratio(h, [&](std::uint32_t key) {
        if (cache.find(key, now)) return true;
        cache.put(key, key, now);
        return false;
    });
}

/// Drops what is asked for last, be it what has just come (Belady, "A study of replacement algorithms", 1966).
double belady(history const& h, std::size_t capacity)
{
    std::vector<std::uint32_t> next(h.size()), last(2 * std::size_t{population} + h.size(), static_cast<std::uint32_t>(h.size()));
    for (std::size_t at = h.size(); at-- > 0;) next[at] = std::exchange(last[h[at]], static_cast<std::uint32_t>(at));
    std::set<std::uint32_t> kept; // by when they are asked for next; what is never asked for is not kept
    std::size_t at = 0;
    return ratio(h, [&](std::uint32_t) {
        bool const hit = kept.erase(static_cast<std::uint32_t>(at)) != 0;
        if (next[at] < h.size()) kept.insert(next[at]);
        if (kept.size() > capacity) kept.erase(std::prev(kept.end()));
        ++at;
        return hit;
    });
}

constexpr std::array names{"LRU", "SIEVE", "W-TinyLFU", "store", "store, confined", "optimum"};
using row = std::array<double, names.size()>;

void draw(char const* file, std::vector<workload> const& works, std::vector<row> const& rows)
{
    std::FILE* const out = std::fopen(file, "w");
    if (out == nullptr) {
        std::fprintf(stderr, "hit_ratio: cannot write %s\n", file);
        std::exit(1);
    }
    constexpr std::array colours{"#9aa5b1", "#6aa5d8", "#e0a04a", "#c0392b", "#e08a80", "#3c8d4f"};
    constexpr int bar = 13, gap = 26, height = 300, left = 50, top = 40;
    int const group = bar * static_cast<int>(names.size()) + gap;
    int const width = left + group * static_cast<int>(works.size()) + 10;
    std::fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"11\">\n",
                 width, top + height + 40);
    std::fprintf(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
    for (int percent = 0; percent <= 100; percent += 20) {
        int const y = top + height - height * percent / 100;
        std::fprintf(out, "<path d=\"M%d %dH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%d %%</text>\n", left, y,
                     width - 10, left - 6, y + 4, percent);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        int const x = left + static_cast<int>(i) * 130;
        std::fprintf(out, "<rect x=\"%d\" y=\"12\" width=\"11\" height=\"11\" fill=\"%s\"/><text x=\"%d\" y=\"22\">%s</text>\n", x,
                     colours[i], x + 16, names[i]);
    }
    for (std::size_t w = 0; w < works.size(); ++w) {
        int const x = left + gap / 2 + static_cast<int>(w) * group;
        for (std::size_t i = 0; i < names.size(); ++i) {
            int const tall = static_cast<int>(std::lround(height * rows[w][i]));
            std::fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%s, %s: %.3f</title></rect>\n",
                         x + bar * static_cast<int>(i), top + height - tall, bar - 1, tall, colours[i], works[w].name.c_str(), names[i],
                         rows[w][i]);
        }
        std::fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x + bar * static_cast<int>(names.size()) / 2,
                     top + height + 18, works[w].name.c_str());
    }
    std::fprintf(out, "</svg>\n");
    std::fclose(out);
}

} // namespace

int main(int argc, char** argv)
{
    std::size_t const requests = argc > 2 ? std::stoul(argv[2]) : 4'000'000;
    std::vector<workload> works;
    for (double const exponent : {0.7, 0.8, 0.9, 0.99, 1.1}) {
        char name[32];
        std::snprintf(name, sizeof name, "zipf %.2g", exponent);
        works.push_back({name, population / 10, [exponent](std::size_t n) { return draws(exponent, n, 1); }});
    }
    works.push_back({"zipf and scan", population / 10, scan});
    works.push_back({"loop", population / 10, loop});
    works.push_back({"shifting", population / 10, shifting});
    works.push_back({"recent", population / 10, recent});

    std::printf("hit ratio, 100000 entries, the second half of %zu requests\n%-16s", requests, "");
    for (auto const* name : names) std::printf(" %16s", name);
    std::printf("\n");
    std::vector<row> rows;
    for (workload const& work : works) {
        history const h = work.make(requests);
        rows.push_back({lru(h, work.capacity), sieve_alone(h, work.capacity), w_tinylfu(h, work.capacity),
                        store<weir::shared>(h, work.capacity), store<weir::confined>(h, work.capacity), belady(h, work.capacity)});
        std::printf("%-16s", work.name.c_str());
        for (double const each : rows.back()) std::printf(" %16.3f", each);
        std::printf("\n");
        std::fflush(stdout);
    }
    std::printf("\nbar: store at zipf 0.99 >= 0.809 after 4 million requests: %.3f\n", rows[3][3]);
    if (argc > 1) draw(argv[1], works, rows);
}
