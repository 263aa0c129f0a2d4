// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/breaker_transition.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <type_traits>

static_assert(std::is_trivially_copyable_v<weir::breaker_transition>);

TEST_CASE("breaker_transition: states and reasons have the names of their enumerators")
{
    CHECK(to_string(weir::breaker_state::closed) == "closed");
    CHECK(to_string(weir::breaker_state::metrics_only) == "metrics_only");
    CHECK(to_string(weir::breaker_reason::too_many_failures) == "too_many_failures");
    CHECK(to_string(weir::breaker_reason::probes_too_slow) == "probes_too_slow");
    CHECK(to_string(weir::breaker_reason::by_hand) == "by_hand");
}

TEST_CASE("breaker_transition: a name is kept in place, and too long a one refused")
{
    std::string text(31, 'x');
    weir::breaker_name const name = text;
    text[0] = 'y';
    CHECK(name.view() == std::string(31, 'x'));
    CHECK(weir::breaker_name{}.view().empty());
    CHECK(weir::breaker_name("a") == weir::breaker_name(std::string_view("a")));
    text += 'z';
    CHECK_THROWS_WITH_AS(weir::breaker_name{text}, "circuit_breaker.name: expected at most 31 characters", std::invalid_argument);
}
