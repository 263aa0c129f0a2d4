// SPDX-License-Identifier: BSL-1.0
#include <weir/http/rate_limit_fields.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace http = weir::http;

namespace {

/// A reader of lists of strings with integer and byte parameters (RFC 9651 section 4.2), by the letter and for these tests only.
struct item {
    std::string name;
    std::vector<std::pair<std::string, std::string>> parameters;
    [[nodiscard]] std::optional<std::string> at(std::string_view key) const
    {
        for (auto const& [k, v] : parameters)
            if (k == key) return v;
        return {};
    }
};
std::optional<std::vector<item>> parse(std::string_view text)
{
    std::vector<item> list;
    while (true) {
        item one;
        if (text.empty() || text[0] != '"') return {};
        for (text.remove_prefix(1); !text.empty() && text[0] != '"'; text.remove_prefix(1)) {
            if (text[0] == '\\') {
                text.remove_prefix(1);
                if (text.empty() || (text[0] != '"' && text[0] != '\\')) return {};
            } else if (text[0] < 0x20 || text[0] > 0x7e) {
                return {};
            }
            one.name += text[0];
        }
        if (text.empty()) return {};
        text.remove_prefix(1);
        while (!text.empty() && text[0] == ';') {
            std::size_t const equals = text.find('=');
            if (equals == std::string_view::npos) return {};
            std::string const key(text.substr(1, equals - 1));
            text.remove_prefix(equals + 1);
            std::string value;
            bool const bytes = !text.empty() && text[0] == ':';
            if (bytes) text.remove_prefix(1);
            std::string_view const taken = bytes ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=" : "0123456789";
            while (!text.empty() && taken.find(text[0]) != std::string_view::npos) {
                value += text[0];
                text.remove_prefix(1);
            }
            if (bytes) {
                if (text.empty() || text[0] != ':' || value.size() % 4 != 0) return {};
                text.remove_prefix(1);
            } else if (value.empty() || value.size() > 15) {
                return {};
            }
            one.parameters.emplace_back(key, value);
        }
        list.push_back(std::move(one));
        if (text.empty()) return list;
        if (text.substr(0, 2) != ", ") return {};
        text.remove_prefix(2);
    }
}

} // namespace

TEST_CASE("rate_limit_fields: the state of a limit, in whole seconds rounded up")
{
    http::response r(http::status::ok, "x");
    http::set_rate_limit(r, {.name = "per tenant", .quota = 100, .window = 60s, .remaining = 7, .reset = 12'300ms});
    CHECK(weir::header(r, "RateLimit-Policy") == "\"per tenant\";q=100;w=60");
    CHECK(weir::header(r, "RateLimit") == "\"per tenant\";r=7;t=13");
}

TEST_CASE("rate_limit_fields: several limits are several items, the examples of the draft among them")
{
    http::rate_limit_fields fields;
    fields.add({.name = "burst", .quota = 100, .window = 60s, .remaining = 50, .reset = 30s});
    fields.add({.name = "daily", .quota = 1'000, .window = 24h, .remaining = 999});
    fields.add({.name = "peruser", .quota = 65'535, .window = 10s, .remaining = 300'000'000, .reset = 60s, .partition = "App-999"});
    CHECK(fields.policy() == "\"burst\";q=100;w=60, \"daily\";q=1000;w=86400, \"peruser\";q=65535;w=10;pk=:QXBwLTk5OQ==:");
    CHECK(fields.limit() == "\"burst\";r=50;t=30, \"daily\";r=999, \"peruser\";r=300000000;t=60;pk=:QXBwLTk5OQ==:");
    http::response r(http::status::ok);
    http::rate_limit_fields{}.set_on(r);
    CHECK_FALSE(weir::header(r, "RateLimit"));
}

TEST_CASE("rate_limit_fields: a name is escaped, and what no structured field can hold is replaced")
{
    http::rate_limit_fields fields;
    fields.add({.name = "a \"b\" \\ \n\xc3\xa9", .quota = 1, .window = 1s});
    CHECK(fields.limit() == "\"a \\\"b\\\" \\\\ ???\";r=0");
}

TEST_CASE("rate_limit_fields: the rate of a window that is no whole number of seconds stays what it is")
{
    http::rate_limit_fields fields;
    fields.add({.name = "a", .quota = 5, .window = 200ms});
    fields.add({.name = "b", .quota = 30, .window = 1'500ms});
    fields.add({.name = "c", .quota = 7, .window = 0s});
    fields.add({.name = "d", .quota = 1, .window = 1ns});
    CHECK(fields.policy() == "\"a\";q=25;w=1, \"b\";q=40;w=2, \"c\";q=7, \"d\";q=1000000000;w=1");
}

TEST_CASE("rate_limit_fields: whatever the state, both fields are lists of as many items, with integers in range")
{
    std::mt19937_64 random(17);
    auto const number = [&] { return random() >> random() % 64; };
    for (int round = 0; round < 2'000; ++round) {
        http::rate_limit_fields fields;
        std::size_t const count = random() % 4 + 1;
        std::vector<std::string> names;
        for (std::size_t i = 0; i < count; ++i) {
            std::string name, key;
            for (std::uint64_t n = random() % 12; n > 0; --n) name += static_cast<char>(random());
            for (std::uint64_t n = random() % 12; n > 0; --n) key += static_cast<char>(random());
            names.push_back(name);
            fields.add({.name = name,
                        .quota = number(),
                        .window = weir::duration{static_cast<std::int64_t>(number())},
                        .remaining = number(),
                        .reset = weir::duration{static_cast<std::int64_t>(number())},
                        .partition = key});
        }
        auto const policies = parse(fields.policy());
        auto const limits = parse(fields.limit());
        CAPTURE(fields.policy());
        CAPTURE(fields.limit());
        REQUIRE(policies);
        REQUIRE(limits);
        REQUIRE(policies->size() == count);
        REQUIRE(limits->size() == count);
        for (std::size_t i = 0; i < count; ++i) {
            CHECK((*policies)[i].name.size() == names[i].size());
            CHECK((*policies)[i].name == (*limits)[i].name);
            CHECK((*policies)[i].at("pk") == (*limits)[i].at("pk"));
            CHECK((*policies)[i].at("q"));
            CHECK((*policies)[i].at("w") != "0");
            CHECK((*limits)[i].at("r"));
        }
    }
}
