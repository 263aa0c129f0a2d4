// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/encoding.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace {

using weir::decode_fault;

// RFC 4648, section 10.
struct vector {
    std::string_view bytes, base64, base64url, hex;
};
constexpr std::array<vector, 7> vectors{{{"", "", "", ""},
                                         {"f", "Zg==", "Zg", "66"},
                                         {"fo", "Zm8=", "Zm8", "666f"},
                                         {"foo", "Zm9v", "Zm9v", "666f6f"},
                                         {"foob", "Zm9vYg==", "Zm9vYg", "666f6f62"},
                                         {"fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261"},
                                         {"foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172"}}};

std::array<std::byte, 64> room;

decode_fault hex_fault(std::string_view text)
{
    return weir::read_hex(text, room).fault;
}
decode_fault base64_fault(std::string_view text)
{
    return weir::read_base64(text, room).fault;
}
decode_fault base64url_fault(std::string_view text)
{
    return weir::read_base64url(text, room).fault;
}

TEST_CASE("encoding: the vectors of RFC 4648, both ways")
{
    for (vector const& v : vectors) {
        CHECK(weir::to_base64(v.bytes) == v.base64);
        CHECK(weir::to_base64url(v.bytes) == v.base64url);
        CHECK(weir::to_hex(v.bytes) == v.hex);
        CHECK(weir::from_base64(v.base64) == v.bytes);
        CHECK(weir::from_base64url(v.base64url) == v.bytes);
        CHECK(weir::from_hex(v.hex) == v.bytes);
    }
    CHECK(weir::from_hex("666F6f6261") == "fooba");
    CHECK(weir::to_base64("\xfb\xff\xfe") == "+//+");
    CHECK(weir::to_base64url("\xfb\xff\xfe") == "-__-");
}

TEST_CASE("encoding: hexadecimal of odd length, of foreign characters, of too much is refused")
{
    CHECK(hex_fault("f") == decode_fault::length);
    CHECK(hex_fault("0g") == decode_fault::character);
    CHECK(hex_fault("0x00") == decode_fault::character);
    CHECK(hex_fault(" 00 ") == decode_fault::character);
    CHECK(hex_fault(std::string_view("0\0", 2)) == decode_fault::character);
    CHECK(hex_fault("\xe9\xe9") == decode_fault::character);
    CHECK(hex_fault(std::string(130, '0')) == decode_fault::room);
    CHECK(hex_fault(std::string(128, '0')) == decode_fault::none);
}

TEST_CASE("encoding: base64 takes one text for the same bytes, and no other")
{
    CHECK(base64_fault("Zg") == decode_fault::length);
    CHECK(base64_fault("Zg=") == decode_fault::length);
    CHECK(base64_fault("Zg===") == decode_fault::length);
    CHECK(base64_fault("Zg==Zg==") == decode_fault::character);
    CHECK(base64_fault("Z===") == decode_fault::character);
    CHECK(base64_fault("====") == decode_fault::character);
    CHECK(base64_fault("=") == decode_fault::length);
    CHECK(base64_fault("Zh==") == decode_fault::trailing_bits);
    CHECK(base64_fault("Zm9=") == decode_fault::trailing_bits);
    CHECK(base64_fault("Zm9v\n") == decode_fault::length);
    CHECK(base64_fault("Zm\n9") == decode_fault::character);
    CHECK(base64_fault("Zm 9") == decode_fault::character);
    CHECK(base64_fault("-__-") == decode_fault::character);
    CHECK(base64_fault("Zm9\xc3") == decode_fault::character);
    CHECK(base64_fault(std::string(88, 'A')) == decode_fault::room);

    CHECK(base64url_fault("Z") == decode_fault::length);
    CHECK(base64url_fault("Zm9vZ") == decode_fault::length);
    CHECK(base64url_fault("Zg==") == decode_fault::character);
    CHECK(base64url_fault("+//+") == decode_fault::character);
    CHECK(base64url_fault("Zh") == decode_fault::trailing_bits);
    CHECK(base64url_fault("Zm9") == decode_fault::trailing_bits);
    CHECK(base64url_fault(std::string(87, 'A')) == decode_fault::room);
    CHECK(base64url_fault(std::string(86, 'A')) == decode_fault::none);
}

TEST_CASE("encoding: hexadecimal digits of any length are read as one by one, a wrong one at any place is seen")
{
    std::mt19937 random(11);
    constexpr std::string_view good = "0123456789abcdefABCDEF", near = "/:@G`g\x10\x30P\x80\xb0\xe1\x01\x7f";
    auto const value = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    unsigned differ = 0, wrong = 0;
    for (int round = 0; round < 100'000; ++round) {
        std::string text(2 * (random() % 20), '\0'), expected;
        for (char& c : text) c = random() % 64 != 0 ? good[random() % good.size()] : near[random() % near.size()];
        bool is_hex = true;
        for (std::size_t i = 0; i < text.size(); i += 2) {
            is_hex = is_hex && value(text[i]) >= 0 && value(text[i + 1]) >= 0;
            expected += static_cast<char>(value(text[i]) * 16 + value(text[i + 1]));
        }
        auto const read = weir::from_hex(text);
        wrong += !is_hex;
        differ += read.has_value() != is_hex || (is_hex && *read != expected);
    }
    CHECK(differ == 0);
    CHECK(wrong > 1'000);
}

TEST_CASE("encoding: whatever is decoded encodes to the same text, whatever is encoded decodes to the same bytes")
{
    std::mt19937 random(7);
    constexpr std::string_view some = "AZaz09+/-_= \nQg";
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        CHECK(weir::from_base64(weir::to_base64(bytes)) == bytes);
        CHECK(weir::from_base64url(weir::to_base64url(bytes)) == bytes);
        CHECK(weir::from_hex(weir::to_hex(bytes)) == bytes);

        std::string text(random() % 10, '\0');
        for (char& c : text) c = some[random() % some.size()];
        if (auto const plain = weir::from_base64(text)) CHECK(weir::to_base64(*plain) == text);
        if (auto const url = weir::from_base64url(text)) CHECK(weir::to_base64url(*url) == text);
    }
}

} // namespace

TEST_CASE("encoding: what is base64 is told as it is read")
{
    constexpr std::string_view characters = "AQgw/+=z-_ \n";
    std::mt19937 random(3);
    unsigned good = 0;
    for (int i = 0; i < 300'000; ++i) {
        std::string text;
        for (std::size_t size = 4 * (random() % 4) + (random() % 8 == 0 ? random() % 4 : 0); size != 0; --size)
            text += characters[random() % (random() % 4 == 0 ? 12 : 7)];
        bool const is = weir::detail::is_base64(text);
        if (is != weir::from_base64(text).has_value()) FAIL(text);
        good += is;
    }
    CHECK(good > 10'000);
}
