// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>

#include <weir/cache/bloom_guard.hpp>
#include <weir/core/laws.hpp>
#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct quote_request {
    std::string symbol;
    std::string_view view() const noexcept { return symbol; }
};
struct quote {
    int price = 0;
};
using store = weir::store<std::string, quote>;

constexpr weir::store_options plain{.capacity = 1'000, .ttl = 30s, .jitter = 0, .negative_ttl = 5s};
constexpr auto by_symbol = weir::keyed_by(&quote_request::symbol);

/// Prices are as long as their symbols; a symbol that begins with '-' does not exist.
struct market {
    int asked = 0;
    weir::result<quote> operator()(quote_request const& r)
    {
        ++asked;
        if (r.symbol.starts_with('-')) return weir::errc::not_found;
        return quote{static_cast<int>(r.symbol.size())};
    }
};

/// What an outcome comes to, in a word that prints.
constexpr int not_found = -1;
constexpr int failed = -2;
template<class T>
[[gnu::noinline]] int told(weir::result<T> const& r)
{
    if (r.has_error()) return r.error() == weir::errc::not_found ? not_found : failed;
    if constexpr (std::is_same_v<T, quote>)
        return r->price;
    else
        return *r;
}

/// Handlers of one type: then their pipelines are of one type, too, and compiled once.
using handler = std::function<weir::result<quote>(quote_request const&)>;
using number_handler = std::function<weir::result<int>(int)>;

template<class Cached, class Handler = handler>
auto around(weir::manual_clock& clock, Cached policy, Handler h)
{
    return weir::pipeline{weir::timed_by{std::ref(clock)}, std::move(policy), std::move(h)};
}
template<class Cached>
auto around(weir::manual_clock& clock, Cached policy, market& m)
{
    return around(clock, std::move(policy), handler(std::ref(m)));
}

/// Rewrites the request on its way down.
struct strip {
    using role = weir::transform;
    using traits = weir::traits<weir::rewrites_request>;
    static constexpr std::string_view name = "strip";
    weir::admission<> down(auto& call)
    {
        call.request().symbol = "x";
        return weir::admitted;
    }
};

/// Waits for what other threads are about to do.
void wait_until(std::function<bool()> const& done)
{
    while (!done()) std::this_thread::yield();
}

} // namespace

TEST_CASE("cached: a value is loaded once and good for its time to live")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, m);
    CHECK(told(svc(quote_request{"abc"})) == 3);
    clock.advance(30s - 1ns);
    CHECK(told(svc(quote_request{"abc"})) == 3);
    CHECK(m.asked == 1);
    clock.advance(1ns);
    CHECK(told(svc(quote_request{"abc"})) == 3);
    CHECK(m.asked == 2);
    CHECK(told(svc(quote_request{"ab"})) == 2);
    CHECK(m.asked == 3);
}

