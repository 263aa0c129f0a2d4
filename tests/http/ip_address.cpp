// SPDX-License-Identifier: BSL-1.0
#include <weir/http/ip_address.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

using weir::ip_address;
using weir::ip_network;

namespace {

bool in(std::string_view network, std::string_view address)
{
    return ip_network::parse(network).value().contains(ip_address::parse(address).value());
}

} // namespace

TEST_CASE("ip_address: reads what is one, and nothing else")
{
    for (std::string_view const text : {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4"}) {
        CAPTURE(text);
        auto const a = ip_address::parse(text);
        REQUIRE(a);
        CHECK(a->to_string() == text);
        CHECK(a->is_v4() == (text.find(':') == std::string_view::npos));
    }
    for (std::string_view const text :
         {"",         "1",        "1.2.3",      "1.2.3.4.5", "1.2.3.256",
          "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",   "0x1.2.3.4", ":",
          ":::",      "1::2::3",  "12345::",    "g::",       "::1%eth0",
          "[::1]",    "::1.2.3",  "1.2.3.4:80", "localhost", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
        CAPTURE(text);
        CHECK_FALSE(ip_address::parse(text));
    }
    CHECK_FALSE(ip_address::parse(std::string_view("1.2.3.4\0x", 9)));
    CHECK(ip_address::parse("::ffff:192.0.2.1") == ip_address::parse("192.0.2.1"));
    CHECK(ip_address::parse("2001:DB8:0::1") == ip_address::parse("2001:db8::1"));
    CHECK(ip_address::parse("::") == ip_address());
}

TEST_CASE("ip_address: an IPv4 subscriber has an address, an IPv6 one a /64")
{
    auto const key = [](std::string_view text) { return ip_address::parse(text).value().subscriber(); };
    CHECK(key("192.0.2.1") != key("192.0.2.2"));
    CHECK(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    CHECK(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
    CHECK(key("::1") != key("0.0.0.1"));
}

TEST_CASE("ip_network: contains the addresses of its prefix")
{
    CHECK(in("10.0.0.0/8", "10.255.0.1"));
    CHECK_FALSE(in("10.0.0.0/8", "11.0.0.0"));
    CHECK(in("192.0.2.7", "192.0.2.7"));
    CHECK_FALSE(in("192.0.2.7", "192.0.2.6"));
    CHECK(in("192.0.2.6/31", "192.0.2.7"));
    CHECK(in("0.0.0.0/0", "255.1.2.3"));
    CHECK_FALSE(in("0.0.0.0/0", "::1"));
    CHECK(in("::/0", "2001:db8::1"));
    CHECK_FALSE(in("::/0", "10.0.0.1"));
    CHECK(in("2001:db8::/32", "2001:db8:ffff::"));
    CHECK_FALSE(in("2001:db8::/32", "2001:db9::"));
    CHECK(in("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff"));
    CHECK_FALSE(in("2001:db8::/65", "2001:db8::8000:0:0:0"));
    for (std::string_view const text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8 ",
                                        "10.0.0.1/8", "::1/127", "::/129", "2001:db8::1/32", "10/8", "10.0.0.0/8/8", "a/8"}) {
        CAPTURE(text);
        CHECK_FALSE(ip_network::parse(text));
    }
}

TEST_CASE("ip_network: any prefix contains what agrees in its bits, and is refused with bits behind them")
{
    std::mt19937 random(7);
    for (int round = 0; round < 2'000; ++round) {
        std::uint32_t const a = static_cast<std::uint32_t>(random());
        auto const bits = static_cast<unsigned>(random() % 33);
        std::uint32_t const mask = bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits);
        auto const text = [](std::uint32_t v) {
            return std::to_string(v >> 24) + '.' + std::to_string(v >> 16 & 255) + '.' + std::to_string(v >> 8 & 255) + '.' +
                   std::to_string(v & 255);
        };
        CHECK(ip_network::parse(text(a) + '/' + std::to_string(bits)).has_value() == ((a & ~mask) == 0));
        std::uint32_t const flipped = a ^ (std::uint32_t{1} << random() % 32);
        CHECK(in(text(a & mask) + '/' + std::to_string(bits), text(flipped)) == ((flipped & mask) == (a & mask)));
    }
}
