// SPDX-License-Identifier: BSL-1.0
//
// Penetration: calls for keys that do not exist go through a cache to what stands behind it. The four answers to it side by side, in virtual
// time, and how many of a million calls reach the source with each.
#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/key_rule.hpp>
#include <weir/cache/known_keys.hpp>
#include <weir/cache/preloaded.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <ranges>
#include <utility>

using namespace std::chrono_literals;

namespace {

using key = std::uint64_t;
using kept = weir::store<key, int>;
constexpr auto itself = weir::keyed_by<key>([](key k) { return k; });

#if defined(WEIR_SANITIZED)
constexpr int most = 50'000;
#else
constexpr int most = 1'000'000;
#endif

// The keys that exist are 1,000,000 and every tenth number after it.
constexpr key first = 1'000'000;
constexpr std::size_t population = 50'000;
constexpr bool exists(key k)
{
    return k >= first && k < first + 10 * population && k % 10 == 0;
}
auto all_keys()
{
    return std::views::iota(std::size_t{0}, population) | std::views::transform([](std::size_t i) -> key { return first + 10 * i; });
}

enum class attack {
    at_random,   ///< numbers from all 64 bits: each is new
    again,       ///< five hundred of them, again and again
    well_shaped, ///< numbers that could be keys, near those that are
};

/// Calls for keys that do not exist. At random it is a million, to see what the few that pass come to.
constexpr int calls_of(attack how)
{
    return how == attack::at_random ? most : most / 5;
}

/// What a flood came to.
struct flood {
    int calls = 0;
    int wrong = 0;        ///< calls that were answered wrongly
    int reached = 0;      ///< calls for what does not exist that reached the source
    int good_reached = 0; ///< calls for what exists that did
    std::size_t values = 0;
    double rate() const { return static_cast<double>(reached) / calls; }
};

/// A call for a key that exists after every ten that do not, a millisecond for each hundred.
template<class... Policy>
flood run(attack how, Policy... policies)
{
    weir::manual_clock clock;
    flood result{.calls = calls_of(how)};
    std::function<weir::result<int>(key)> const source = [&](key k) -> weir::result<int> {
        ++(exists(k) ? result.good_reached : result.reached);
        if (!exists(k)) return weir::errc::not_found;
        return static_cast<int>(k);
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, std::move(policies)..., source};
    std::mt19937_64 random(1);
    std::mt19937_64 good(2);
    for (int i = 0; i < result.calls; ++i) {
        key made_up = random();
        if (how == attack::again) made_up = made_up % 500 * 0x9e3779b97f4a7c15u + 7;
        if (how == attack::well_shaped) made_up = first + made_up % (10 * population) / 10 * 10 + 1 + made_up % 9;
        if (svc(made_up).has_value()) ++result.wrong;
        if (i % 10 == 0) {
            key const one = first + 10 * (good() % 2'000);
            weir::result<int> const r = svc(one);
            if (!r.has_value() || *r != static_cast<int>(one)) ++result.wrong;
        }
        if (i % 100 == 99) clock.advance(1ms);
    }
    if constexpr (!(weir::detail::has_trait<Policy, weir::answers_every_call> || ...))
        result.values = svc.template get<weir::cached>().stats().values;
    return result;
}

kept plain()
{
    return kept{{.capacity = 10'000, .ttl = 1h, .seed = 1}};
}
kept with_negatives()
{
    return kept{{.capacity = 10'000, .ttl = 1h, .negative_ttl = 5s, .seed = 1}};
}
auto rule()
{
    return weir::key_rule{weir::number_range<key>{.least = first, .most = 2 * first}};
}
weir::bloom_guard<key> guard()
{
    return {all_keys(), {.population = population, .seed = 3}};
}
/// 5 % above the rate that was asked for, and four standard deviations of what chance does to so many calls.
double one_percent(flood const& f)
{
    return 0.0105 + 4 * std::sqrt(0.01 / f.calls);
}
/// Whoever is in the way, what exists is answered, and loaded once.
void check_good(flood const& f)
{
    CHECK(f.wrong == 0);
    CHECK(f.good_reached <= 2'000);
    CHECK(f.values == static_cast<std::size_t>(f.good_reached));
}

} // namespace

TEST_CASE("penetration: without a shield every call for what does not exist reaches the source")
{
    flood const f = run(attack::at_random, weir::cached{plain(), itself});
    check_good(f);
    CHECK(f.reached == f.calls);
}

TEST_CASE("penetration: negative entries stop a key that comes again, not keys made at random; and no value goes for them")
{
    flood const again = run(attack::again, weir::cached{with_negatives(), itself});
    check_good(again);
    CHECK(again.reached <= 500 * (1 + again.calls / 100 / 4'500)); // once in a time to live
    flood const at_random = run(attack::at_random, weir::cached{with_negatives(), itself});
    check_good(at_random);
    CHECK(at_random.reached == at_random.calls);
}

TEST_CASE("penetration: a key rule stops what is made at random, not what looks right")
{
    flood const at_random = run(attack::at_random, weir::cached{plain(), itself, rule()});
    check_good(at_random);
    CHECK(at_random.reached == 0); // one in 2^44 looks right
    flood const well_shaped = run(attack::well_shaped, weir::cached{plain(), itself, rule()});
    check_good(well_shaped);
    CHECK(well_shaped.reached == well_shaped.calls);
}

TEST_CASE("penetration: a Bloom guard lets its rate of false positives pass, whatever the keys, for ten bits a key")
{
    flood const at_random = run(attack::at_random, weir::cached{plain(), itself, guard()});
    check_good(at_random);
    CHECK(at_random.rate() <= one_percent(at_random));
    CHECK(at_random.rate() >= 0.008);
    flood const well_shaped = run(attack::well_shaped, weir::cached{plain(), itself, guard()});
    check_good(well_shaped);
    CHECK(well_shaped.rate() <= one_percent(well_shaped));
    CHECK(guard().stats().size_in_bytes * 8 <= population * 10.6);
}

TEST_CASE("penetration: what is preloaded lets nothing pass, and loads nothing")
{
    weir::full_table<key, int> table{{.capacity = population}};
    for (key const k : all_keys()) table.put(k, static_cast<int>(k));
    for (attack const how : {attack::at_random, attack::well_shaped}) {
        flood const f = run(how, weir::preloaded{std::ref(table), itself});
        CHECK(f.wrong == 0);
        CHECK(f.reached == 0);
        CHECK(f.good_reached == 0);
    }
    // As a guard of a cache it says as exactly what exists.
    flood const f = run(attack::well_shaped, weir::cached{plain(), itself, std::ref(table)});
    check_good(f);
    CHECK(f.reached == 0);
}

TEST_CASE("penetration: all of them together, each for what the one before lets through")
{
    weir::bloom_guard<key> known = guard();
    flood f =
        run(attack::well_shaped, weir::known_keys{itself, weir::guards{rule(), std::ref(known)}}, weir::cached{with_negatives(), itself});
    check_good(f);
    CHECK(f.rate() <= one_percent(f));
    f = run(attack::at_random, weir::known_keys{itself, weir::guards{rule(), std::ref(known)}}, weir::cached{with_negatives(), itself});
    check_good(f);
    CHECK(f.reached == 0);
    f = run(attack::again, weir::cached{with_negatives(), itself, rule(), std::ref(known)});
    check_good(f);
    CHECK(f.reached == 0);
}
