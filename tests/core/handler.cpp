// SPDX-License-Identifier: BSL-1.0
#include <weir/core/handler.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>

namespace {

struct request {
    int number = 0;
};
struct user {
    std::string name;
};
struct region {
    int number = 0;
};
struct provide_user {
    using role = weir::gate;
    using provides = weir::facets<user>;
    static constexpr std::string_view name = "provide_user";
    weir::admission<> admit(auto& call)
    {
        call.set(user{"ann"});
        return weir::admitted;
    }
};

int by_request(request const& r)
{
    return r.number;
}
std::string by_view(request const&, weir::view<user> v)
{
    return v.get<user>().name;
}
/// Not Asio's: `awaitable_traits` is what the core knows of awaitables.
struct promise_of_int {
    int value = 0;
};

template<class... F>
using provided = weir::facets<F...>;

} // namespace

template<>
struct weir::awaitable_traits<promise_of_int> {
    static constexpr bool is_awaitable = true;
    using value_type = int;
};

TEST_CASE("handler: a type is an awaitable if somebody says so")
{
    CHECK(weir::awaitable<promise_of_int>);
    CHECK_FALSE(weir::awaitable<int>);
    CHECK_FALSE(weir::awaitable<weir::result<int>>);
    CHECK(std::is_same_v<weir::awaitable_traits<std::string>::value_type, std::string>);
}

TEST_CASE("handler: whether it can read its facets is known before it is called")
{
    using function = decltype(by_view);
    CHECK(weir::detail::takes_view<function, request const, provided<user>>);
    CHECK(weir::detail::takes_view<function, request const, provided<region, user>>);
    CHECK_FALSE(weir::detail::takes_view<function, request const, provided<region>>);
    CHECK_FALSE(weir::detail::takes_view<function, request const, provided<>>);
    CHECK_FALSE(weir::detail::takes_request<function, request const>);
    CHECK(weir::detail::takes_request<decltype(by_request), request const>);
    auto const deadline_only = [](request const&, weir::view<weir::deadline>) { return 1; };
    CHECK(weir::detail::takes_view<decltype(deadline_only), request const, provided<>>); // every call has one
}

TEST_CASE("handler: a function, a lambda, a member, with a view or without; out of what marks it, too")
{
    request const r{4};
    weir::pipeline plain{by_request};
    CHECK(plain(r).value() == 4);
    weir::pipeline marked{weir::idempotent{by_request}};
    CHECK(marked(r).value() == 4);
    weir::pipeline member{&request::number};
    CHECK(member(r).value() == 4);
    weir::pipeline reads{provide_user{}, by_view};
    CHECK(reads(r).value() == "ann");
    weir::pipeline generic{provide_user{}, [](request const& asked, auto const& facets) {
                               return facets.template get<user>().name + std::to_string(asked.number);
                           }};
    CHECK(generic(r).value() == "ann4");
}

TEST_CASE("handler: it is called where it lies, so that its state is its own, and its value may be one that only moves")
{
    request const r{5};
    weir::pipeline counting{[calls = 0](request const&) mutable { return ++calls; }};
    CHECK(counting(r).value() == 1);
    CHECK(counting(r).value() == 2);
    weir::pipeline moving{
        [owner = std::make_unique<int>(3)](request const& asked) { return std::make_unique<int>(*owner + asked.number); }};
    CHECK(*moving(r).value() == 8);
}

TEST_CASE("handler: the outcome of a value and of a result of it are the same")
{
    using weir::detail::outcome_of_value;
    CHECK(std::is_same_v<outcome_of_value<int>::type, weir::result<int>>);
    CHECK(std::is_same_v<outcome_of_value<weir::result<int>>::type, weir::result<int>>);
    CHECK(std::is_same_v<outcome_of_value<void>::type, weir::result<void>>);
}
