// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/token_bucket.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

static_assert(std::is_same_v<decltype(weir::token_bucket{{.permits = 100, .per = 1s, .burst = 20}}), weir::token_bucket<weir::shared>>);

constexpr weir::time_point start{1h};

/// The bucket as textbooks have it: a level and the time of the last look, in tokens x interval.
class textbook_bucket {
public:
    textbook_bucket(std::int64_t interval, std::int64_t size, weir::time_point now)
        : interval_(interval), most_(size * interval), level_(most_), last_(now)
    {
    }
    bool take(weir::time_point now, std::uint64_t tokens)
    {
        if (now > last_) {
            level_ = std::min(most_, level_ + (now - last_).count());
            last_ = now;
        }
        std::int64_t const wanted = static_cast<std::int64_t>(tokens) * interval_;
        if (wanted > level_) return false;
        level_ -= wanted;
        return true;
    }
    std::int64_t tokens() const { return level_ / interval_; }

private:
    std::int64_t interval_;
    std::int64_t most_;
    std::int64_t level_;
    weir::time_point last_;
};

} // namespace

TEST_CASE("token_bucket: full at first, it fills at the rate and runs over at its size")
{
    weir::token_bucket bucket{{.permits = 10, .per = 1s, .burst = 3}};
    CHECK(bucket.available(start) == 3);
    CHECK(bucket.try_acquire(start, 3));
    CHECK(bucket.available(start + 99ms) == 0);
    CHECK(bucket.available(start + 100ms) == 1);
    CHECK(bucket.available(start + 299ms) == 2);
    CHECK(bucket.available(start + 1h) == 3);
}

TEST_CASE("token_bucket: half a token is kept")
{
    weir::token_bucket bucket{{.permits = 10, .per = 1s, .burst = 3}};
    CHECK(bucket.try_acquire(start, 3));
    CHECK(bucket.try_acquire(start + 150ms));
    CHECK_FALSE(bucket.try_acquire(start + 199ms));
    CHECK(bucket.try_acquire(start + 200ms));
}

TEST_CASE("token_bucket: random histories equal the textbook's bucket")
{
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        std::mt19937_64 random(seed);
        std::int64_t const interval = static_cast<std::int64_t>(random() % 100'000 + 1);
        std::uint64_t const size = random() % 30 + 1;
        weir::token_bucket<weir::confined> bucket{{.permits = 1, .per = weir::duration{interval}, .burst = size}};
        textbook_bucket model(interval, static_cast<std::int64_t>(size), start);
        weir::time_point now = start;
        for (int i = 0; i < 500; ++i) {
            now += weir::duration{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(3 * interval))};
            std::uint64_t const tokens = random() % 3 == 0 ? random() % (size + 2) : 1;
            CHECK(static_cast<bool>(bucket.try_acquire(now, tokens)) == model.take(now, tokens));
            CHECK(bucket.available(now) == static_cast<std::uint64_t>(model.tokens()));
        }
    }
}

namespace weir {
static_assert(limiter<token_bucket<shared>> && limiter<token_bucket<confined>>);
} // namespace weir: what the header promises
