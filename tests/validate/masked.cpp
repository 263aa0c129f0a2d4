// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/masked.hpp>

#include <boost/describe/class.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

struct card {
    std::string card_number{};
    int month{};
};
BOOST_DESCRIBE_STRUCT(card, (), (card_number, month))

struct payment {
    std::string user{}, password{};
    std::vector<card> cards{};
};
BOOST_DESCRIBE_STRUCT(payment, (), (user, password, cards))

TEST_CASE("masked: a struct as a log may have it")
{
    payment const p{"ann", "geheim", {{"4111111111111111", 7}}};
    CHECK(weir::masked<weir::common_mask>(p) == R"({"user":"ann","password":"***","cards":[{"card_number":"***1111","month":7}]})");
    CHECK(weir::masked<weir::mask<>>(payment{"ann", "\xff", {}}) == "***");
}

} // namespace
