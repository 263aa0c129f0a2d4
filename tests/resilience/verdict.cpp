// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/verdict.hpp>

#include <weir/core/call.hpp>

#include <doctest/doctest.h>

namespace {

struct classified_call {
    bool sevens_fail = false;
    [[nodiscard]] bool failed(weir::result<int> const& r) const { return (sevens_fail && r && *r == 7) || weir::default_classifier{}(r); }
};
using weir::errc;
using weir::verdict;
using outcome = weir::result<int>;

} // namespace

TEST_CASE("verdict: a fault is a failure, the caller's own mistakes and refusals say nothing, the rest succeeds")
{
    weir::pipeline_verdict const v;
    classified_call const call;
    for (auto const e : {errc::deadline_exceeded, errc::handler_threw, errc::upstream_failed, errc::unavailable, errc::overloaded})
        CHECK(v(outcome(e), call) == verdict::failure);
    for (auto const e : {errc::rate_limited, errc::circuit_open, errc::bulkhead_full, errc::cancelled, errc::invalid_request,
                         errc::unauthenticated, errc::forbidden, errc::replayed, errc::payload_too_large, errc::unsupported_media_type,
                         errc::method_not_allowed, errc::conflict, errc::key_reused})
        CHECK(v(outcome(e), call) == verdict::ignored);
    CHECK(v(outcome(errc::not_found), call) == verdict::success);
    CHECK(v(outcome(7), call) == verdict::success);
    CHECK(v(outcome(7), classified_call{true}) == verdict::failure);
}

TEST_CASE("verdict: a classifier of one's own says bool or verdict")
{
    classified_call const call;
    auto const by_bool = [](outcome const& o) { return o.has_error(); };
    auto const by_verdict = [](outcome const& o) { return o ? verdict::ignored : verdict::failure; };
    CHECK(weir::detail::verdict_of(by_bool, outcome(errc::not_found), call) == verdict::failure);
    CHECK(weir::detail::verdict_of(by_bool, outcome(1), call) == verdict::success);
    CHECK(weir::detail::verdict_of(by_verdict, outcome(1), call) == verdict::ignored);
    CHECK(weir::detail::verdict_of(weir::pipeline_verdict{}, outcome(1), call) == verdict::success);
}
