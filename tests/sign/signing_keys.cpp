// SPDX-License-Identifier: BSL-1.0
#include "keys.hpp"

#include <weir/sign/signing_keys.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

weir::hs256_signer key(std::string name)
{
    return weir::hs256_signer{weir::secret<>(test::long_secret), std::move(name)};
}
constexpr weir::wall_time at(std::chrono::seconds s)
{
    return weir::wall_time(s);
}

} // namespace

TEST_CASE("signing_keys: the key whose time came last signs, and the one before it until then")
{
    weir::signing_keys keys{key("a")};
    keys.add(key("c"), at(200s));
    keys.add(key("b"), at(100s));
    CHECK(keys.current(at(0s))->kid() == "a");
    CHECK(keys.current(at(99s))->kid() == "a");
    CHECK(keys.current(at(100s))->kid() == "b");
    CHECK(keys.current(at(200s))->kid() == "c");
    auto const held = keys.current(at(0s));
    CHECK(keys.retire("a"));
    CHECK(!keys.retire("a"));
    CHECK(held->kid() == "a");
    CHECK(keys.current(at(0s))->kid() == "b"); // better than none
    CHECK(keys.retire("c"));
    CHECK(!keys.retire("b"));
    CHECK(keys.size() == 1);
}

TEST_CASE("signing_keys: beside others a key has a name of its own, and there are eight at most")
{
    weir::signing_keys keys{key("0")};
    CHECK_THROWS_AS(keys.add(key("0"), at(1s)), std::invalid_argument);
    CHECK_THROWS_AS(keys.add(key(""), at(1s)), std::invalid_argument);
    for (int i = 1; i < 8; ++i) keys.add(key(std::to_string(i)), at(1s));
    CHECK(keys.current(at(1s))->kid() == "7"); // of one time, the one that was added last
    CHECK_THROWS_WITH_AS(keys.add(key("8"), at(1s)), "signing_keys: expected at most 8 keys", std::invalid_argument);
    weir::signing_keys unnamed{key("")};
    CHECK_THROWS_AS(unnamed.add(key("a"), at(1s)), std::invalid_argument);
}
