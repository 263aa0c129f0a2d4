// SPDX-License-Identifier: BSL-1.0
#include <weir/core/facets.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <type_traits>

namespace {

struct user {
    std::string name = "nobody";
};
struct region {
    int number = 0;
};
struct trace {
    int id = 0;
};

template<class... Lists>
using united = typename weir::detail::facet_union<Lists...>::type;
template<class... F>
using list = weir::facets<F...>;

struct fake_call {
    weir::detail::facet_frame<list<user, region>> frame{};
    template<class F>
    F const& get() const noexcept
    {
        return frame.template at<F>();
    }
};

TEST_CASE("facets: a list knows what it contains")
{
    CHECK(list<user, region>::size == 2);
    CHECK(list<user, region>::contains<user>);
    CHECK_FALSE(list<user, region>::contains<trace>);
    CHECK(list<>::size == 0);
    CHECK_FALSE(list<>::contains<user>);
}

TEST_CASE("facets: a union has each once, in the order of their first mention")
{
    CHECK(std::is_same_v<united<>, list<>>);
    CHECK(std::is_same_v<united<list<>, list<>>, list<>>);
    CHECK(std::is_same_v<united<list<user>, list<user>>, list<user>>);
    CHECK(std::is_same_v<united<list<region>, list<user, region>, list<>, list<trace, user>>, list<region, user, trace>>);
}

TEST_CASE("facets: a frame holds each facet by its type, default-constructed")
{
    weir::detail::facet_frame<list<user, region>> frame;
    CHECK(frame.at<user>().name == "nobody");
    frame.at<region>().number = 4;
    CHECK(frame.at<region>().number == 4);
    CHECK(frame.at<user>().name == "nobody");
    static_assert(std::is_empty_v<weir::detail::facet_frame<list<>>>, "no facet, no room");
}

TEST_CASE("facets: reported facts may be missing")
{
    weir::detail::facet_frame<weir::detail::reported<list<region>>::type> frame;
    CHECK_FALSE(frame.at<std::optional<region>>().has_value());
}

int region_of(weir::view<region> v) // as a function in another file would take it
{
    return v.get<region>().number;
}

TEST_CASE("view: reads facets of a call without a copy")
{
    fake_call call;
    weir::view<region, user> const v(call);
    CHECK(&v.get<user>() == &call.frame.at<user>());
    call.frame.at<region>().number = 9;
    CHECK(v.get<region>().number == 9);
    CHECK(region_of(weir::view<region>(call)) == 9);
    static_assert(sizeof(v) == 2 * sizeof(void*));
}

} // namespace
