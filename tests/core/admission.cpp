// SPDX-License-Identifier: BSL-1.0
#include <weir/core/admission.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

static_assert(sizeof(weir::admission<>) <= 24 && std::is_trivially_copyable_v<weir::admission<>>);
static_assert(sizeof(weir::admission<std::uint64_t>) <= 24 && std::is_trivially_copyable_v<weir::admission<std::uint64_t>>);
static_assert(sizeof(weir::next_step) <= 16 && std::is_trivially_copyable_v<weir::next_step>);

enum class answer { pass, refuse, park, sleep };

weir::admission<int> gate(answer a) // reads like a gate of one's own
{
    switch (a) {
    case answer::refuse: return weir::errc::bulkhead_full;
    case answer::park: return weir::park_until{weir::time_point{} + 5s};
    case answer::sleep: return weir::sleep_for{20ms};
    default: return 7;
    }
}

TEST_CASE("admission: a permit is handed back as it was given")
{
    weir::admission<int> const a = gate(answer::pass);
    CHECK(a.is_admitted());
    CHECK(static_cast<bool>(a));
    CHECK(a.permit() == 7);
    CHECK_FALSE(a.is_parked());
    CHECK_FALSE(a.is_asleep());
}

TEST_CASE("admission: a refusal says why, and when to come back")
{
    weir::admission<int> const a = gate(answer::refuse);
    CHECK_FALSE(a.is_admitted());
    CHECK_FALSE(static_cast<bool>(a));
    CHECK_FALSE(a.is_parked());
    CHECK_FALSE(a.is_asleep());
    CHECK(a.refusal().kind() == weir::errc::bulkhead_full);

    weir::admission<> const limited = weir::error(weir::errc::rate_limited, 3s);
    CHECK_FALSE(limited.is_admitted());
    CHECK(limited.refusal().kind() == weir::errc::rate_limited);
    CHECK(limited.refusal().retry_after() == 3s);
}

TEST_CASE("admission: a parked call knows until when, also if that is never")
{
    weir::admission<int> const a = gate(answer::park);
    CHECK(a.is_parked());
    CHECK_FALSE(a.is_admitted());
    CHECK_FALSE(a.is_asleep());
    CHECK(a.parked_until() == weir::time_point{} + 5s);

    weir::admission<> const forever = weir::park_until{weir::never};
    CHECK(forever.is_parked());
    CHECK(forever.parked_until() == weir::never);
}

TEST_CASE("admission: a call that sleeps knows for how long")
{
    weir::admission<int> const a = gate(answer::sleep);
    CHECK(a.is_asleep());
    CHECK_FALSE(a.is_admitted());
    CHECK_FALSE(a.is_parked());
    CHECK(a.sleep_time() == 20ms);
}

TEST_CASE("admission: a gate that has nothing to remember says admitted")
{
    constexpr weir::admission<> a = weir::admitted;
    static_assert(a.is_admitted());
    CHECK(static_cast<bool>(a));
}

TEST_CASE("next_step: done, or again after a delay")
{
    static_assert(!weir::done.again());
    CHECK(weir::again(30ms).again());
    CHECK(weir::again(30ms).delay() == 30ms);
    CHECK(weir::again(0ms).again());
}

} // namespace
