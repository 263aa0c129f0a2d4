// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/key_ring.hpp>

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weir::key_ring;
using weir::key_verdict;
using weir::secret;
using weir::signing_key;
using weir::wall_time;

constexpr wall_time at(std::chrono::milliseconds since_epoch)
{
    return wall_time(since_epoch);
}
weir::sha256_digest code_by(std::string_view key, std::string_view message)
{
    return weir::hmac_sha256(key)(message);
}

TEST_CASE("key_ring: an app's key signs and verifies, another's does not")
{
    key_ring const ring{{{.app = "shop", .key = secret{"0123456789abcdef"}}, {.app = "bank", .key = secret{"fedcba9876543210"}}}};
    auto const code = ring.sign("shop", at(0ms), "message");
    REQUIRE(code.has_value());
    CHECK(*code == code_by("0123456789abcdef", "message"));
    CHECK(ring.verify("shop", at(0ms), "message", *code) == key_verdict::right);
    CHECK(ring.verify("shop", at(0ms), "massage", *code) == key_verdict::wrong);
    CHECK(ring.verify("bank", at(0ms), "message", *code) == key_verdict::wrong);
    CHECK(ring.verify("sho", at(0ms), "message", *code) == key_verdict::unknown);
    CHECK(ring.verify("shop2", at(0ms), "message", *code) == key_verdict::unknown);
    CHECK(ring.verify("", at(0ms), "message", *code) == key_verdict::unknown);
    CHECK_FALSE(ring.sign("nobody", at(0ms), "message").has_value());
}

TEST_CASE("key_ring: while keys rotate the newest signs and all valid ones verify")
{
    key_ring const ring{{{.app = "shop", .key = secret{"key one key one "}, .not_after = at(200ms)},
                         {.app = "shop", .key = secret{"key two key two "}, .not_before = at(100ms)},
                         {.app = "shop", .key = secret{"key three key th"}, .not_before = at(100ms), .not_after = at(300ms)}}};
    auto const one = code_by("key one key one ", "m"), two = code_by("key two key two ", "m"), three = code_by("key three key th", "m");

    CHECK(ring.sign("shop", at(99ms), "m") == one);
    CHECK(ring.verify("shop", at(99ms), "m", two) == key_verdict::wrong);
    CHECK(ring.sign("shop", at(100ms), "m") == three); // listed last of those from the same time
    for (auto const& code : {one, two, three}) CHECK(ring.verify("shop", at(199ms), "m", code) == key_verdict::right);
    CHECK(ring.verify("shop", at(200ms), "m", one) == key_verdict::wrong);
    CHECK(ring.sign("shop", at(300ms), "m") == two);
    CHECK(ring.verify("shop", at(300ms), "m", three) == key_verdict::wrong);
}

TEST_CASE("key_ring: an app without a valid key is unknown")
{
    key_ring const ring{{{.app = "shop", .key = secret{"0123456789abcdef"}, .not_before = at(10ms), .not_after = at(20ms)}}};
    CHECK(ring.verify("shop", at(9ms), "m", code_by("0123456789abcdef", "m")) == key_verdict::unknown);
    CHECK(ring.verify("shop", at(10ms), "m", code_by("0123456789abcdef", "m")) == key_verdict::right);
    CHECK(ring.verify("shop", at(20ms), "m", code_by("0123456789abcdef", "m")) == key_verdict::unknown);
    CHECK_FALSE(ring.sign("shop", at(20ms), "m").has_value());
}

TEST_CASE("key_ring: bad keys are refused by name, and the present ones stay")
{
    key_ring ring{{{.app = "shop", .key = secret{"0123456789abcdef"}}}};
    auto const refused = [&](signing_key bad, char const* why) {
        std::array keys{std::move(bad)};
        CHECK_THROWS_WITH_AS(ring.replace(keys), why, std::invalid_argument);
        CHECK(ring.size() == 1);
        CHECK(ring.sign("shop", at(0ms), "m").has_value());
    };
    refused({.app = "", .key = secret{"0123456789abcdef"}}, "signing_key::app: expected a name");
    refused({.app = "a", .key = secret{"0123456789abcde"}}, "signing_key::key: expected at least 16 bytes");
    refused({.app = "a", .key = secret{"0123456789abcdef"}, .not_before = at(1ms), .not_after = at(1ms)},
            "signing_key::not_after: expected a time after not_before");

    std::vector<signing_key> many;
    for (int i = 0; i < 9; ++i) many.push_back({.app = "b", .key = secret{"0123456789abcdef"}});
    CHECK_THROWS_WITH_AS(ring.replace(many), "signing_key::app: expected at most 8 keys of one app", std::invalid_argument);
    many.back().app = "c";
    ring.replace(many);
    CHECK(ring.size() == 9);
}

TEST_CASE("key_ring: random rings answer as a plain list does")
{
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
        struct plain {
            std::string app, key;
            wall_time from, to;
        };
        std::vector<plain> list;
        std::vector<signing_key> keys;
        for (std::size_t i = 0; i < 6; ++i) {
            plain k{std::string(1, static_cast<char>('a' + random() % 3)),
                    "0123456789abcde" + std::to_string(i),
                    at(std::chrono::milliseconds(random() % 10)),
                    {}};
            k.to = k.from + std::chrono::milliseconds(1 + random() % 10);
            keys.push_back({.app = k.app, .key = secret{std::string_view(k.key)}, .not_before = k.from, .not_after = k.to});
            list.push_back(k);
        }
        weir::key_ring<weir::confined> const ring{keys};
        for (int t = 0; t < 20; ++t) {
            wall_time const now = at(std::chrono::milliseconds(t));
            for (std::string_view app : {"a", "b", "c"}) {
                plain const* signer = nullptr;
                for (plain const& k : list) {
                    if (k.app == app && k.from <= now && now < k.to && (signer == nullptr || k.from >= signer->from)) signer = &k;
                }
                auto const code = ring.sign(app, now, "m");
                REQUIRE(code.has_value() == (signer != nullptr));
                if (signer != nullptr) CHECK(*code == code_by(signer->key, "m"));
                for (plain const& k : list) {
                    bool const valid = k.app == app && k.from <= now && now < k.to;
                    CHECK((ring.verify(app, now, "m", code_by(k.key, "m")) == key_verdict::right) == valid);
                }
            }
        }
    }
}

TEST_CASE("key_ring: keys are replaced while others verify")
{
    key_ring ring{{{.app = "shop", .key = secret{"0123456789abcdef"}}}};
    auto const code = code_by("0123456789abcdef", "m");
    std::atomic<bool> done{false};
    std::array<bool, 2> good{};
    std::vector<std::thread> readers;
    for (bool& g : good) {
        readers.emplace_back([&] {
            bool right = true;
            do {
                right = right && ring.verify("shop", at(0ms), "m", code) == key_verdict::right;
            } while (!done);
            g = right;
        });
    }
    for (int i = 0; i < 200; ++i) {
        std::vector<signing_key> keys;
        for (int k = 0; k <= i % 4; ++k) keys.push_back({.app = "shop", .key = secret{"other key " + std::to_string(100'000 + k)}});
        keys.push_back({.app = "shop", .key = secret{"0123456789abcdef"}});
        ring.replace(keys);
    }
    done = true;
    for (auto& t : readers) t.join();
    CHECK(good == std::array{true, true});
}

} // namespace
