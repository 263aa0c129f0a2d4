// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/query.hpp>

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>

namespace {

using weir::find_query;
using weir::query_state;

TEST_CASE("query: a parameter is found wherever it stands")
{
    CHECK(find_query("/quotes?symbol=ACME&limit=10", "symbol").value == "ACME");
    CHECK(find_query("/quotes?symbol=ACME&limit=10", "limit").value == "10");
    CHECK(find_query("/quotes?limit=10#", "limit").state == query_state::malformed);
    CHECK(find_query("/q?a=1&&b=2&", "b").value == "2");
    CHECK(find_query("/q?a=b=c", "a").value == "b=c");
    CHECK(find_query("/q?a=b?c/d", "a").value == "b?c/d");
    CHECK(find_query("/q?a=", "a").state == query_state::found);
    CHECK(find_query("/q?a", "a").state == query_state::found);
    CHECK(find_query("http://host/q?a=1", "a").value == "1");
}

TEST_CASE("query: what is not there is absent")
{
    for (std::string_view target : {"", "/q", "/q?", "/q?b=1", "/a=1", "/q?aa=1", "/q?A=1", "/q?=1", "/q?b=a=1", "/q?&", "*"}) {
        CAPTURE(target);
        CHECK(find_query(target, "a").state == query_state::absent);
    }
}

TEST_CASE("query: escapes are decoded once, in names too")
{
    CHECK(find_query("/q?a=%41%2b%2B+%26", "a").value == "A+++&");
    CHECK(find_query("/q?a=%2541", "a").value == "%41");
    CHECK(find_query("/q?a=%00", "a").value == std::string_view("\0", 1));
    CHECK(find_query("/q?a=%e2%82%ac", "a").value == "\xe2\x82\xac");
    CHECK(find_query("/q?l%69mit=5", "limit").value == "5");
    CHECK(find_query("/q?a%3Db=5", "a").state == query_state::absent);
    CHECK(find_query("/q?a%3Db=5", "a=b").value == "5");
}

TEST_CASE("query: half an escape and what has to be encoded is malformed, in this parameter only")
{
    for (std::string_view value : {"%", "%4", "%4g", "%g4", "%%41", "%-1", "x%", " ", "a b", "\n", "\x7f", "\xe2\x82\xac", "a#b"}) {
        CAPTURE(value);
        CHECK(find_query("/q?a=" + std::string(value) + "&b=1", "a").state == query_state::malformed);
        CHECK(find_query("/q?a=" + std::string(value) + "&b=1", "b").value == "1");
    }
    CHECK(find_query("/q?%6=1&a=2", "a").value == "2");
}

TEST_CASE("query: a parameter that stands there twice is refused, however it is written")
{
    CHECK(find_query("/q?a=1&a=1", "a").state == query_state::repeated);
    CHECK(find_query("/q?a=1&b=2&%61=3", "a").state == query_state::repeated);
    CHECK(find_query("/q?a=%&a=3", "a").state == query_state::repeated);
    CHECK(find_query("/q?a=1&a=1", "a").value.empty());
    CHECK(find_query("/q?a=1&a=1&b=2", "b").value == "2");
}

TEST_CASE("query: random parameters come back as they were encoded")
{
    std::mt19937 random(29);
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    auto const encoded = [&](std::string_view text) {
        std::string out;
        for (char c : text) {
            auto const byte = static_cast<unsigned char>(c);
            bool const plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
            if (plain && random() % 3 != 0) {
                out.push_back(c);
            } else {
                auto const digit = [&](unsigned value) { return digits[value < 10 || random() % 2 == 0 ? value : value + 6]; };
                out += {'%', digit(byte >> 4u), digit(byte & 15u)};
            }
        }
        return out;
    };
    for (int round = 0; round < 5'000; ++round) {
        std::array<std::string, 3> names{"first", "se cond", "3"}, values;
        std::string target = "/path?";
        for (std::size_t i = 0; i < 3; ++i) {
            values[i].resize(random() % 20);
            for (char& c : values[i]) c = static_cast<char>(random());
            target += encoded(names[i]) + "=" + encoded(values[i]) + (random() % 2 == 0 ? "&" : "&&");
        }
        CAPTURE(target);
        for (std::size_t i = 0; i < 3; ++i) {
            auto const found = find_query(target, names[i]);
            CHECK(found.state == query_state::found);
            CHECK(found.value == values[i]);
        }
        CHECK(find_query(target, "fourth").state == query_state::absent);
    }
}

} // namespace
