// SPDX-License-Identifier: BSL-1.0
#include <weir/http/peer_network.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

struct visitor {
    std::string address;
    friend std::string_view weir_peer(visitor const& v) { return v.address; }
};

} // namespace

TEST_CASE("peer_network: an IPv6 client has one limit for its /64, an IPv4 client one however it comes")
{
    weir::pipeline svc{weir::rate_limit{weir::keyed{weir::gcra{{.permits = 2, .per = 1h}}, weir::by_peer_network, {.capacity = 10}}},
                       [](visitor const&) { return 1; }};
    auto const asks = [&](char const* address) {
        visitor const v{address};
        return svc(v).has_value();
    };
    CHECK(asks("2001:db8:1:2::1"));
    CHECK(asks("2001:db8:1:2:ffff::9"));
    CHECK_FALSE(asks("2001:db8:1:2:3:4:5:6"));
    CHECK_FALSE(asks("2001:db8:1:2::1%eth0"));
    CHECK(asks("2001:db8:1:3::1"));
    CHECK(asks("192.0.2.1"));
    CHECK(asks("::ffff:192.0.2.1"));
    CHECK_FALSE(asks("192.0.2.1"));
    CHECK(asks("192.0.2.2"));
    CHECK(asks("no address"));
    CHECK(asks(""));
    CHECK_FALSE(asks("another"));
}
