// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/request_context.hpp>

#include <weir/cache/request_cache.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace {

struct query {
    std::string name;
    weir::request_context* context;
};
constexpr auto by_name = weir::keyed_by(&query::name);
constexpr auto in_context = weir::keyed_by(&query::context);

} // namespace

TEST_CASE("request_context: several pipelines share one, and take no answer of another for theirs")
{
    weir::pipeline lengths{weir::request_cache{by_name, in_context}, [](query const& q) { return static_cast<int>(q.name.size()); }};
    weir::pipeline doubles{weir::request_cache{by_name, in_context}, [](query const& q) { return static_cast<int>(2 * q.name.size()); }};
    weir::pipeline names{weir::request_cache{by_name, in_context}, [](query const& q) { return q.name + "!"; }};
    weir::request_context context;
    query const q{"weir", &context};
    for (int i = 0; i < 3; ++i) {
        CHECK(lengths(q).value() == 4);
        CHECK(doubles(q).value() == 8);
        CHECK(names(q).value() == "weir!");
    }
    CHECK(context.size() == 3);
    context.clear();
    CHECK(context.size() == 0);
    CHECK(names(q).value() == "weir!");
}

TEST_CASE("request_context: one policy in pipelines of different answers keeps them apart")
{
    weir::request_cache cache{by_name, in_context};
    weir::pipeline lengths{std::ref(cache), [](query const& q) { return static_cast<int>(q.name.size()); }};
    weir::pipeline names{std::ref(cache), [](query const& q) { return q.name + "!"; }};
    weir::request_context context;
    query const q{"weir", &context};
    CHECK(lengths(q).value() == 4);
    CHECK(names(q).value() == "weir!");
    CHECK(lengths(q).value() == 4);
    CHECK(cache.stats().made == 2);
    CHECK(cache.stats().repeated == 1);
}

TEST_CASE("request_context: bad options name their member")
{
    CHECK_THROWS_WITH_AS(weir::request_context({.max_answers = 0}), "request_context.max_answers: expected a number in [1, 4'096]",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::request_context({.max_answers = 5'000}), "request_context.max_answers: expected a number in [1, 4'096]",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::request_context({.max_age = weir::duration::zero()}), "request_context.max_age: expected more than 0",
                         std::invalid_argument);
}
