// SPDX-License-Identifier: BSL-1.0
#include <weir/core/without.hpp>

#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace {

std::string seen; // by whom the call passed

template<char Letter>
struct marks {
    using role = weir::gate;
    static constexpr std::string_view name = "marks";
    weir::admission<> admit(auto&) const
    {
        seen += Letter;
        return weir::admitted;
    }
};
template<class... Parts>
struct marks_of {
    using role = weir::gate;
    static constexpr std::string_view name = "marks_of";
    weir::admission<> admit(auto&) const
    {
        seen += 'f';
        return weir::admitted;
    }
};

auto baseline()
{
    return weir::stack{marks<'a'>{}, weir::named<"second">(marks<'b'>{}), marks_of<int>{}, marks<'c'>{}, marks_of<long>{}};
}
int echo(int request)
{
    return request;
}
template<class Stack>
std::string through(Stack all)
{
    weir::pipeline svc{std::move(all), echo};
    seen.clear();
    CHECK(svc(7).value() == 7);
    return seen;
}

TEST_CASE("without: what a route opts out of is not in its pipeline, the rest stays in its order")
{
    CHECK(through(baseline()) == "abfcf");
    CHECK(through(baseline() | weir::without<marks<'a'>>{}) == "bfcf");
    CHECK(through(baseline() | weir::without<marks<'b'>>{}) == "afcf");
    CHECK(through(baseline() | weir::without<marks<'c'>, marks<'a'>>{}) == "bff");
    CHECK(through(baseline() | weir::without<weir::made_from<marks_of>>{}) == "abc");
    CHECK(through(baseline() | weir::without<marks<'a'>>{} | marks<'z'>{}) == "bfcfz");
    CHECK(through(marks<'y'>{} | (baseline() | weir::without<marks<'c'>>{})) == "yabff");
    static_assert(decltype(weir::pipeline{baseline() | weir::without<marks<'a'>>{}, echo})::size == 4);
}

TEST_CASE("without: all of a stack may go")
{
    CHECK(through(weir::stack{marks<'a'>{}, marks<'b'>{}} | weir::without<marks<'a'>, marks<'b'>>{}).empty());
}

} // namespace