TEST_CASE("cached: jitter spreads the reloads of what was loaded together")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{{.capacity = 4'000, .ttl = 100s, .jitter = 0.1, .seed = 1}}, by_symbol}, m);
    auto const ask_all = [&] {
        m.asked = 0;
        for (int i = 0; i < 1'000; ++i) CHECK(told(svc(quote_request{std::to_string(i)})) > 0);
        return m.asked;
    };
    CHECK(ask_all() == 1'000);
    clock.advance(90s - 1ns);
    CHECK(ask_all() == 0);
    clock.advance(5s);
    int const early = ask_all();
    CHECK(early > 400);
    CHECK(early < 600);
    clock.advance(5s + 1ns);
    CHECK(ask_all() == 1'000 - early);
}

TEST_CASE("cached: that there is none is kept for the negative time to live, and other errors are not kept")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, m);
    CHECK(told(svc(quote_request{"-"})) == not_found);
    clock.advance(5s - 1ns);
    CHECK(told(svc(quote_request{"-"})) == not_found);
    CHECK(m.asked == 1);
    clock.advance(1ns);
    CHECK(told(svc(quote_request{"-"})) == not_found);
    CHECK(m.asked == 2);

    int asked = 0;
    handler const fails = [&](quote_request const&) -> weir::result<quote> {
        ++asked;
        return weir::errc::upstream_failed;
    };
    auto failing = around(clock, weir::cached{store{plain}, by_symbol}, fails);
    for (int i = 0; i < 3; ++i) CHECK(told(failing(quote_request{"a"})) == failed);
    CHECK(asked == 3);
    CHECK(failing.get<weir::cached>().stats().values == 0);
}

TEST_CASE("cached: an exception goes on to the caller and is not kept")
{
    weir::manual_clock clock;
    int asked = 0;
    handler const throws = [&](quote_request const&) -> weir::result<quote> {
        if (++asked == 1) throw std::runtime_error("no quote");
        return quote{1};
    };
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, throws);
    CHECK_THROWS_WITH_AS(svc(quote_request{"a"}), "no quote", std::runtime_error);
    CHECK(told(svc(quote_request{"a"})) == 1);
    CHECK(told(svc(quote_request{"a"})) == 1);
    CHECK(asked == 2);
}

TEST_CASE("cached: without a negative time to live each asks anew")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{{.capacity = 10}}, by_symbol}, m);
    for (int i = 0; i < 3; ++i) CHECK(told(svc(quote_request{"-"})) == not_found);
    CHECK(m.asked == 3);
    CHECK(svc.get<weir::cached>().stats().penetrations == 3);
}

TEST_CASE("cached: a handler of optional values says that there is none with an empty one")
{
    weir::manual_clock clock;
    int asked = 0;
    auto find = [&](quote_request const& r) -> std::optional<quote> {
        ++asked;
        return r.symbol == "a" ? std::optional(quote{1}) : std::nullopt;
    };
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, find);
    for (int i = 0; i < 2; ++i) {
        CHECK(svc(quote_request{"a"})->value().price == 1);
        weir::result<std::optional<quote>> const none = svc(quote_request{"b"});
        REQUIRE(none.has_value());
        CHECK_FALSE(none->has_value());
    }
    CHECK(asked == 2);
    CHECK(svc.get<weir::cached>().stats().negative_hits == 1);
}

TEST_CASE("cached: the guard answers for keys that cannot exist, until it is told of them")
{
    weir::manual_clock clock;
    market m;
    std::vector<std::string> const known{"abc", "-gone"};
    auto svc = around(clock, weir::cached{store{plain}, by_symbol, weir::bloom_guard{known, 1e-6}}, m);
    CHECK(told(svc(quote_request{"made up"})) == not_found);
    CHECK(m.asked == 0);
    CHECK(told(svc(quote_request{"abc"})) == 3);
    CHECK(told(svc(quote_request{"-gone"})) == not_found);
    CHECK(m.asked == 2);

    svc.get<weir::cached>().guard().add("made up");
    CHECK(told(svc(quote_request{"made up"})) == 7);
    weir::cached_stats const s = svc.get<weir::cached>().stats();
    CHECK(s.spared == 1);
    CHECK(s.population == 3);
    CHECK(s.fill_rate() == doctest::Approx(2.0 / 3));
}

TEST_CASE("cached: store and guard may be shared")
{
    weir::manual_clock clock;
    market m;
    store kept{plain};
    weir::bloom_guard guard{std::vector<std::string>{"a"}, 1e-6};
    auto first = around(clock, weir::cached{std::ref(kept), by_symbol, std::ref(guard)}, m);
    auto second = around(clock, weir::cached{std::ref(kept), by_symbol}, m);
    CHECK(told(first(quote_request{"a"})) == 1);
    CHECK(told(second(quote_request{"a"})) == 1);
    CHECK(m.asked == 1);
    kept.erase("a");
    CHECK(told(second(quote_request{"a"})) == 1);
    CHECK(told(first(quote_request{"b"})) == not_found);
    CHECK(m.asked == 2);
}

