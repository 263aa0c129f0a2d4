// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/message_keys.hpp>

#include "wall.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

weir::wall_time const now{1'700'000'000'000ms};

weir::signature_key key(std::string_view text)
{
    return weir::signature_key(weir::secret{text});
}

} // namespace

TEST_CASE("message_keys: of overlapping keys either verifies, and the newest that is valid signs")
{
    weir::message_keys<weir::confined> keys(
        {{"old", key("the old key of the shop"), weir::wall_time::min(), now + 60s}, {"new", key("the new key of the shop"), now}});
    CHECK(keys.size() == 2);
    CHECK(keys.signer(now - 1s)->id == "old");
    CHECK(!keys.find("new", now - 1s));
    CHECK(keys.signer(now)->id == "new");
    CHECK(keys.find("old", now));
    CHECK(keys.find("new", now));
    CHECK(!keys.find("old", now + 60s));
    CHECK(!keys.find("ne", now));
    CHECK(!keys.find("", now));
    CHECK(keys.signer(now, "old")->id == "old");
    CHECK(!keys.signer(now + 60s, "old"));

    keys.replace({{"third", key("the third key of the shop")}});
    CHECK(!keys.find("new", now));
    CHECK(keys.signer(now)->id == "third");
}

TEST_CASE("message_keys: bad keys are refused, and the present ones stay")
{
    weir::message_keys<> keys({{"a", key("0123456789abcdef")}});
    CHECK_THROWS_WITH_AS(keys.replace({{"", key("0123456789abcdef")}}), "message_key::id: expected a name in printable ASCII",
                         std::invalid_argument);
    CHECK_THROWS_AS(keys.replace({{"a\n", key("0123456789abcdef")}}), std::invalid_argument);
    CHECK_THROWS_WITH_AS(keys.replace({{"b", key("0123456789abcdef")}, {"b", key("0123456789abcdeg")}}),
                         "message_key::id: expected each name once", std::invalid_argument);
    CHECK_THROWS_AS(keys.replace({{"b", key("0123456789abcdef"), now, now}}), std::invalid_argument);
    CHECK(keys.find("a", now));
    CHECK(weir::message_keys<>().size() == 0);
}
