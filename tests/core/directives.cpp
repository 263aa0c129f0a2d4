// SPDX-License-Identifier: BSL-1.0
#include <weir/core/directives.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <type_traits>

namespace {

using namespace std::chrono_literals;

struct hand_set {
    weir::time_point at{};
    weir::time_point now() const noexcept { return at; }
};
struct answer {
    int code = 200;
};

using outcome = weir::result<answer>;

TEST_CASE("timed_by: the clock is the one that was referred to")
{
    hand_set mine;
    weir::timed_by directive{std::ref(mine)};
    static_assert(std::is_same_v<decltype(directive)::clock_type, hand_set>);
    mine.at += 3s;
    CHECK(&directive.clock() == &mine);
    CHECK(directive.clock().now() == weir::time_point{} + 3s);
}

TEST_CASE("timed_by: it keeps a clock that it is given, or shares one")
{
    weir::timed_by kept{hand_set{weir::time_point{} + 1s}};
    CHECK(kept.clock().now() == weir::time_point{} + 1s);

    auto const many = std::make_shared<hand_set>();
    weir::timed_by shares{many};
    CHECK(&shares.clock() == many.get());
}

TEST_CASE("classify: values are judged by the predicate, errors by is_fault")
{
    weir::classify const judge{[](answer const& a) { return a.code >= 500; }};
    CHECK_FALSE(judge(outcome(answer{200})));
    CHECK_FALSE(judge(outcome(answer{499})));
    CHECK(judge(outcome(answer{500})));
    CHECK(judge(outcome(weir::errc::unavailable)));
    CHECK_FALSE(judge(outcome(weir::errc::not_found)));
    static_assert(sizeof(judge) == 1, "a predicate without a state takes no room");
}

TEST_CASE("directives: they are policies that take part in no call")
{
    using timing = weir::timed_by<hand_set>;
    using judging = weir::classify<bool (*)(answer const&)>;
    CHECK(weir::policy<timing>);
    CHECK(weir::policy<judging>);
    CHECK(std::is_same_v<timing::role, weir::directive>);
    CHECK(std::is_same_v<judging::role, weir::directive>);
}

} // namespace
