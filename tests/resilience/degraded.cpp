// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/degraded.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/resilience/fallback.hpp>

#include <doctest/doctest.h>

namespace {

TEST_CASE("degraded: tells whose answer came in the place of the handler's own")
{
    weir::pipeline svc{weir::fallback{-1}, [](int x) -> weir::result<int> {
                           if (x < 0) return weir::errc::upstream_failed;
                           return x;
                       }};
    auto const by = [&](int x) {
        return svc.call(x, [](auto& reply) {
            auto const& fact = reply.template reported<weir::degraded>();
            return fact ? fact->by : std::string_view("nobody");
        });
    };
    CHECK(by(7) == "nobody");
    CHECK(by(-7) == "fallback");
}

} // namespace
