// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/snapshot_codec.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace {

struct point {
    int x;
    int y;
    friend bool operator==(point const&, point const&) = default;
};

template<class T>
std::string encoded(T const& value)
{
    std::string bytes = "before";
    weir::snapshot_codec<T>::encode(value, bytes);
    return bytes.substr(6);
}
template<class T>
std::optional<T> decoded(std::string_view bytes)
{
    return weir::snapshot_codec<T>::decode(bytes);
}

} // namespace

TEST_CASE("snapshot_codec: plain bits, strings and shared pointers come back as they were")
{
    CHECK(decoded<point>(encoded(point{3, -4})) == point{3, -4});
    CHECK(decoded<std::uint64_t>(encoded(std::uint64_t{7})) == 7);
    std::string const text("a\0b", 3);
    CHECK(decoded<std::string>(encoded(text)) == text);
    auto const shared = std::make_shared<std::string const>("abc");
    CHECK(**decoded<std::shared_ptr<std::string const>>(encoded(shared)) == "abc");
    auto const none = decoded<std::shared_ptr<point>>(encoded(std::shared_ptr<point>()));
    REQUIRE(none.has_value());
    CHECK(*none == nullptr);
}

TEST_CASE("snapshot_codec: bytes of another size are refused")
{
    CHECK_FALSE(decoded<point>("short").has_value());
    CHECK_FALSE(decoded<std::shared_ptr<point>>("").has_value());
    CHECK_FALSE(decoded<std::shared_ptr<point>>("\1short").has_value());
}

TEST_CASE("snapshot_codec: kinds are told apart by their versions")
{
    CHECK(weir::snapshot_codec<int>::version != weir::snapshot_codec<long long>::version);
    CHECK(weir::snapshot_codec<int>::version != weir::snapshot_codec<std::shared_ptr<int>>::version);
    CHECK(weir::snapshot_codec<std::string>::version != weir::snapshot_codec<int>::version);
}
