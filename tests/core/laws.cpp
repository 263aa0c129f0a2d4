// SPDX-License-Identifier: BSL-1.0
// What the laws allow; what they refuse lies in tests/compile_fail.
#include <weir/core/laws.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

#include <doctest/doctest.h>

#include <array>

namespace {

template<class... Traits>
struct having {
    using role = weir::gate;
    using traits = weir::traits<Traits...>;
    static constexpr std::string_view name = "having";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};

template<class Law, class... P>
constexpr bool broken(bool idempotent = false)
{
    return static_cast<bool>(Law::find(weir::composition{weir::detail::facts_table<P...>::value, idempotent}));
}

using weir::ms;
namespace laws = weir::laws;

using identity = having<weir::establishes_identity>;
using cache = having<weir::may_answer_alone>;
static_assert(broken<laws::no_cached_answer_outside_identity, cache, identity>());
static_assert(broken<laws::no_cached_answer_outside_identity, cache, having<>, identity>());
static_assert(!broken<laws::no_cached_answer_outside_identity, identity, cache>());
static_assert(!broken<laws::no_cached_answer_outside_identity, cache>());

static_assert(broken<laws::one_repeat_at_a_time, weir::retry<2>, having<>, weir::retry<3>>());
static_assert(!broken<laws::one_repeat_at_a_time, weir::retry<2>, having<>>());

using idempotency_key = having<weir::makes_repeats_safe>;
static_assert(broken<laws::repeats_only_what_is_idempotent, weir::retry<2>>());
static_assert(broken<laws::repeats_only_what_is_idempotent, idempotency_key, weir::retry<2>>());
static_assert(!broken<laws::repeats_only_what_is_idempotent, weir::retry<2>, idempotency_key>());
static_assert(!broken<laws::repeats_only_what_is_idempotent, weir::retry<2>>(true));

using nonce_check = having<weir::passes_once>;
static_assert(broken<laws::nothing_is_repeated_that_passes_once, weir::retry<2>, nonce_check>());
static_assert(!broken<laws::nothing_is_repeated_that_passes_once, nonce_check, weir::retry<2>>());

static_assert(broken<laws::failures_reach_who_counts_them, weir::circuit_breaker<>, weir::fallback<int>>());
static_assert(broken<laws::failures_reach_who_counts_them, weir::retry<2>, weir::fallback<int>>());
static_assert(!broken<laws::failures_reach_who_counts_them, weir::fallback<int>, weir::retry<2>, weir::circuit_breaker<>>());

using rewriter = having<weir::rewrites_body>;
using signature = having<weir::reads_body>;
static_assert(broken<laws::bodies_are_checked_as_they_came, rewriter, signature>());
static_assert(!broken<laws::bodies_are_checked_as_they_came, signature, rewriter>());

using keeper = having<weir::may_answer_alone>;
using seal = having<weir::binds_to_the_request>;
static_assert(broken<laws::nothing_is_kept_that_is_bound_to_its_request, keeper, having<>, seal>());
static_assert(!broken<laws::nothing_is_kept_that_is_bound_to_its_request, seal, keeper>());

using laws::attempts_fit_into_the_time;
static_assert(broken<attempts_fit_into_the_time, weir::timeout<ms{200}>, weir::retry<3>, weir::attempt_timeout<ms{80}>>());
static_assert(!broken<attempts_fit_into_the_time, weir::timeout<ms{240}>, weir::retry<3>, weir::attempt_timeout<ms{80}>>());
static_assert(
    !broken<attempts_fit_into_the_time, weir::timeout<>, weir::retry<3>, weir::attempt_timeout<ms{80}>>()); // known at run time only
static_assert(!broken<attempts_fit_into_the_time, weir::timeout<ms{200}>, weir::timeout<ms{300}>>());
static_assert(!broken<attempts_fit_into_the_time, weir::retry<3>, weir::attempt_timeout<ms{80}>>());
static_assert(
    broken<attempts_fit_into_the_time, weir::timeout<ms{500}>, weir::retry<3>, having<>, weir::retry<2>, weir::attempt_timeout<ms{84}>>());
static_assert(!broken<attempts_fit_into_the_time, weir::timeout<ms{500}>, weir::retry<3>, weir::retry<2>, weir::attempt_timeout<ms{83}>>());

} // namespace

TEST_CASE("laws: one that is lifted lets the pipeline be, and only that one")
{
    auto const handler = [](int x) { return x; };
    weir::pipeline svc{weir::allow<laws::one_repeat_at_a_time, "the inner one guards a local lock">{}, weir::retry<2>{{.seed = 1}},
                       weir::retry<3>{{.seed = 1}}, weir::idempotent{handler}};
    static_assert(weir::max_attempts<decltype(svc)> == 6);
    CHECK(svc(4).value() == 4);
}

TEST_CASE("laws: an idempotency key further in makes repeats safe")
{
    weir::pipeline svc{weir::retry<2>{{.seed = 1}}, idempotency_key{}, [](int x) { return x; }};
    CHECK(svc(4).value() == 4);
}
