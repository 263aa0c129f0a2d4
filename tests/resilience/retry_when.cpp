// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/retry_when.hpp>

#include <doctest/doctest.h>

namespace {

using weir::errc;
using outcome_type = weir::result<int>;

struct test_call {
    static bool failed(outcome_type const& outcome) { return weir::default_classifier{}(outcome); }
};
template<auto When>
bool repeats(outcome_type const& outcome)
{
    test_call call;
    return weir::detail::worth_repeating<When>(call, outcome);
}

} // namespace

TEST_CASE("when_it_failed: faults and refusals by a limit")
{
    CHECK(repeats<weir::when_it_failed{}>(errc::unavailable));
    CHECK(repeats<weir::when_it_failed{}>(errc::handler_threw));
    CHECK(repeats<weir::when_it_failed{}>(errc::rate_limited));
    CHECK_FALSE(repeats<weir::when_it_failed{}>(errc::not_found));
    CHECK_FALSE(repeats<weir::when_it_failed{}>(errc::conflict));
    CHECK_FALSE(repeats<weir::when_it_failed{}>(errc::cancelled));
    CHECK_FALSE(repeats<weir::when_it_failed{}>(1));
}

TEST_CASE("on_errors: those that it names, and no value")
{
    constexpr auto when = weir::on_errors<errc::not_found, errc::circuit_open>;
    CHECK(repeats<when>(errc::not_found));
    CHECK(repeats<when>(errc::circuit_open));
    CHECK_FALSE(repeats<when>(errc::unavailable));
    CHECK_FALSE(repeats<when>(0));
    CHECK_FALSE(repeats<weir::on_errors<>>(errc::unavailable));
}

TEST_CASE("a predicate of one's own: of the outcome, or of the call and the outcome")
{
    CHECK(repeats<[](outcome_type const& r) { return r.has_value() && *r < 0; }>(-1));
    CHECK_FALSE(repeats<[](outcome_type const& r) { return r.has_value() && *r < 0; }>(1));
    CHECK(repeats<[](test_call& call, outcome_type const& r) { return !call.failed(r); }>(1));
}
