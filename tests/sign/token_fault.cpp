// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/token_fault.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

TEST_CASE("token_fault: each has a name of its own, and a stranger is told the same whatever is wrong with key or signature")
{
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < weir::token_faults; ++i) {
        auto const f = static_cast<weir::token_fault>(i);
        names.insert(to_string(f));
        CHECK(expectation_of(f).empty() == (f == weir::token_fault::none));
    }
    CHECK(names.size() == weir::token_faults);
    using enum weir::token_fault;
    CHECK(expectation_of(unknown_key) == expectation_of(wrong_signature));
    CHECK(expectation_of(wrong_algorithm) == expectation_of(wrong_signature));
}
