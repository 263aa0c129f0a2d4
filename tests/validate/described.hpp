// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace test {

enum class side { buy, sell };
BOOST_DESCRIBE_ENUM(side, buy, sell)

struct leg {
    std::string venue{};
    std::uint16_t share{};
    friend bool operator==(leg const&, leg const&) = default;
};
BOOST_DESCRIBE_STRUCT(leg, (), (venue, share))

/// An order with one member of each kind that JSON can have.
struct order {
    std::string symbol{};
    std::int64_t quantity{};
    test::side side{};
    double price{};
    bool whole{};
    std::optional<std::int32_t> limit{};
    std::vector<leg> legs{};
    std::array<std::int8_t, 2> range{};
    std::map<std::string, double> fees{};
    std::chrono::milliseconds valid_ms{};
    std::optional<leg> best{};
    friend bool operator==(order const&, order const&) = default;
};
BOOST_DESCRIBE_STRUCT(order, (), (symbol, quantity, side, price, whole, limit, legs, range, fees, valid_ms, best))

} // namespace test
