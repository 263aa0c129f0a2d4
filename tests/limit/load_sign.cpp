// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/load_sign.hpp>

#include "simulated_server.hpp"

#include <doctest/doctest.h>

TEST_CASE("load_sign: what is served, what is dropped, and what says nothing")
{
    weir_test::simulated_call const call;
    weir::default_load_sign const sign;
    auto const of = [&](weir::error e) { return sign(weir::result<int>(e), call); };
    CHECK(sign(weir::result<int>(1), call) == weir::load_sign::served);
    CHECK(sign(weir::result<void>(), call) == weir::load_sign::served); // a stream that has ended
    CHECK(of(weir::errc::not_found) == weir::load_sign::served);
    CHECK(of(weir::error(weir::errc::deadline_exceeded).by(1)) == weir::load_sign::dropped);
    for (auto const e :
         {weir::errc::overloaded, weir::errc::unavailable, weir::errc::rate_limited, weir::errc::bulkhead_full, weir::errc::circuit_open}) {
        CHECK(of(e) == weir::load_sign::dropped);                 // from whom the call was sent to
        CHECK(of(weir::error(e).by(3)) == weir::load_sign::none); // from a policy further in: nobody was asked
    }
    for (auto const e : {weir::errc::cancelled, weir::errc::invalid_request, weir::errc::unauthenticated, weir::errc::handler_threw,
                         weir::errc::upstream_failed, weir::errc::payload_too_large})
        CHECK(of(e) == weir::load_sign::none);
    weir::result<weir::result<int>> const failed(boost::system::in_place_value, weir::errc::not_found);
    CHECK(sign(failed, call) == weir::load_sign::none); // a value that the classifier takes for a failure
}
