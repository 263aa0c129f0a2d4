// SPDX-License-Identifier: BSL-1.0
#include <weir/core/priority.hpp>

#include <weir/core/key.hpp>

#include <doctest/doctest.h>

#include <type_traits>

struct holder {
    weir::priority its{weir::priority::level::minor};
    template<class F>
    F const& get() const
    {
        return its;
    }
};

TEST_CASE("priority: nobody's is normal, and it is a key of the call")
{
    using level = weir::priority::level;
    CHECK(weir::priority{}.of == level::normal);
    CHECK(level::critical < level::normal);
    CHECK(static_cast<unsigned>(level::batch) + 1 == weir::priority::levels);
    holder const call;
    CHECK(weir::by<weir::priority>(call) == level::minor);
    CHECK(weir::same_priority{}(call) == level::normal);
}
