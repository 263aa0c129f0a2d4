// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace {

using weir::sha256;
using weir::to_hex;

TEST_CASE("sha256: the vectors of FIPS 180-4")
{
    CHECK(to_hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(to_hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(to_hex(
              sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu")) ==
          "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    CHECK(to_hex(sha256(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: pieces hash like the whole, wherever it is cut")
{
    std::string whole;
    for (int i = 0; i < 200; ++i) whole.push_back(static_cast<char>(i));
    for (std::size_t cut = 0; cut <= whole.size(); cut += 13) {
        std::array<weir::byte_view, 2> const pieces{std::string_view(whole).substr(0, cut), std::string_view(whole).substr(cut)};
        CHECK(sha256(pieces) == sha256(whole));
    }
    CHECK(sha256(std::span<weir::byte_view const>()) == sha256(""));
}

TEST_CASE("sha256: threads do not disturb each other")
{
    std::vector<std::thread> threads;
    std::array<bool, 4> good{};
    for (std::size_t t = 0; t < good.size(); ++t) {
        threads.emplace_back([&good, t] {
            std::string const text(t * 100, 'x');
            auto const first = sha256(text);
            bool same = true;
            for (int i = 0; i < 2'000; ++i) same = same && sha256(text) == first;
            good[t] = same;
        });
    }
    for (auto& t : threads) t.join();
    CHECK(good == std::array{true, true, true, true});
}

} // namespace
