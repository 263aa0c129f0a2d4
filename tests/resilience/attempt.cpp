// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/attempt.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace {

/// Keeps what number each attempt has that reaches it.
struct numbers {
    using role = weir::gate;
    using needs = weir::facets<weir::attempt>;
    static constexpr std::string_view name = "numbers";
    std::vector<std::uint32_t> seen{};
    weir::admission<> admit(auto& call)
    {
        seen.push_back(call.template get<weir::attempt>().number);
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("attempt: the handler may read which attempt it is")
{
    weir::manual_clock clock;
    std::vector<std::uint32_t> seen;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<4>{{.seed = 1}},
                       weir::idempotent{[&](int, weir::view<weir::attempt> facts) -> weir::result<int> {
                           seen.push_back(facts.get<weir::attempt>().number);
                           if (seen.size() < 3) return weir::errc::unavailable;
                           return 1;
                       }}};
    CHECK(svc(1).value() == 1);
    CHECK(seen == std::vector<std::uint32_t>{1, 2, 3});
    CHECK(svc(1).value() == 1);
    CHECK(seen.back() == 1);
}

TEST_CASE("attempt: so may a policy further in")
{
    weir::manual_clock clock;
    numbers gate;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<3>{{.seed = 1}}, std::ref(gate),
                       weir::idempotent{[](int) -> weir::result<int> { return weir::errc::unavailable; }}};
    CHECK(svc(1).has_error());
    CHECK(svc(1).has_error());
    CHECK(gate.seen == std::vector<std::uint32_t>{1, 2, 3, 1, 2, 3});
}
