// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/secret.hpp>

#include <doctest/doctest.h>

#if __has_include(<fmt/format.h>)
#include <fmt/format.h>
#endif

#include <array>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>
#include <ostream>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#if __has_include(<format>)
#include <format>
#endif
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

// Nothing that writes values finds a way in: no text, no number, no range, no hook of a formatter, no hash.
static_assert(!std::is_convertible_v<weir::secret<>, std::string_view> && !std::is_convertible_v<weir::secret<>, char const*>);
static_assert(!std::is_convertible_v<weir::secret<>, bool> && !std::is_convertible_v<weir::secret<>, weir::byte_view>);
static_assert(!std::ranges::range<weir::secret<>> && !std::ranges::range<weir::secret<std::vector<std::byte>>>);
template<class T>
concept formatted_as = requires(T const& value)
{
    format_as(value);
};
template<class T>
concept streams_as_text = requires(T const& value)
{
    to_string(value);
};
template<class T>
concept hashed = requires(T const& value)
{
    std::hash<T>{}(value);
};
static_assert(!formatted_as<weir::secret<>> && !streams_as_text<weir::secret<>> && !hashed<weir::secret<>>);
#if __has_include(<fmt/format.h>)
static_assert(!fmt::is_formattable<weir::secret<>>::value && !fmt::is_formattable<weir::secret<std::vector<std::byte>>>::value);
#endif
#if defined(__cpp_lib_format)
static_assert(!std::is_default_constructible_v<std::formatter<weir::secret<>>>);
#endif

TEST_CASE("secret: texts are equal if no byte differs, wherever it stands")
{
    for (std::size_t size = 0; size < 70; ++size) {
        std::string const a(size, 'x');
        std::string b = a;
        CHECK(weir::equal_in_constant_time(a, b));
        for (std::size_t i = 0; i < size; ++i) {
            b[i] = static_cast<char>('x' ^ (1 << i % 8));
            CHECK_FALSE(weir::equal_in_constant_time(a, b));
            b[i] = 'x';
        }
        CHECK_FALSE(weir::equal_in_constant_time(a, a + "x"));
    }
}

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
