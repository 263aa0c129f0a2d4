// SPDX-License-Identifier: BSL-1.0
#include <weir/http/detail/address_count.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>

using weir::ip_address;
using weir::http::detail::address_count;

namespace {

ip_address at(std::string_view text)
{
    return ip_address::parse(text).value();
}

} // namespace

TEST_CASE("address_count: of IPv6 a /64 counts as one, of IPv4 each address")
{
    address_count counts(1);
    CHECK(counts.take(at("2001:db8::1")));
    CHECK_FALSE(counts.take(at("2001:db8::2")));
    CHECK(counts.take(at("2001:db8:0:1::1")));
    CHECK(counts.take(at("192.0.2.1")));
    CHECK_FALSE(counts.take(at("::ffff:192.0.2.1")));
    CHECK(counts.take(at("192.0.2.2")));
    counts.give_back(at("2001:db8::1"));
    CHECK(counts.take(at("2001:db8::2")));
}

TEST_CASE("address_count: keeps what is open and nothing more, as a plain map would")
{
    address_count counts(3);
    std::map<std::string, std::size_t> model;
    std::mt19937 random(11);
    for (int i = 0; i < 20'000; ++i) {
        std::string const address = "10.0.0." + std::to_string(random() % 50);
        if (random() % 2 == 0) {
            bool const taken = counts.take(at(address));
            CHECK(taken == (model[address] < 3));
            if (taken) ++model[address];
        } else if (model[address] > 0) {
            counts.give_back(at(address));
            --model[address];
        }
        if (model[address] == 0) model.erase(address);
        CHECK(counts.size() == model.size());
    }
}

TEST_CASE("address_count: without a limit nothing is kept")
{
    address_count counts(std::numeric_limits<std::size_t>::max());
    for (int i = 0; i < 10; ++i) CHECK(counts.take(at("10.0.0.1")));
    CHECK(counts.size() == 0);
    counts.give_back(at("10.0.0.1"));
}
