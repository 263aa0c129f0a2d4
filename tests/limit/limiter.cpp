// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/limiter.hpp>

#include <weir/limit/fixed_window.hpp>
#include <weir/limit/gcra.hpp>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;

struct unlimited {
    struct options {};
    weir::decision try_acquire(weir::time_point, std::uint64_t = 1) { return weir::decision::admitted(); }
    weir::reservation reserve(weir::time_point, std::uint64_t, weir::duration) { return weir::reservation::taken({}); }
    std::uint64_t drain(weir::time_point, std::uint64_t most) { return most; }
    void refund(std::uint64_t) {}
    std::uint64_t available(weir::time_point) const { return ~std::uint64_t{}; }
    bool is_full(weir::time_point) const { return true; }
    weir::quota quota_at(weir::time_point) const { return {~0ull, weir::duration{1}, ~0ull, ~0ull, {}}; }
    options settings() const { return {}; }
    void reconfigure(options) {}
};
static_assert(weir::limiter<unlimited>);
static_assert(!weir::keyable_limiter<unlimited>);

struct answers_with_bool : unlimited {
    bool try_acquire(weir::time_point, std::uint64_t = 1) { return true; }
};
static_assert(!weir::limiter<answers_with_bool>);

struct drains_without_saying_how_much : unlimited {
    void drain(weir::time_point, std::uint64_t) {}
};
static_assert(!weir::limiter<drains_without_saying_how_much>);

} // namespace

TEST_CASE("decision: admitted, refused for a while, or impossible")
{
    auto const yes = weir::decision::admitted();
    CHECK(yes);
    CHECK(yes.retry_after() == 0ns);
    CHECK_FALSE(yes.is_impossible());

    auto const later = weir::decision::refused(5ms);
    CHECK_FALSE(later);
    CHECK(later.retry_after() == 5ms);
    CHECK_FALSE(later.is_impossible());

    auto const never = weir::decision::impossible();
    CHECK_FALSE(never);
    CHECK(never.is_impossible());
    CHECK(never.retry_after() == weir::duration::max());
    CHECK(never != later);
}

TEST_CASE("decision: a refusal never says to come back at once")
{
    CHECK_FALSE(weir::decision::refused(0ns));
    CHECK(weir::decision::refused(0ns).retry_after() == 1ns);
}

TEST_CASE("reservation: taken with a wait, or refused with the reason")
{
    auto const taken = weir::reservation::taken(3s);
    CHECK(taken);
    CHECK(taken.wait() == 3s);
    CHECK(taken.retry_after() == 0ns);

    auto const refused = weir::reservation::refused(weir::decision::refused(2s));
    CHECK_FALSE(refused);
    CHECK(refused.retry_after() == 2s);
    CHECK_FALSE(refused.is_impossible());
    CHECK(weir::reservation::refused(weir::decision::impossible()).is_impossible());
}

TEST_CASE("limiter: a quota says when there is one permit more, by any rule")
{
    using namespace std::chrono_literals;
    weir::time_point const noon{12h};
    weir::fixed_window window{{.permits = 3, .per = 10s}};
    CHECK(window.quota_at(noon).until_more == 0s);
    CHECK(window.try_acquire(noon + 4s, 2));
    CHECK(window.quota_at(noon + 4s).remaining == 1);
    CHECK(window.quota_at(noon + 4s).until_more == 6s);
    weir::gcra even{{.permits = 10, .per = 1s}};
    CHECK(even.try_acquire(noon, 7));
    CHECK(even.quota_at(noon + 130ms).remaining == 4);
    CHECK(even.quota_at(noon + 130ms).until_more == 70ms);
    CHECK(even.quota_at(noon + 130ms).until_full == 570ms);
    CHECK(even.quota_at(noon + 1h).until_more == 0s);
}
