// SPDX-License-Identifier: BSL-1.0
#include <weir/http/upstream.hpp>

#include <doctest/doctest.h>

namespace http = weir::http;

TEST_CASE("upstream: its name is that of a Host field, its address has the port always")
{
    CHECK(http::upstream("example.com").name() == "example.com");
    CHECK(http::upstream("::1", 8080).name() == "[::1]:8080");
    CHECK(http::upstream("example.com").address() == "example.com:80");
    CHECK(http::upstream("::1").address() == "[::1]:80");
    CHECK(http::upstream("::1").host() == "::1");
}

TEST_CASE("upstream: the authority leaves out the scheme's own port, and no other")
{
    http::upstream const bank("bank.example", 443);
    CHECK(bank.authority(443) == "bank.example");
    CHECK(bank.authority(80) == "bank.example:443");
    CHECK(http::upstream("::1", 443).authority(443) == "[::1]");
    CHECK(http::upstream("bank.example", 80).authority(443) == "bank.example:80");
}
