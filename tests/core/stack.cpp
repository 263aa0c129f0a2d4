// SPDX-License-Identifier: BSL-1.0
#include <weir/core/stack.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace {

using weir::operator|; // the policies here are all of the user's own

template<int Number>
struct step {
    using role = weir::gate;
    static constexpr std::string_view name = "step";
    int value = Number;
};
struct heavy { // can only be moved
    using role = weir::gate;
    static constexpr std::string_view name = "heavy";
    std::unique_ptr<int> value;
};

template<class T, class... Elements>
constexpr bool is_stack_of = std::is_same_v<std::remove_cvref_t<T>, weir::stack<Elements...>>;

TEST_CASE("stack: keeps its elements in order, outermost first")
{
    weir::stack baseline{step<1>{10}, step<2>{20}};
    static_assert(is_stack_of<decltype(baseline), step<1>, step<2>>);
    static_assert(decltype(baseline)::size == 2);
    CHECK(std::move(baseline).at<0>().value == 10);
    CHECK(std::move(baseline).at<1>().value == 20);
}

TEST_CASE("stack: a | b is the same")
{
    auto two = step<1>{} | step<2>{};
    static_assert(is_stack_of<decltype(two), step<1>, step<2>>);
    CHECK(std::move(two).at<1>().value == 2);
}

TEST_CASE("stack: it is flat, however it was put together")
{
    auto left = (step<1>{} | step<2>{}) | (step<3>{} | step<4>{});
    auto right = step<1>{} | (step<2>{} | (step<3>{} | step<4>{}));
    auto nested = weir::stack{weir::stack{step<1>{}, step<2>{}}, step<3>{}} | step<4>{};
    static_assert(is_stack_of<decltype(left), step<1>, step<2>, step<3>, step<4>>);
    static_assert(std::is_same_v<decltype(left), decltype(right)> && std::is_same_v<decltype(left), decltype(nested)>);
    CHECK(std::move(nested).at<0>().value == 1);
    CHECK(std::move(nested).at<1>().value == 2);
    CHECK(std::move(nested).at<2>().value == 3);
    CHECK(std::move(nested).at<3>().value == 4);
}

TEST_CASE("stack: moves what can only be moved")
{
    auto const made = [](int value) { return heavy{std::make_unique<int>(value)}; };
    auto three = made(1) | (made(2) | made(3));
    CHECK(*std::move(three).at<0>().value == 1);
    CHECK(*std::move(three).at<1>().value == 2);
    CHECK(*std::move(three).at<2>().value == 3);
}

TEST_CASE("stack: copies what has a name, and refers where it is asked to")
{
    step<1> mine;
    auto copied = mine | step<2>{};
    auto referred = std::ref(mine) | step<2>{};
    static_assert(is_stack_of<decltype(referred), std::reference_wrapper<step<1>>, step<2>>);
    mine.value = 7;
    CHECK(std::move(copied).at<0>().value == 1);
    CHECK(std::move(referred).at<0>().get().value == 7);
}

TEST_CASE("stack: names and shared policies are elements like others")
{
    auto both = weir::named<"outer">(step<1>{}) | std::make_shared<step<2>>();
    static_assert(is_stack_of<decltype(both), weir::named_element<"outer", step<1>>, std::shared_ptr<step<2>>>);
    CHECK(std::move(both).at<1>()->value == 2);
}

template<class A, class B>
constexpr bool joins = requires(A a, B b)
{
    std::move(a) | std::move(b);
};

TEST_CASE("stack: what is no policy is not taken")
{
    CHECK(joins<step<1>, step<2>>);
    CHECK_FALSE(joins<step<1>, std::string_view>);
    CHECK_FALSE(joins<std::string_view, step<1>>);
}

} // namespace
