// SPDX-License-Identifier: BSL-1.0
#include <weir/http/verify_certificate.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>

#include <doctest/doctest.h>

#include <string>

namespace http = weir::http;

TEST_CASE("verify_certificate: the subject is the principal, and without one nobody passes")
{
    weir::pipeline svc{http::verify_certificate{},
                       [](http::request const&, weir::view<weir::principal> who) { return who.get<weir::principal>().name; }};
    http::request r("GET", "/");
    auto const refused = svc.call(r);
    CHECK(refused.result().error() == weir::errc::unauthenticated);
    CHECK(refused.reported<weir::violation>()->name == "client certificate");
    r.peer_identity("CN=till-7");
    CHECK(svc(r).value() == "CN=till-7");
    auto const stats = svc.get<http::verify_certificate>().stats();
    CHECK(stats.verified == 1);
    CHECK(stats.missing == 1);
}
