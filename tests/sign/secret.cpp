// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/secret.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <new>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace {

template<class T>
concept printable = requires(std::ostream& out, T const& value)
{
    out << value;
};
static_assert(!printable<weir::secret<>>);
static_assert(!printable<weir::secret<std::vector<std::byte>>>);
static_assert(!std::is_copy_constructible_v<weir::secret<>> && !std::is_copy_assignable_v<weir::secret<>>);
static_assert(!std::is_convertible_v<weir::secret<>, std::string> && !std::is_convertible_v<std::string, weir::secret<>>);

TEST_CASE("secret: reveals what it was given and compares by value")
{
    weir::secret const a{"open sesame"};
    weir::secret const b{std::string("open sesame")};
    CHECK(a.reveal() == "open sesame");
    CHECK(a == b);
    CHECK(a == "open sesame");
    CHECK_FALSE(a == "open sesamf");
    CHECK_FALSE(a == "open sesam");
    CHECK(weir::secret<>{} == "");
    CHECK(weir::secret<>{}.empty());
    CHECK(a.size() == 11);
}

TEST_CASE("secret: bytes stand for themselves in every container")
{
    weir::secret<std::vector<std::byte>> const a{std::vector{std::byte{1}, std::byte{0}, std::byte{2}}};
    weir::secret<std::array<unsigned char, 3>> const b{std::array<unsigned char, 3>{1, 0, 2}};
    CHECK(a == b.reveal());
    CHECK_FALSE(a == "abc");
}

TEST_CASE("secret: a source is overwritten when its bytes are taken over, short or long")
{
    for (std::size_t length : {3u, 15u, 16u, 100u}) {
        std::string source(length, 'k');
        char const* const where = source.data();
        weir::secret taken{std::move(source)};
        CHECK(source.empty()); // NOLINT: that is what is promised
        CHECK(std::string(where, length).find('k') == std::string::npos);
        CHECK(taken == std::string(length, 'k'));

        char const* const inside = taken.reveal().data();
        weir::secret const moved{std::move(taken)};
        CHECK(taken.empty()); // NOLINT: as above
        CHECK(std::string(inside, length).find('k') == std::string::npos);
        CHECK(moved.size() == length);
    }
}

TEST_CASE("secret: its bytes are zero after its end")
{
    alignas(weir::secret<std::array<char, 8>>) std::array<unsigned char, sizeof(weir::secret<std::array<char, 8>>)> place;
    place.fill(0xff);
    auto* const made = new (place.data()) weir::secret<std::array<char, 8>>(std::array{'p', 'a', 's', 's', 'w', 'o', 'r', 'd'});
    CHECK(std::memcmp(place.data(), "password", 8) == 0);
    made->~secret();
    CHECK(place == std::array<unsigned char, sizeof place>{});
}

TEST_CASE("secret: assignment takes over, a copy is asked for")
{
    weir::secret a{"first"};
    weir::secret b{"second"};
    weir::secret const c = b.copy();
    a = std::move(b);
    CHECK(a == "second");
    CHECK(c == "second");
    auto& same = a;
    a = std::move(same);
    CHECK(a == "second");
}

} // namespace
