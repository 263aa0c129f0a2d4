// SPDX-License-Identifier: BSL-1.0
//
// The answers to cache penetration side by side: of a million calls for keys that do not exist, how many reach the source, what memory the
// answer takes for a million keys that do, and what a call costs. Three floods: numbers made at random, five hundred of them again and
// again, and numbers that look like keys. Time is virtual, a millisecond for a hundred calls. tests/cache/penetration.cpp asserts the counts.
#include "rounds.hpp"

#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/counting_bloom_filter.hpp>
#include <weir/cache/key_rule.hpp>
#include <weir/cache/known_keys.hpp>
#include <weir/cache/preloaded.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <ranges>
#include <utility>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

using namespace std::chrono_literals;

namespace {

using key = std::uint64_t;
using kept = weir::store<key, std::uint64_t>;
constexpr auto itself = weir::keyed_by<key>([](key k) { return k; });
constexpr std::size_t population = 1'000'000;
constexpr std::size_t calls = 1'000'000;
constexpr key first = 1'000'000;

bool exists(key k)
{
    return k >= first && k < first + 10 * population && k % 10 == 0;
}
auto all_keys()
{
    return std::views::iota(std::size_t{0}, population) | std::views::transform([](std::size_t i) -> key { return first + 10 * i; });
}

enum flood { at_random, again, well_shaped, floods };
std::vector<key> made_up(flood how)
{
    std::mt19937_64 random(1);
    std::vector<key> keys(calls);
    for (key& k : keys) {
        k = random();
        if (how == again) k = k % 500 * 0x9e3779b97f4a7c15u + 7;
        if (how == well_shaped) k = first + k % population * 10 + 1 + k % 9;
    }
    return keys;
}

std::size_t bytes_in_use()
{
#if defined(__GLIBC__)
    struct mallinfo2 const all = mallinfo2();
    return all.uordblks + all.hblkhd;
#else
    return 0; // nobody knows
#endif
}

struct row {
    std::array<double, floods> reached{}; ///< the part of the calls
    std::array<double, floods> unknown_ns{};
    double hit_ns = 0;
    double megabytes = 0; ///< beyond the cache without a shield
};

/// `make(call)` calls `call(policies...)` with a fresh set of policies.
template<class Make>
row measure(Make make)
{
    row r;
    for (flood const how : {at_random, again, well_shaped}) {
        auto const keys = made_up(how);
        std::size_t const before = bytes_in_use();
        make([&](auto... policies) {
            weir::manual_clock clock;
            std::size_t reached = 0;
            auto const source = [&](key k) -> weir::result<std::uint64_t> {
                if (exists(k)) return k;
                ++reached;
                return weir::errc::not_found;
            };
            weir::pipeline svc{weir::timed_by{std::ref(clock)}, std::move(policies)..., source};
            std::size_t found = 0;
            r.unknown_ns[how] = nanoseconds_each(calls, [&] {
                std::size_t i = 0;
                for (key const k : keys) {
                    found += svc(k).has_value() ? 1 : 0;
                    if (++i % 100 == 0) clock.advance(1ms);
                }
            });
            r.reached[how] = static_cast<double>(reached) / static_cast<double>(calls);
            if (found != 0) std::printf("%zu calls for what does not exist were answered\n", found);
            if (how != at_random) return;
            r.megabytes = static_cast<double>(bytes_in_use() - before) / 1e6;
            for (int warm = 0; warm < 2; ++warm)
                r.hit_ns = nanoseconds_each(calls, [&] {
                    std::uint64_t sum = 0;
                    for (std::size_t i = 0; i < calls; ++i) sum += svc(first + 10 * (i % 1'000)).value();
                    keep(static_cast<long>(sum));
                });
        });
    }
    return r;
}

void print(char const* name, row const& r, double without)
{
    std::printf("%-44s", name);
    for (double const part : r.reached) std::printf(" %8.3f%%", 100 * part);
    for (double const ns : r.unknown_ns) std::printf(" %6.0f", ns);
    std::printf(" %6.0f %9.1f\n", r.hit_ns, r.megabytes - without);
}

} // namespace

int main()
{
    auto const plain = [] { return kept{{.capacity = 100'000, .ttl = 1h, .seed = 1}}; };
    auto const negative = [] { return kept{{.capacity = 100'000, .ttl = 1h, .negative_ttl = 5s, .seed = 1}}; };
    auto const rule = [] { return weir::key_rule{weir::number_range<key>{.least = first, .most = first + 10 * population}}; };
    auto const guard = [] { return weir::bloom_guard<key>{all_keys(), {.population = population, .seed = 3}}; };
    using counting = weir::bloom_guard<key, weir::shared, weir::counting_bloom_filter<key>>;

    std::printf("%zu keys exist, a cache of 100,000; %zu calls for keys that do not\n", population, calls);
    std::printf("%-44s %29s %20s\n", "", "reach the source", "ns a call");
    std::printf("%-44s %9s %9s %9s %6s %6s %6s %6s %9s\n", "", "random", "again", "shaped", "random", "again", "shaped", "a hit",
                "more MB");
    row const none = measure([&](auto call) { call(weir::cached{plain(), itself}); });
    double const without = none.megabytes;
    print("no shield", none, without);
    print("negative entries", measure([&](auto call) { call(weir::cached{negative(), itself}); }), without);
    print("key rule", measure([&](auto call) { call(weir::cached{plain(), itself, rule()}); }), without);
    print("Bloom guard, 1 %", measure([&](auto call) { call(weir::cached{plain(), itself, guard()}); }), without);
    print("Bloom guard that forgets single keys", measure([&](auto call) {
              call(weir::cached{plain(), itself, counting{all_keys(), {.population = population, .seed = 3}}});
          }),
          without);
    print("preloaded, instead of the cache", measure([&](auto call) {
              weir::full_table<key, std::uint64_t> table{{.capacity = population}};
              for (key const k : all_keys()) table.put(k, k);
              call(weir::preloaded{std::move(table), itself});
          }),
          without);
    print("rule, guard and negative entries", measure([&](auto call) {
              call(weir::cached{negative(), itself, rule(), guard()});
          }),
          without);
    print("the same, outward of the cache", measure([&](auto call) {
              call(weir::known_keys{itself, weir::guards{rule(), guard()}}, weir::cached{negative(), itself});
          }),
          without);
}
