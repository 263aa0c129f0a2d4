// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/sigv4_keys.hpp>

#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/hmac.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

weir::wall_time const now{1'700'000'000'000ms};

std::vector<weir::sigv4_key> list(auto... keys)
{
    std::vector<weir::sigv4_key> out;
    (out.push_back(std::move(*keys)), ...);
    return out;
}

} // namespace

TEST_CASE("sigv4_keys: they rotate, the newest signs")
{
    weir::sigv4_key old{"OLD", weir::secret{"0123456789abcdef"}, {}, weir::wall_time::min(), now + 60s},
        fresh{"NEW", weir::secret{"fedcba9876543210"}, {}, now};
    weir::sigv4_keys<weir::confined> keys(list(&old, &fresh));
    CHECK(keys.find({}, now - 1s)->id == "OLD");
    CHECK(keys.find({}, now)->id == "NEW");
    CHECK(keys.find("OLD", now)->id == "OLD");
    CHECK(keys.find("OLD", now + 60s) == nullptr);
    CHECK(keys.find("OTHER", now) == nullptr);
    keys.replace({});
    CHECK(keys.find({}, now) == nullptr);
}

TEST_CASE("sigv4_keys: the key of a day is that of AWS's documentation")
{
    // "Examples of how to derive a signing key for Signature Version 4", AWS General Reference.
    weir::sigv4_key key{"AKIDEXAMPLE", weir::secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}};
    weir::sigv4_keys<weir::confined> const keys(list(&key));
    auto const day = keys.day_key(keys.find({}, now), "20120215/us-east-1/iam/aws4_request");
    weir::sha256_digest made;
    REQUIRE(weir::read_hex("f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d", made));
    CHECK(day->code("a text") == weir::hmac_sha256(made)("a text"));
}

TEST_CASE("sigv4_keys: keys of a day are kept, eight of them, until the keys are replaced")
{
    auto const one = [] { return weir::sigv4_key{"A", weir::secret{"0123456789abcdef"}}; };
    weir::sigv4_key first = one(), second = one();
    weir::sigv4_keys<weir::shared> keys(list(&first));
    auto const key = keys.find("A", now);
    auto const made = keys.day_key(key, "1/r/s/aws4_request");
    CHECK(keys.day_key(key, "1/r/s/aws4_request") != made); // not kept so far
    keys.keep(made);
    keys.keep(made);
    CHECK(keys.day_key(key, "1/r/s/aws4_request") == made);
    CHECK(keys.day_key(key, "1/r/t/aws4_request") != made);
    for (char c = 'a'; c < 'h'; ++c) keys.keep(keys.day_key(key, std::string(1, c) + "/r/s/aws4_request"));
    CHECK(keys.day_key(key, "1/r/s/aws4_request") == made);
    keys.keep(keys.day_key(key, "h/r/s/aws4_request"));
    CHECK(keys.day_key(key, "1/r/s/aws4_request") != made);

    keys.keep(made);
    keys.replace(list(&second));
    CHECK(keys.day_key(keys.find("A", now), "1/r/s/aws4_request") != made);
    keys.keep(made); // by one who began before: it does not come back
    CHECK(keys.day_key(key, "1/r/s/aws4_request") != made);
    CHECK(keys.day_key(keys.find("A", now), "1/r/s/aws4_request") != made);
}

TEST_CASE("sigv4_keys: bad keys are refused by name")
{
    weir::sigv4_key no_name{"", weir::secret{"0123456789abcdef"}}, slash{"A/B", weir::secret{"0123456789abcdef"}},
        short_key{"A", weir::secret{"short"}};
    using keys = weir::sigv4_keys<>;
    CHECK_THROWS_WITH_AS(keys(list(&no_name)), "sigv4_key::id: expected letters and digits", std::invalid_argument);
    CHECK_THROWS_AS(keys(list(&slash)), std::invalid_argument);
    CHECK_THROWS_WITH_AS(keys(list(&short_key)), "sigv4_key::key: expected at least 16 bytes", std::invalid_argument);
    weir::sigv4_key a{"A", weir::secret{"0123456789abcdef"}}, b{"A", weir::secret{"0123456789abcdef"}};
    CHECK_THROWS_WITH_AS(keys(list(&a, &b)), "sigv4_key::id: expected each name once", std::invalid_argument);
}
