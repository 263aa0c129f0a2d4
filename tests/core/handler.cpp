// SPDX-License-Identifier: BSL-1.0
#include <weir/core/handler.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace {

struct tenant {
    int number = 0;
};
struct region {};
struct who {
    using role = weir::gate;
    using provides = weir::facets<tenant>;
    static constexpr std::string_view name = "who";
    weir::admission<> admit(auto& call) const
    {
        call.set(tenant{7});
        return weir::admitted;
    }
};

[[maybe_unused]] int plain(int const& x)
{
    return x;
}
int by_value(int x, weir::view<tenant> v) noexcept
{
    return x + v.get<tenant>().number;
}
struct object {
    int base = 100;
    int operator()(int x, weir::view<tenant, weir::deadline> const& v) { return base + x + v.get<tenant>().number; }
};

template<class H>
using read = typename weir::detail::facets_read<H>::type;
static_assert(std::is_same_v<read<decltype(&plain)>, weir::facets<>> && std::is_same_v<read<int>, weir::facets<>>);
static_assert(std::is_same_v<read<decltype(&by_value)>, weir::facets<tenant>> &&
              std::is_same_v<read<decltype(by_value)>, weir::facets<tenant>>);
static_assert(std::is_same_v<read<object>, weir::facets<tenant, weir::deadline>>);
[[maybe_unused]] auto const captures = [n = 1](int x, weir::view<region, tenant>) mutable noexcept { return n += x; };
static_assert(std::is_same_v<read<std::remove_const_t<decltype(captures)>>, weir::facets<region, tenant>>);
auto const generic = [](int x, auto const& v) { return x + v.template get<tenant>().number; };
static_assert(std::is_same_v<read<decltype(generic)>, weir::facets<>>); // not to be known from outside
[[maybe_unused]] auto const two_numbers = [](int x, int) { return x; };
static_assert(std::is_same_v<read<decltype(two_numbers)>, weir::facets<>>);

} // namespace

TEST_CASE("handler: a function, an object and a lambda read the facets that they name")
{
    weir::pipeline function{who{}, by_value};
    CHECK(function(1).value() == 8);
    weir::pipeline object_called{who{}, object{}};
    CHECK(object_called(1).value() == 108);
    weir::pipeline lambda{who{}, generic};
    CHECK(lambda(2).value() == 9);
}
