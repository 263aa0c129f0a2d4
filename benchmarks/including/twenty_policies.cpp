// bar: 3 -O2
// SPDX-License-Identifier: BSL-1.0
// Twenty policies around one handler, three loops among them: what the compiler takes for it. With -DPOLICIES=10 or 40 the same
// for ten or forty, to see that it grows with the policies and not faster.
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>

#ifndef POLICIES
#define POLICIES 20
#endif

namespace {

weir::rate const rate{.permits = 1000};

/// Five policies: two limits, a breaker, a bulkhead, a gate of the user's own.
template<int Place>
struct small_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "small_gate";
    int highest = 100 + Place;

    weir::admission<> admit(auto& call)
    {
        if (call.request() > highest) return weir::errc::invalid_request;
        return weir::admitted;
    }
};
template<int Place>
auto five()
{
    return weir::rate_limit{weir::gcra{rate}} | weir::circuit_breaker{{}} | weir::bulkhead{{.max_concurrent = 8}} | small_gate<Place>{} |
           small_gate<Place + 1>{};
}

} // namespace

int serve(int request)
{
    // 2 + 5 * n + 3 more, of which three are loops.
    static weir::pipeline svc{
        weir::fallback{0},
        weir::throttle{weir::gcra{rate}, std::chrono::milliseconds(1)},
        five<0>(),
#if POLICIES >= 20
        five<10>(),
        five<20>(),
#endif
#if POLICIES >= 40
        five<30>(),
        five<40>(),
        five<50>(),
        five<60>(),
#endif
        weir::throttle{weir::gcra{rate}, std::chrono::milliseconds(1)},
        small_gate<70>{},
        weir::retry<3>{{}},
        weir::idempotent{[](int x) { return x + 1; }},
    };
    static_assert(decltype(svc)::size == POLICIES);
    return *svc(request);
}
