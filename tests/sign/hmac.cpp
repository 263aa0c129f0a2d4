// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/encoding.hpp>
#include <weir/sign/hmac.hpp>

#include <doctest/doctest.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using weir::hmac_sha256;
using weir::to_hex;

std::string repeat(std::size_t count, int byte)
{
    return std::string(count, static_cast<char>(byte));
}

TEST_CASE("hmac: the vectors of RFC 4231")
{
    CHECK(to_hex(hmac_sha256(repeat(20, 0x0b))("Hi There")) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(to_hex(hmac_sha256("Jefe")("what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(to_hex(hmac_sha256(repeat(20, 0xaa))(repeat(50, 0xdd))) == "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    std::string counted;
    for (int i = 1; i <= 25; ++i) counted.push_back(static_cast<char>(i));
    CHECK(to_hex(hmac_sha256(counted)(repeat(50, 0xcd))) == "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    CHECK(to_hex(hmac_sha256(repeat(20, 0x0c))("Test With Truncation")).substr(0, 32) == "a3b6167473100ee06e0c796c2955552b");
    CHECK(to_hex(hmac_sha256(repeat(131, 0xaa))("Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(to_hex(
              hmac_sha256(repeat(131, 0xaa))("This is a test using a larger than block-size key and a larger than block-size data. The key "
                                             "needs to be hashed before being used by the HMAC algorithm.")) ==
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST_CASE("hmac: any key and message, whole or in pieces, as OpenSSL computes it")
{
    std::mt19937 random(11);
    for (int round = 0; round < 2'000; ++round) {
        std::string key(random() % 140, '\0'), message(random() % 300, '\0');
        for (char& c : key) c = static_cast<char>(random());
        for (char& c : message) c = static_cast<char>(random());
        std::string expected(32, '\0');
        unsigned size = 0;
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<unsigned char const*>(message.data()), message.size(),
             reinterpret_cast<unsigned char*>(expected.data()), &size);

        hmac_sha256 const prepared{weir::secret{std::string_view(key)}};
        std::size_t const cut = message.empty() ? 0 : random() % message.size();
        std::array<weir::byte_view, 2> const pieces{std::string_view(message).substr(0, cut), std::string_view(message).substr(cut)};
        CHECK(to_hex(prepared(message)) == to_hex(expected));
        CHECK(to_hex(prepared(pieces)) == to_hex(expected));
        CHECK(prepared.verify(message, expected));
        expected[random() % 32] ^= static_cast<char>(1 << random() % 8);
        CHECK_FALSE(prepared.verify(message, expected));
    }
}

TEST_CASE("hmac: a part of a code, nothing, or more than a code is no code")
{
    hmac_sha256 const key{"0123456789abcdef"};
    std::string code(weir::byte_view(key("message")).text());
    CHECK(key.verify("message", code));
    CHECK_FALSE(key.verify("message", ""));
    CHECK_FALSE(key.verify("message", code.substr(0, 31)));
    CHECK_FALSE(key.verify("message", code + '\0'));
}

TEST_CASE("hmac: a key can be moved, and many threads use one at once")
{
    hmac_sha256 made{"0123456789abcdef"};
    hmac_sha256 const key = std::move(made);
    auto const expected = key("message");
    std::vector<std::thread> threads;
    std::array<bool, 4> good{};
    for (bool& g : good) {
        threads.emplace_back([&] {
            bool same = true;
            for (int i = 0; i < 2'000; ++i) same = same && key("message") == expected;
            g = same;
        });
    }
    for (auto& t : threads) t.join();
    CHECK(good == std::array{true, true, true, true});
}

} // namespace
