// SPDX-License-Identifier: BSL-1.0
#include <weir/core/key.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace {

struct quote_request {
    std::string symbol;
    int depth = 0;

    friend std::optional<std::string_view> weir_header(quote_request const& r, std::string_view name)
    {
        if (name != "x-app-id" || r.symbol.empty()) return std::nullopt;
        return r.symbol;
    }
    friend std::string_view weir_peer(quote_request const&) { return "192.0.2.7"; }
};

struct tenant { // a facet with a key
    std::string name;
    std::string_view key() const noexcept { return name; }
};
struct shard { // a facet whose key is a number
    int number = 0;
    int key() const noexcept { return number; }
};
using account = long; // a facet that is the key itself

struct fake_call {
    quote_request asked{};
    tenant who{};
    shard where{};
    account paid_by = 0;

    quote_request const& request() const noexcept { return asked; }
    template<class F>
    F const& get() const noexcept
    {
        if constexpr (std::is_same_v<F, tenant>)
            return who;
        else if constexpr (std::is_same_v<F, shard>)
            return where;
        else
            return paid_by;
    }
};

template<class Key, class Expected>
constexpr bool keeps = std::is_same_v<typename std::remove_cvref_t<Key>::key_type, Expected>;

TEST_CASE("by: the key of a facet is its key(), or the facet itself")
{
    fake_call const call{.who = {"acme"}, .where = {4}, .paid_by = 99};
    CHECK(weir::by<tenant>(call) == "acme");
    CHECK(weir::by<shard>(call) == 4);
    CHECK(weir::by<account>(call) == 99);
    static_assert(keeps<decltype(weir::by<tenant>), std::string>, "a view is kept as a string");
    static_assert(keeps<decltype(weir::by<shard>), int>);
    static_assert(keeps<decltype(weir::by<account>), long>);
}

TEST_CASE("by: states the facet that it reads")
{
    CHECK(std::is_same_v<weir::by_facet<tenant>::needs, weir::facets<tenant>>);
}

TEST_CASE("by: nothing is copied")
{
    fake_call const call{.who = {"a name that is too long to be kept in the string"}};
    CHECK(weir::by<tenant>(call).data() == call.who.name.data());
    CHECK(&weir::by<account>(call) == &call.paid_by);
}

TEST_CASE("by_header: the field's value, empty where it is missing")
{
    CHECK(weir::by_header<"x-app-id">(fake_call{.asked = {"ACME"}}) == "ACME");
    CHECK(weir::by_header<"x-app-id">(fake_call{}).empty());
    CHECK(weir::by_header<"x-other">(fake_call{.asked = {"ACME"}}).empty());
}

TEST_CASE("by_peer: the address of whoever sent the request")
{
    CHECK(weir::by_peer(fake_call{}) == "192.0.2.7");
}

TEST_CASE("keyed_by: a member of the request, not copied")
{
    constexpr auto symbol = weir::keyed_by(&quote_request::symbol);
    constexpr auto depth = weir::keyed_by(&quote_request::depth);
    fake_call const call{.asked = {"ACME", 5}};
    CHECK(symbol(call) == "ACME");
    CHECK(&symbol(call) == &call.asked.symbol);
    CHECK(depth(call) == 5);
    static_assert(keeps<decltype(symbol), std::string> && keeps<decltype(depth), int>);
}

TEST_CASE("keyed_by: a function of the request that returns a view of the key")
{
    auto const first = weir::keyed_by<std::string>([](quote_request const& r) { return std::string_view(r.symbol).substr(0, 1); });
    CHECK(first(fake_call{.asked = {"ACME"}}) == "A");
    static_assert(keeps<decltype(first), std::string>);
    static_assert(sizeof(first) == 1, "a function without a state takes no room");
}

template<class Key>
constexpr bool is_key = weir::key_of_call<std::remove_cvref_t<Key>, fake_call const>;

TEST_CASE("key_of_call: wants a key_type and a call that it can read")
{
    auto const bare = [](fake_call const&) { return 1; };
    CHECK(bare(fake_call{}) == 1);
    CHECK(is_key<decltype(weir::by<tenant>)>);
    CHECK(is_key<decltype(weir::by_header<"x-app-id">)>);
    CHECK(is_key<decltype(weir::by_peer)>);
    CHECK(is_key<decltype(weir::keyed_by(&quote_request::symbol))>);
    CHECK_FALSE(is_key<decltype(bare)>);
    CHECK_FALSE(is_key<int>);
}

} // namespace
