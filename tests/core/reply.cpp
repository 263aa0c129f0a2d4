// SPDX-License-Identifier: BSL-1.0
#include <weir/core/reply.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace {

struct remaining {
    int calls = 0;
};
struct source_of_answer {
    int place = 0;
};

using reports = weir::facets<remaining, source_of_answer>;
using facts = weir::detail::facet_frame<weir::detail::reported<reports>::type>;
using reply = weir::reply<int, reports>;

static_assert(reply::may_report<remaining> && reply::may_report<source_of_answer> && !reply::may_report<int>);

TEST_CASE("reply: the handler's value came through, and nobody had anything to report")
{
    reply const r(42, facts{}, weir::error::no_policy, nullptr);
    CHECK(r.has_value());
    CHECK(r.result().value() == 42);
    CHECK(r.answered_by() == weir::error::no_policy);
    CHECK_FALSE(r.reported<remaining>().has_value());
    CHECK_FALSE(r.reported<source_of_answer>().has_value());
    CHECK(r.thrown() == nullptr);
}

TEST_CASE("reply: a refusal with the fact that its policy reported")
{
    facts told;
    told.at<std::optional<remaining>>() = remaining{3};
    reply const r(weir::error(weir::errc::rate_limited).by(1), told, 1, nullptr);
    CHECK_FALSE(r.has_value());
    CHECK(r.result().error().kind() == weir::errc::rate_limited);
    CHECK(r.result().error().policy() == 1);
    CHECK(r.answered_by() == 1);
    REQUIRE(r.reported<remaining>().has_value());
    CHECK(r.reported<remaining>()->calls == 3);
    CHECK_FALSE(r.reported<source_of_answer>().has_value());
}

TEST_CASE("reply: what the handler threw is kept")
{
    reply const r(weir::errc::handler_threw, facts{}, weir::error::no_policy, std::make_exception_ptr(std::runtime_error("oh")));
    REQUIRE(r.thrown() != nullptr);
    CHECK_THROWS_WITH_AS(std::rethrow_exception(r.thrown()), "oh", std::runtime_error);
}

TEST_CASE("reply: a value that can only be moved is moved out")
{
    weir::reply<std::unique_ptr<int>, weir::facets<>> r(std::make_unique<int>(5), {}, weir::error::no_policy, nullptr);
    *r.result().value() = 6;
    std::unique_ptr<int> const mine = std::move(r).result().value();
    CHECK(*mine == 6);
}

} // namespace
