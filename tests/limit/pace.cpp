// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/pace.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

static_assert(weir::limiting_rule<weir::pace>);
static_assert(sizeof(weir::pace) == 16);

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

weir::time_point at(std::int64_t ns)
{
    return weir::time_point{weir::duration{ns}};
}

template<class F>
std::string refusal(F f)
{
    try {
        f();
    } catch (std::invalid_argument const& e) {
        return e.what();
    }
    return "";
}

// The credit itself and the time it was looked at, in integers that cannot overflow.
__extension__ using wide = __int128;
struct oracle {
    wide interval;
    wide burst;
    wide credit = interval * burst;
    wide last = 0;

    bool try_acquire(std::int64_t now, std::uint64_t cost)
    {
        if (now > last) {
            credit = std::min(interval * burst, credit + (now - last));
            last = now;
        }
        if (cost > static_cast<std::uint64_t>(burst)) return false;
        if (static_cast<wide>(cost) * interval > credit) return false;
        credit -= static_cast<wide>(cost) * interval;
        return true;
    }
};

} // namespace

TEST_CASE("pace: the interval is the period by the permits, rounded up")
{
    CHECK(weir::pace({.permits = 100, .per = 1s}).interval() == 10'000'000);
    CHECK(weir::pace({.permits = 3, .per = 10ns}).interval() == 4);
    CHECK(weir::pace({.permits = 1'000, .per = 1ns}).interval() == 1);
    CHECK(weir::pace({.permits = 3, .per = 10ns, .burst = 7}).burst() == 7);
    CHECK(weir::pace({.permits = 3, .per = 10ns}).burst() == 3);
}

TEST_CASE("pace: a bad rate is refused by the name of its member")
{
    CHECK(refusal([] { weir::pace({.permits = 0, .per = 1s}); }) == "permits: expected at least 1");
    CHECK(refusal([] { weir::pace({.permits = 1, .per = 0s}); }) == "per: expected at least 1 ns");
    CHECK(refusal([] { weir::pace({.permits = 1, .per = -1s}); }) == "per: expected at least 1 ns");
    CHECK(refusal([] { weir::pace({.permits = 1, .per = 1s, .burst = 0}); }) == "burst: expected at least 1");
    CHECK(refusal([] { weir::pace({.permits = 1, .per = 24h, .burst = 1'000'000}); }).starts_with("burst: "));
    CHECK(refusal([] { weir::pace({.permits = 1, .per = 1ns, .burst = ~0ull}); }).starts_with("burst: "));
    CHECK(refusal([] { weir::pace({.permits = 1, .per = weir::duration::max()}); }).starts_with("burst: "));
    CHECK(refusal([] { weir::pace({.permits = ~0ull, .per = weir::duration::max(), .burst = 1}); }).empty());
}

TEST_CASE("pace: the quick way admits only what the whole truth admits, and leaves the same state")
{
    std::mt19937_64 random(20261122);
    for (int round = 0; round < 20'000; ++round) {
        auto const permits = random() % 1'000 + 1;
        auto const burst = random() % 50 + 1;
        weir::pace const p(
            {.permits = permits, .per = weir::duration{static_cast<std::int64_t>(random() % 1'000'000'000 + 1)}, .burst = burst});
        std::int64_t const now = static_cast<std::int64_t>(random() >> (random() % 63 + 1));
        std::int64_t const behind = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * p.tolerance() + 2));
        weir::pace::state const seen =
            random() % 50 == 0 ? weir::pace::fresh : now - behind + static_cast<std::int64_t>(random() % 3) * p.interval();
        std::uint64_t const cost = random() % 3 == 0 ? random() % (2 * burst) : 1;

        weir::pace::state next = 0;
        bool const quick = p.quick(seen, at(now), cost, next);
        weir::pace::state whole = seen;
        auto const answer = p.try_acquire(whole, at(now), cost);
        if (quick) {
            CHECK(answer);
            CHECK(next == whole);
        } else if (seen != weir::pace::fresh) {
            CHECK_FALSE(answer);
            CHECK(whole == seen);
        }
    }
}

TEST_CASE("pace: random histories equal a bucket of 128-bit integers")
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        std::mt19937_64 random(seed);
        std::uint64_t const permits = 1ull << random() % 12;
        std::int64_t const interval = static_cast<std::int64_t>(random() % 1'000'000 + 1);
        std::uint64_t const burst = random() % 20 + 1;
        weir::pace const p({.permits = permits, .per = weir::duration{interval * static_cast<std::int64_t>(permits)}, .burst = burst});
        oracle model{interval, static_cast<wide>(burst)};
        std::int64_t now = static_cast<std::int64_t>(random() >> (random() % 40 + 2));
        model.last = now;
        weir::pace::state s = weir::pace::fresh;
        for (int i = 0; i < 300; ++i) {
            std::uint64_t const step = random() % 8;
            if (step < 6) now += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * interval));
            if (step == 6 && random() % 20 == 0) now += interval * static_cast<std::int64_t>(burst + 5);
            std::uint64_t const cost = random() % 4 == 0 ? random() % (burst + 2) : 1;
            CHECK(static_cast<bool>(p.try_acquire(s, at(now), cost)) == model.try_acquire(now, cost));
            CHECK(p.available(s, at(now)) == static_cast<std::uint64_t>(model.credit / model.interval));
            CHECK(p.is_full(s, at(now)) == (model.credit == model.interval * model.burst));
        }
    }
}

TEST_CASE("pace: at the ends of the clock it neither overflows nor gives too much")
{
    for (std::int64_t const now :
         {lowest, lowest + 1, lowest + 999, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, highest - 1, highest}) {
        for (std::int64_t const tolerance : {std::int64_t{1'000}, weir::pace::longest - 2}) {
            weir::pace const p({.permits = 1, .per = weir::duration{tolerance / 2}, .burst = 2});
            weir::pace::state s = weir::pace::fresh;
            CHECK(p.available(s, at(now)) == 2);
            CHECK(p.try_acquire(s, at(now), 1));
            // At the very first instants the word has no room for credit: it gives less than it might, never more.
            CHECK((p.try_acquire(s, at(now), 1) || now < lowest + 1'000 + tolerance));
            CHECK_FALSE(p.try_acquire(s, at(now), 1));
            CHECK(p.available(s, at(now)) == 0);
        }
    }
}

TEST_CASE("pace: a leap over the whole clock fills it, a leap back gives nothing")
{
    weir::pace const p({.permits = 1, .per = 1s});
    weir::pace::state s = weir::pace::fresh;
    CHECK(p.try_acquire(s, at(lowest + 2'000'000'000), 1));
    CHECK_FALSE(p.try_acquire(s, at(lowest), 1));
    CHECK(p.try_acquire(s, at(highest), 1));
    CHECK_FALSE(p.try_acquire(s, at(highest), 1));
    CHECK_FALSE(p.try_acquire(s, at(lowest), 1));
    CHECK_FALSE(p.try_acquire(s, at(0), 1));
}

TEST_CASE("pace: refunds above a full burst are lost, and never wrap")
{
    weir::pace const p({.permits = 1, .per = 24h, .burst = 50'000});
    weir::pace::state s = weir::pace::fresh;
    CHECK(p.try_acquire(s, at(0), 50'000));
    for (int i = 0; i < 10; ++i) p.refund(s, ~0ull);
    CHECK(p.available(s, at(0)) == 50'000);
    CHECK(p.try_acquire(s, at(0), 50'000));
    CHECK_FALSE(p.try_acquire(s, at(0), 1));
}

TEST_CASE("pace: permits in use stay in use under another rate")
{
    weir::pace const slow({.permits = 10, .per = 1s, .burst = 10});
    weir::pace const fast({.permits = 1'000, .per = 1s, .burst = 20});
    weir::pace::state s = weir::pace::fresh;
    CHECK(slow.try_acquire(s, at(0), 6));
    weir::pace::state const adopted = fast.adopt(s, slow, at(0));
    CHECK(fast.available(adopted, at(0)) == 14);
    CHECK(fast.is_full(adopted, at(6'000'000)));
    CHECK(slow.available(slow.adopt(adopted, fast, at(0)), at(0)) == 4);
    CHECK(fast.is_full(fast.adopt(weir::pace::fresh, slow, at(0)), at(0)));
}

namespace weir {
static_assert(limiting_rule<pace>);
} // namespace weir: what the header promises
