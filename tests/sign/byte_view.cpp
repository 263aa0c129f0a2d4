// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/byte_view.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

std::size_t size_of(weir::byte_view bytes)
{
    return bytes.size();
}

TEST_CASE("byte_view: text and bytes of every kind are read alike")
{
    CHECK(size_of("abc") == 3);
    CHECK(size_of("") == 0);
    CHECK(size_of(std::string("a\0b", 3)) == 3);
    CHECK(size_of(std::string_view("abcd")) == 4);
    CHECK(size_of(std::vector<std::byte>(5)) == 5);
    CHECK(size_of(std::array<unsigned char, 6>{}) == 6);
    CHECK(size_of(std::span<std::byte const>()) == 0);
    CHECK(weir::byte_view("\xff")[0] == 255);
    CHECK(weir::byte_view("abc").text() == "abc");
}

static_assert(!std::is_convertible_v<std::vector<int>, weir::byte_view>);
static_assert(!std::is_convertible_v<int, weir::byte_view>);

} // namespace
