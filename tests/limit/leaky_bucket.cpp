// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/leaky_bucket.hpp>

#include "histories.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;
using weir_test::at;

constexpr weir::time_point start{1h};

// The instant at which the last permit left or will leave, and no more.
struct line {
    using limiter = weir::leaky_bucket<>;
    static constexpr bool clock_may_go_back = true;
    explicit line(weir::leaky_bucket_options const& o)
        : interval(o.per.count() / static_cast<std::int64_t>(*o.permits)),
          longest(std::min(static_cast<std::int64_t>(*o.queue) * interval, o.max_wait.count()))
    {
    }
    static weir::leaky_bucket_options options(std::mt19937_64& random)
    {
        std::uint64_t const permits = random() % 5 + 1;
        return {.permits = permits,
                .per = weir::duration{static_cast<std::int64_t>(permits * (random() % 20 + 1))},
                .queue = random() % 6,
                .max_wait = random() % 2 == 0 ? weir::duration::max() : weir::duration{static_cast<std::int64_t>(random() % 60)}};
    }
    static std::uint64_t burst(weir::leaky_bucket_options const&) { return 1; }

    std::int64_t go(std::int64_t now, std::uint64_t cost) const
    {
        if (cost == 0) return std::max(now, last);
        return std::max(now, last + interval) + static_cast<std::int64_t>(cost - 1) * interval;
    }
    weir_test::answer reserve(std::int64_t now, std::uint64_t cost, std::int64_t max_wait)
    {
        if (static_cast<std::int64_t>(cost) > longest / interval + 1) return weir_test::answer::never();
        max_wait = std::min(max_wait, longest);
        std::int64_t const wait = go(now, cost) - now;
        if (wait > max_wait) return weir_test::answer::after(wait - max_wait);
        last = std::max(last, now + wait - (cost == 0 ? interval : 0)); // a cost of zero tells the time, too
        return weir_test::answer::now(wait);
    }
    weir_test::answer try_acquire(std::int64_t now, std::uint64_t cost)
    {
        if (cost > 1) return weir_test::answer::never();
        std::int64_t const wait = go(now, cost) - now;
        if (wait > 0) return weir_test::answer::after(wait);
        last = std::max(last, now - (cost == 0 ? interval : 0));
        return weir_test::answer::now(0);
    }
    void refund(std::uint64_t cost) { last -= static_cast<std::int64_t>(cost) * interval; }
    std::uint64_t available(std::int64_t now) const { return last + interval <= now ? 1 : 0; }
    std::int64_t until_full(std::int64_t now) const { return std::max<std::int64_t>(0, last + interval - now); }

    std::int64_t interval;
    std::int64_t longest;
    std::int64_t last = -(std::int64_t{1} << 50);
};

} // namespace

TEST_CASE("leaky_bucket: calls leave one by one, at even distances, however they come")
{
    weir::leaky_bucket bucket{{.permits = 10, .per = 1s, .queue = 3}};
    CHECK(bucket.reserve(start, 1, 1h).wait() == 0s);
    CHECK(bucket.reserve(start, 1, 1h).wait() == 100ms);
    CHECK(bucket.reserve(start + 50ms, 1, 1h).wait() == 150ms);
    CHECK(bucket.reserve(start + 200ms, 1, 1h).wait() == 100ms);
    CHECK(bucket.reserve(start + 10s, 1, 1h).wait() == 0s); // a rest earns nothing
    CHECK(bucket.reserve(start + 10s, 1, 1h).wait() == 100ms);
}