TEST_CASE("cached: a call without a key passes and leaves nothing behind")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, m);
    for (int i = 0; i < 2; ++i) CHECK(told(svc(quote_request{""})) == 0);
    CHECK(m.asked == 2);
    auto const maybe = [](quote_request const& r) { return r.symbol == "none" ? std::nullopt : std::optional<std::string_view>(r.symbol); };
    auto optional = around(clock, weir::cached{store{plain}, weir::keyed_by<std::string>(maybe)}, m);
    for (int i = 0; i < 2; ++i) CHECK(told(optional(quote_request{"none"})) == 4);
    for (int i = 0; i < 2; ++i) CHECK(told(optional(quote_request{"some"})) == 4);
    CHECK(m.asked == 5);
    CHECK(svc.get<weir::cached>().stats().uncached == 2);
    CHECK(svc.get<weir::cached>().stats().look_ups() == 0);
}

TEST_CASE("cached: keys that are views, numbers and pairs")
{
    weir::manual_clock clock;
    market m;
    auto views = around(clock, weir::cached{store{plain}, weir::keyed_by<std::string>(&quote_request::view)}, m);
    for (int i = 0; i < 2; ++i) CHECK(told(views(quote_request{"abc"})) == 3);
    CHECK(m.asked == 1);

    int squared = 0;
    number_handler const square = [&](int n) { return ++squared, n * n; };
    auto const itself = weir::keyed_by<int>([](int n) { return n; });
    auto numbers = around(clock, weir::cached{weir::store<int, int, weir::confined>{plain}, itself}, square);
    for (int i = 0; i < 2; ++i)
        for (int n = 0; n < 100; ++n) CHECK(told(numbers(n)) == n * n);
    CHECK(squared == 100);

    using pair = std::pair<int, std::string>;
    auto const both = weir::keyed_by<pair>([](pair const& p) -> pair const& { return p; });
    auto length = [](pair const& p) { return p.first + static_cast<int>(p.second.size()); };
    auto pairs = around(clock, weir::cached{weir::store<pair, int>{plain}, both}, length);
    for (int i = 0; i < 2; ++i) CHECK(told(pairs(pair{1, "ab"})) == 3);
    CHECK(pairs.get<weir::cached>().stats().hits == 1);
}

TEST_CASE("cached: what a policy further in does to its copy of the request does not change the key")
{
    weir::manual_clock clock;
    market m;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::cached{store{plain}, by_symbol}, strip{}, handler(std::ref(m))};
    for (int i = 0; i < 2; ++i) CHECK(told(svc(quote_request{"a symbol too long to lie within the string"})) == 1);
    CHECK(m.asked == 1);
    CHECK(svc.get<weir::cached>().store().erase("a symbol too long to lie within the string"));
}

TEST_CASE("cached: a value that is known is written, and neither a load nor a slower writer overwrites it")
{
    weir::manual_clock clock;
    std::function<void()> meanwhile = [] {};
    number_handler const load = [&](int key) { return meanwhile(), key; };
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{plain}, weir::keyed_by<int>([](int n) { return n; })}, load};
    auto& cache = svc.get<weir::cached>();
    meanwhile = [&] { CHECK(cache.put(1, 100, clock.now())); };
    CHECK(told(svc(1)) == 1); // it was asked for before
    CHECK(told(svc(1)) == 100);
    CHECK(cache.stats().outdated == 1);

    auto const greater = [](int mine, int there) { return mine > there; };
    CHECK(cache.put(1, 102, clock.now(), greater));
    CHECK_FALSE(cache.put(1, 101, clock.now(), greater)); // a slower writer
    CHECK(told(svc(1)) == 102);
    CHECK(cache.erase(1));
    CHECK(cache.put(1, 50, clock.now(), greater)); // there is nothing to compare with
    CHECK(told(svc(1)) == 50);
}

