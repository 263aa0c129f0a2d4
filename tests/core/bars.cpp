// SPDX-License-Identifier: BSL-1.0
// What a call costs in clock readings and allocations.
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/limit/throttle.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <stdexcept>
#include <string_view>

namespace {

using namespace std::chrono_literals;

std::atomic<long> allocations{0};

struct counting_clock {
    weir::manual_clock inner;
    int readings = 0;
    weir::time_point now()
    {
        ++readings;
        return inner.now();
    }
    void sleep_until(weir::time_point t) { inner.sleep_until(t); }
};

} // namespace

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif
void* operator new(std::size_t size)
{
    ++allocations;
    if (void* const p = std::malloc(size)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept
{
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept
{
    std::free(p);
}

TEST_CASE("bars: a call through five timed policies reads the clock twice at most, and allocates nothing")
{
    counting_clock clock;
    auto const handler = [](int x) -> weir::result<int> {
        if (x < 0) return weir::errc::not_found;
        return x;
    };
    weir::pipeline svc{weir::timed_by{std::ref(clock)},
                       weir::fallback{0},
                       weir::rate_limit{weir::gcra{{.permits = 1'000'000'000, .per = 1s}}},
                       weir::throttle{weir::gcra{{.permits = 1'000'000'000, .per = 1s}}, 1s},
                       weir::retry<3>{{.seed = 1}},
                       weir::circuit_breaker{},
                       weir::bulkhead{{.max_concurrent = 10, .max_wait = 1s}},
                       weir::rate_limit{weir::gcra{{.permits = 1'000'000'000, .per = 1s}}},
                       weir::idempotent{handler}};
    static_cast<void>(svc(1)); // threads get their stripes at their first call
    static_cast<void>(svc(-1));
    for (int x : {1, -1}) {
        clock.readings = 0;
        long const before = allocations;
        for (int i = 0; i < 100; ++i) {
            clock.inner.advance(1us);
            if (svc(x).has_value() != (x > 0)) throw std::logic_error("unexpected outcome");
        }
        CHECK(allocations == before);
        CHECK(clock.readings <= 200);
    }
}

TEST_CASE("bars: a refusal allocates nothing, and asks the clock twice at most")
{
    counting_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<2>{{.max_attempts = 1, .seed = 1}}, weir::circuit_breaker{},
                       weir::rate_limit{weir::gcra{{.permits = 1, .per = 24h, .burst = 1}}}, weir::idempotent{[](int x) { return x; }}};
    static_cast<void>(svc(1));
    static_cast<void>(svc(1));
    clock.readings = 0;
    long const before = allocations;
    for (int i = 0; i < 100; ++i)
        if (svc(1).has_value()) throw std::logic_error("unexpected outcome");
    CHECK(allocations == before);
    CHECK(clock.readings <= 200);
}

TEST_CASE("bars: a pipeline that nobody asks for the time does not read the clock")
{
    counting_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::fallback{1}, weir::bulkhead{{.max_concurrent = 1}}, [](int x) { return x; }};
    static_cast<void>(svc(1));
    CHECK(clock.readings == 0);
}

namespace {

struct name_the_caller {
    using role = weir::gate;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "name_the_caller";
    weir::admission<> admit(auto& call) const
    {
        call.set(weir::principal::of("2f1c6a52-6f1e-4d6e-9f39-0a3ad9b7a1de"));
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("bars: a principal with a long name allocates nothing, once there was one")
{
    weir::pipeline svc{name_the_caller{}, [](int, weir::view<weir::principal> who) { return who.get<weir::principal>().name.size(); }};
    CHECK(svc(1).value() == 36);
    long const before = allocations;
    for (int i = 0; i < 100; ++i)
        if (svc(1).value() != 36) throw std::logic_error("unexpected name");
    CHECK(allocations == before);
}