TEST_CASE("leaky_bucket: the queue is bounded by count, and by wait")
{
    weir::leaky_bucket by_count{{.permits = 10, .per = 1s, .queue = 2}};
    for (auto const wait : {0ms, 100ms, 200ms}) CHECK(by_count.reserve(start, 1, 1h).wait() == wait);
    auto const full = by_count.reserve(start, 1, 1h);
    CHECK_FALSE(full);
    CHECK(full.retry_after() == 100ms);
    CHECK_FALSE(by_count.reserve(start + 100ms - 1ns, 1, 1h));
    CHECK(by_count.reserve(start + 100ms, 1, 1h).wait() == 200ms);

    weir::leaky_bucket by_wait{{.permits = 10, .per = 1s, .queue = 100, .max_wait = 250ms}};
    for (auto const wait : {0ms, 100ms, 200ms}) CHECK(by_wait.reserve(start, 1, 1h).wait() == wait);
    CHECK(by_wait.reserve(start, 1, 1h).retry_after() == 50ms);
}

TEST_CASE("leaky_bucket: a call of more permits goes when the last of them is due")
{
    weir::leaky_bucket bucket{{.permits = 10, .per = 1s, .queue = 4}};
    CHECK(bucket.try_acquire(start, 2).is_impossible());
    CHECK(bucket.reserve(start, 3, 1h).wait() == 200ms);
    CHECK(bucket.reserve(start, 1, 1h).wait() == 300ms);
    CHECK(bucket.reserve(start, 6, 1h).is_impossible());
}

TEST_CASE("leaky_bucket: throttle has each call wait for its drop")
{
    weir::manual_clock clock;
    weir::time_point const begin = clock.now();
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::throttle{weir::leaky_bucket{{.permits = 10, .per = 1s, .queue = 2}}},
                       [](int x) { return x; }};
    for (int i = 0; i < 5; ++i) {
        CHECK(svc(i).value() == i);
        CHECK(clock.now() == begin + i * 100ms);
    }
    CHECK(svc.get<weir::throttle>().stats().delayed == 4);
    std::string const text = weir::describe(svc).text();
    CHECK(text.find("queue") != std::string::npos);
}

TEST_CASE("leaky_bucket: one a key")
{
    struct by_number {
        using key_type = int;
    };
    weir::keyed buckets{weir::leaky_bucket{{.permits = 10, .per = 1s, .queue = 1}}, by_number{}, {.capacity = 10}};
    CHECK(buckets.reserve(1, start, 1, 1h).wait() == 0s);
    CHECK(buckets.reserve(1, start, 1, 1h).wait() == 100ms);
    CHECK_FALSE(buckets.reserve(1, start, 1, 1h));
    CHECK(buckets.reserve(2, start, 1, 1h).wait() == 0s);
    CHECK(buckets.quota_at(1, start).burst == 1);
}

TEST_CASE("leaky_bucket: bad options are refused by name")
{
    CHECK(weir_test::refusal([] { weir::leaky_bucket<>({.permits = 0, .queue = 1}); }).starts_with("permits: "));
    CHECK(weir_test::refusal([] { weir::leaky_bucket<>({.permits = 1, .queue = ~0ull}); }).starts_with("queue: "));
    CHECK(weir_test::refusal([] { weir::leaky_bucket<>({.permits = 1, .queue = 1, .max_wait = -1ns}); }).starts_with("max_wait: "));
}

TEST_CASE("leaky_bucket: random histories go as in a line of people")
{
    weir_test::compare_with<line>();
}

TEST_CASE("leaky_bucket: threads together leave at the pace, also while it changes")
{
    weir::leaky_bucket_options const slow{.permits = 1'000'000, .per = 1s, .queue = 10};
    weir::leaky_bucket_options const fast{.permits = 10'000'000, .per = 1s, .queue = 20};
    weir::leaky_bucket bucket{slow};
    auto const [admitted, passed] = weir_test::under_load(bucket, slow, fast, 50);
    CHECK(admitted <= passed / 100 + 1 + 20);
    CHECK(admitted > 0);
}

namespace weir {
static_assert(limiter<leaky_bucket<shared>> && limiter<leaky_bucket<confined>> && detail::word_rule<drip>);
} // namespace weir: what the header promises