TEST_CASE("cached: an erasure during a load leaves nothing of it, and who comes after it loads anew")
{
    weir::manual_clock clock;
    enum class act { nothing, erase, clear };
    int asked = 0;
    act meanwhile = act::nothing;
    std::function<void()> erase_and_ask;
    std::function<void()> clear_all;
    number_handler const load = [&](int) {
        int const number = ++asked;
        switch (std::exchange(meanwhile, act::nothing)) {
        case act::erase: erase_and_ask(); break;
        case act::clear: clear_all(); break;
        default: break;
        }
        return number;
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::cached{weir::store<int, int>{plain}, weir::keyed_by<int>([](int n) { return n; })}, load};
    auto& cache = svc.get<weir::cached>();
    erase_and_ask = [&] {
        CHECK(cache.erase(1));    // the load
        CHECK(told(svc(1)) == 2); // does not wait for it: it would be for ever
        CHECK(told(svc(1)) == 2);
    };
    clear_all = [&] { cache.clear(); };
    meanwhile = act::erase;
    CHECK(told(svc(1)) == 1);
    CHECK(told(svc(1)) == 2);
    CHECK_FALSE(cache.erase(7));
    meanwhile = act::clear;
    CHECK(told(svc(3)) == 3);
    CHECK(told(svc(3)) == 4);
    CHECK(cache.stats().values == 1);
}

TEST_CASE("cached: the stats add up")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, m);
    for (int i = 0; i < 4; ++i) static_cast<void>(svc(quote_request{"a"}));
    for (int i = 0; i < 3; ++i) static_cast<void>(svc(quote_request{"-"}));
    static_cast<void>(svc(quote_request{"ab"}));
    weir::cached_stats const s = svc.get<weir::cached>().stats();
    CHECK(s.hits == 3);
    CHECK(s.negative_hits == 2);
    CHECK(s.misses == 3);
    CHECK(s.loads == 3);
    CHECK(s.joined == 0);
    CHECK(s.penetrations == 1);
    CHECK(s.values == 2);
    CHECK(s.hit_rate() == doctest::Approx(5.0 / 8));
    CHECK(s.penetration_rate() == doctest::Approx(1.0 / 8));
    CHECK(s.fill_rate() == 0);
    std::map<std::string, double> fields;
    s.each([&](std::string_view name, auto value) { fields.emplace(name, static_cast<double>(value)); });
    CHECK(fields.at("hits_total") == 3);
    CHECK(fields.at("hit_rate") == doctest::Approx(5.0 / 8));
}

TEST_CASE("cached: new times to live hold for what is written from then on; bad ones change nothing")
{
    weir::manual_clock clock;
    market m;
    auto svc = around(clock, weir::cached{store{plain}, by_symbol}, m);
    auto& policy = svc.get<weir::cached>();
    weir::store_settings wanted = policy.settings();
    wanted.ttl = 1s;
    policy.reconfigure(wanted);
    static_cast<void>(svc(quote_request{"a"}));
    clock.advance(1s);
    static_cast<void>(svc(quote_request{"a"}));
    CHECK(m.asked == 2);
    wanted.ttl = 0s;
    CHECK_THROWS_WITH_AS(policy.reconfigure(wanted), doctest::Contains("store.ttl"), std::invalid_argument);
    CHECK(policy.settings().ttl == 1s);
    CHECK_THROWS_WITH_AS((weir::cached{store{plain}, by_symbol, {.max_flights = 0}}), doctest::Contains("cached.max_flights"),
                         std::invalid_argument);

    std::map<std::string, bool> described;
    policy.describe([&](std::string_view name, auto const&) { described[std::string(name)] = true; });
    for (char const* each : {"capacity", "ttl", "jitter", "negative_ttl", "max_flights"}) CHECK(described.contains(each));
}

TEST_CASE("cached: each attempt of a retry may load again")
{
    weir::manual_clock clock;
    int asked = 0;
    handler const flaky = [&](quote_request const&) -> weir::result<quote> {
        if (++asked < 3) return weir::errc::upstream_failed;
        return quote{asked};
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<3>{}, weir::cached{store{plain}, by_symbol}, weir::idempotent{flaky}};
    CHECK(told(svc(quote_request{"a"})) == 3);
    CHECK(told(svc(quote_request{"a"})) == 3);
    CHECK(asked == 3);
}

