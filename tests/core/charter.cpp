// SPDX-License-Identifier: BSL-1.0
// What a charter allows; what it refuses lies in tests/compile_fail.
#include <weir/core/charter.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

struct tag {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    static constexpr std::string_view name = "tag";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct other {
    using role = weir::gate;
    static constexpr std::string_view name = "other";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
using limit = weir::rate_limit<weir::gcra<>>;
using clock_directive = weir::timed_by<weir::steady>;

template<class Rule, class... P>
constexpr bool broken = static_cast<bool>(Rule::template find_among<P...>());

template<class Which>
using has = weir::requires_policy<Which>;
static_assert(!broken<has<tag>, other, tag> && broken<has<tag>, other> && broken<has<tag>>);
static_assert(!broken<has<weir::made_from<weir::rate_limit>>, limit> && broken<has<weir::made_from<weir::rate_limit>>, other>);
static_assert(!broken<has<weir::made_from<weir::circuit_breaker>>, weir::circuit_breaker<weir::time_window, weir::confined>>);
static_assert(!broken<has<weir::made_from_values<weir::timeout>>, weir::timeout<weir::ms{80}>>);
static_assert(!broken<has<weir::made_from_values<weir::retry>>, weir::retry<2>>);
static_assert(broken<has<weir::made_from_values<weir::retry>>, weir::timeout<>>);
static_assert(!broken<has<weir::stating<weir::limits_time>>, weir::timeout<>> && broken<has<weir::stating<weir::limits_time>>, tag>);

template<class Which>
using lacks = weir::forbids_policy<Which>;
static_assert(broken<lacks<weir::made_from_values<weir::retry>>, tag, weir::retry<2>> && !broken<lacks<tag>, other> && !broken<lacks<tag>>);

using in_order = weir::requires_order<tag, weir::made_from<weir::rate_limit>>;
static_assert(!broken<in_order, tag, other, limit> && broken<in_order, limit, tag> && broken<in_order, tag, limit, other, tag>);
static_assert(!broken<in_order, tag> && !broken<in_order, limit> && !broken<in_order>);
static_assert(!broken<weir::requires_order<tag, tag>, tag> && broken<weir::requires_order<tag, tag>, tag, tag>); // one of them at most

using tag_first = weir::requires_outermost<weir::stating<weir::establishes_identity>>;
static_assert(!broken<tag_first, tag> && !broken<tag_first, clock_directive, tag, other> && broken<tag_first, other, tag>);
static_assert(broken<tag_first, clock_directive> && broken<tag_first>);
using tag_last = weir::requires_innermost<tag>;
static_assert(!broken<tag_last, tag> && !broken<tag_last, other, tag, clock_directive> && broken<tag_last, tag, other>);
static_assert(broken<tag_last, clock_directive> && broken<tag_last>);

struct others_stand_inside_identity {
    static constexpr weir::breach find(weir::composition const& c)
    {
        return c.first_pair(
            [](weir::policy_facts const& outer, weir::policy_facts const& inner) { return outer.name == "other" && inner.identifies; });
    }
    template<class Outer, class Inner>
    struct move_it_inward_of;
    template<class Outer, class Inner>
    using sentence = move_it_inward_of<Outer, Inner>;
};

struct house : weir::charter<weir::requires_policy<tag>, weir::requires_order<tag, weir::made_from<weir::rate_limit>>,
                             weir::forbids_policy<weir::made_from_values<weir::retry>>, weir::requires_outermost<tag>,
                             others_stand_inside_identity> {};
static_assert(weir::policy<house> && std::is_empty_v<house>);

/// Demands a law wherever it stands.
struct jealous : other {
    using demands = weir::demands<weir::requires_outermost<jealous>>;
};

} // namespace

TEST_CASE("charter: a pipeline that keeps to it is as if it were not there")
{
    weir::pipeline svc{house{}, tag{}, limit{weir::gcra{{.permits = 1, .per = 3600s}}}, other{}, [](int x) { return x; }};
    CHECK(svc(4).value() == 4);
    CHECK(svc(4).error().kind() == weir::errc::rate_limited);
    CHECK(weir::describe(svc).text().starts_with("directive charter\ngate tag\n"));
}

TEST_CASE("charter: it may stand anywhere, also in a stack, and beside another")
{
    auto const baseline = [] { return weir::stack{tag{}, house{}}; };
    weir::pipeline svc{baseline(), other{}, weir::charter<weir::requires_policy<other>>{}, [](int x) { return x; }};
    CHECK(svc(5).value() == 5);
}

TEST_CASE("charter: a policy by reference counts as the policy")
{
    tag shared;
    weir::pipeline svc{weir::charter<weir::requires_policy<tag>>{}, std::ref(shared), [](int x) { return x; }};
    CHECK(svc(6).value() == 6);
}

TEST_CASE("charter: a law that is lifted lets the pipeline be, by type and by facts")
{
    weir::pipeline without{house{}, weir::allow<weir::requires_policy<tag>, "no strangers reach it">{},
                           weir::allow<weir::requires_outermost<tag>, "no strangers reach it">{}, other{}, [](int x) { return x; }};
    CHECK(without(1).value() == 1);
    weir::pipeline turned{weir::charter<others_stand_inside_identity>{},
                          weir::allow<others_stand_inside_identity, "it is cheap, and stops floods">{}, other{}, tag{},
                          [](int x) { return x; }};
    CHECK(turned(2).value() == 2);
}

TEST_CASE("demands: a policy may demand a law by itself")
{
    weir::pipeline svc{jealous{}, tag{}, [](int x) { return x; }};
    CHECK(svc(3).value() == 3);
}