namespace {
struct identify {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    static constexpr std::string_view name = "identify";
    weir::admission<> admit(auto&) { return weir::admitted; }
};
using cached_quotes = weir::cached<store, decltype(by_symbol)>;
template<class... Policies>
constexpr bool breaks_the_law =
    static_cast<bool>(weir::laws::no_cached_answer_outside_identity::find({weir::detail::facts_table<Policies...>::value}));
static_assert(breaks_the_law<cached_quotes, identify>, "nothing is answered before identity is proved");
static_assert(!breaks_the_law<identify, cached_quotes>);

struct tenant {
    std::string id;
};
static_assert(std::is_same_v<weir::cached<store, weir::by_facet<tenant>>::needs, weir::facets<tenant>>);
static_assert(std::is_same_v<cached_quotes::needs, weir::facets<>>);
static_assert(weir::policy<cached_quotes>);
} // namespace

TEST_CASE_TEMPLATE("cached: a random history against a map", Threading, weir::shared, weir::confined)
{
    struct kept {
        weir::result<int> answer;
        weir::time_point good_until;
    };
    for (unsigned seed = 0; seed < 10; ++seed) {
        std::mt19937 random(seed);
        weir::manual_clock clock;
        std::map<int, std::optional<int>> world;
        bool down = false;
        std::uint64_t asked = 0;
        number_handler const load = [&](int key) -> weir::result<int> {
            ++asked;
            if (down) return weir::errc::upstream_failed;
            auto const found = world.find(key);
            if (found == world.end() || !found->second) return weir::errc::not_found;
            return *found->second;
        };
        weir::store<int, int, Threading> entries{{.capacity = 10'000, .ttl = 10s, .jitter = 0, .negative_ttl = 3s}};
        auto svc = around(clock, weir::cached{std::move(entries), weir::keyed_by<int>([](int n) { return n; })}, load);
        std::map<int, kept> model;
        std::uint64_t expected_loads = 0;
        std::uint64_t hits = 0;
        for (int step = 0; step < 5'000; ++step) {
            int const key = static_cast<int>(random() % 50);
            switch (random() % 8) {
            case 0: world[key] = static_cast<int>(random() % 1'000); break;
            case 1: world[key].reset(); break;
            case 2: clock.advance(std::chrono::milliseconds(random() % 1'500)); break;
            case 3: down = random() % 4 == 0; break;
            case 4:
                svc.template get<weir::cached>().store().erase(key);
                model.erase(key);
                break;
            default: {
                weir::result<int> const got = svc(key);
                auto const held = model.find(key);
                if (held != model.end() && held->second.good_until > clock.now()) {
                    ++hits;
                    REQUIRE(told(got) == told(held->second.answer));
                } else {
                    ++expected_loads;
                    std::uint64_t const before = asked;
                    weir::result<int> const fresh = load(key);
                    asked = before;
                    REQUIRE(told(got) == told(fresh));
                    if (fresh.has_value())
                        model.insert_or_assign(key, kept{fresh, clock.now() + 10s});
                    else if (fresh.error() == weir::errc::not_found)
                        model.insert_or_assign(key, kept{fresh, clock.now() + 3s});
                }
                REQUIRE(asked == expected_loads);
            }
            }
        }
        weir::cached_stats const s = svc.template get<weir::cached>().stats();
        CHECK(s.loads == expected_loads);
        CHECK(s.misses == expected_loads);
        CHECK(s.hits + s.negative_hits == hits);
    }
}

TEST_CASE("cached: threads that ask for a cold key share one load")
{
    constexpr int others = 5;
    std::atomic<int> asked = 0;
    std::function<bool()> all_joined;
    handler const slow = [&](quote_request const& r) -> weir::result<quote> {
        ++asked;
        wait_until(all_joined);
        if (r.symbol == "throw") throw std::runtime_error("no quote");
        if (r.symbol == "fail") return weir::errc::upstream_failed;
        return quote{static_cast<int>(r.symbol.size())};
    };
    weir::pipeline svc{weir::cached{store{{.capacity = 10, .ttl = 1h}}, by_symbol}, slow};
    all_joined = [&] { return svc.get<weir::cached>().stats().joined == others; };
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i <= others; ++i) threads.emplace_back([&] { right += told(svc(quote_request{"abc"})) == 3; });
    for (std::thread& each : threads) each.join();
    CHECK(asked == 1);
    CHECK(right == others + 1);
    weir::cached_stats const s = svc.get<weir::cached>().stats();
    CHECK(s.loads == 1);
    CHECK(s.misses == others + 1);
}

TEST_CASE("cached: threads that joined get the leader's failure, or its exception")
{
    constexpr int others = 3;
    std::atomic<int> asked = 0;
    std::function<bool()> all_joined;
    handler const slow = [&](quote_request const& r) -> weir::result<quote> {
        ++asked;
        wait_until(all_joined);
        if (r.symbol == "throw") throw std::runtime_error("no quote");
        return weir::errc::upstream_failed;
    };
    weir::pipeline svc{weir::cached{store{{.capacity = 10}}, by_symbol}, slow};
    std::uint64_t expected = 0;
    all_joined = [&] { return svc.get<weir::cached>().stats().joined == expected; };
    std::atomic<int> refused = 0;
    std::atomic<int> threw = 0;
    for (std::string const symbol : {"fail", "throw"}) {
        expected += others;
        std::vector<std::thread> threads;
        for (int i = 0; i <= others; ++i)
            threads.emplace_back([&] {
                try {
                    weir::result<quote> const got = svc(quote_request{symbol});
                    refused += told(got) == failed;
                } catch (std::runtime_error const& e) {
                    threw += std::string_view(e.what()) == "no quote";
                }
            });
        for (std::thread& each : threads) each.join();
    }
    CHECK(asked == 2);
    CHECK(refused == others + 1);
    CHECK(threw == others + 1);
}

TEST_CASE("cached: threads that ask for many keys load each no more often than it goes out of date")
{
    weir::manual_clock clock;
    std::atomic<int> asked = 0;
    std::atomic<int> wrong = 0;
    number_handler const load = [&](int key) {
        ++asked;
        std::this_thread::yield();
        return -key;
    };
    auto svc = around(clock, weir::cached{weir::store<int, int>{{.capacity = 4'096}}, weir::keyed_by<int>([](int n) { return n; })}, load);
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed)
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            for (int i = 0; i < 5'000; ++i) {
                int const key = static_cast<int>(random() % 500);
                wrong += svc(key).value() != -key;
            }
        });
    for (std::thread& each : threads) each.join();
    CHECK(wrong == 0);
    CHECK(asked == 500);
    weir::cached_stats const s = svc.get<weir::cached>().stats();
    CHECK(s.look_ups() == 20'000);
    CHECK(s.misses == s.loads + s.joined);
}

TEST_CASE("cached: an observer is told what a miss comes to; a hit is an answer, one that is spared a refusal")
{
    struct listener {
        std::vector<std::string> heard{};
        void operator()(weir::cache_missed const& m) { heard.emplace_back(m.then == weir::cache_missed::next::loads ? "loads" : "spared"); }
        void operator()(weir::event::answered const&) { heard.emplace_back("answered"); }
        void operator()(weir::event::refused const&) { heard.emplace_back("refused"); }
    };
    weir::manual_clock clock;
    weir::bloom_guard known{std::vector<std::string>{"ABC"}, 1e-6};
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::cached{store{plain}, by_symbol, std::ref(known)}, market{}};
    weir::observed watched{svc, listener{}};
    CHECK(told(watched(quote_request{"ABC"})) == 3);
    CHECK(told(watched(quote_request{"ABC"})) == 3);
    CHECK(told(watched(quote_request{"nobody has this"})) == not_found);
    CHECK(watched.observer().heard == std::vector<std::string>{"loads", "answered", "spared", "refused"});
}
