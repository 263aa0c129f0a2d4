// SPDX-License-Identifier: BSL-1.0
// The asynchronous form is tested in tests/asio.
#include <weir/core/any_pipeline.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>
#include <weir/resilience/fallback.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct order {
    std::string what;
    int amount = 0;
};

/// Counts the pipelines that live.
struct alive {
    using role = weir::gate;
    static constexpr std::string_view name = "alive";
    int* count;
    explicit alive(int& counter) : count(&counter) { ++counter; }
    alive(alive&& other) noexcept : count(std::exchange(other.count, nullptr)) {}
    ~alive()
    {
        if (count != nullptr) --*count;
    }
    weir::admission<> admit(auto&) const { return weir::admitted; }
};

using orders = weir::any_pipeline<order, int>;
using orders_ref = weir::any_pipeline_ref<order, int>;

static_assert(std::is_same_v<orders::answer_type, weir::result<int>> &&
              std::is_same_v<weir::any_pipeline<order, weir::result<int>>::answer_type, weir::result<int>>);
static_assert(std::is_nothrow_move_constructible_v<orders> && std::is_nothrow_move_assignable_v<orders> &&
              !std::is_copy_constructible_v<orders>);
static_assert(std::is_trivially_copyable_v<orders_ref> && sizeof(orders_ref) == 3 * sizeof(void*));
static_assert(!std::is_constructible_v<orders_ref, int&>);

int price(order const& o)
{
    if (o.amount == 13) throw std::runtime_error("no price");
    return o.amount * 3;
}

/// As a function of another module would.
weir::result<int> ask(orders_ref svc, order const& o)
{
    return svc(o);
}

} // namespace

TEST_CASE("any_pipeline_ref: a call is the pipeline's own, refusals and exceptions too")
{
    weir::pipeline svc{weir::rate_limit{weir::gcra{{.permits = 2, .per = 3600s}}}, price};
    CHECK(ask(svc, {"a", 4}).value() == 12);
    CHECK_THROWS_AS(static_cast<void>(ask(svc, {"b", 13})), std::runtime_error);
    auto const refused = ask(svc, {"c", 5});
    CHECK(refused.error().kind() == weir::errc::rate_limited);
    CHECK(refused.error().retry_after() > 0s);
}

TEST_CASE("any_pipeline: owns the pipeline that a factory builds in place, and moves without it")
{
    int count = 0;
    {
        orders first{[&] { return weir::pipeline{alive{count}, price}; }};
        CHECK(count == 1);
        orders_ref const seen = first.ref();
        orders second = std::move(first);
        CHECK(count == 1);
        CHECK(second(order{"a", 5}).value() == 15);
        CHECK(seen(order{"a", 6}).value() == 18);
        second = orders{[&] { return weir::pipeline{alive{count}, [](order const&) { return -1; }}; }};
        CHECK(count == 1);
        CHECK(second(order{"a", 5}).value() == -1);
    }
    CHECK(count == 0);
}

TEST_CASE("any_pipeline: takes over a pipeline that was allocated")
{
    int count = 0;
    auto make = [&] { return weir::pipeline{alive{count}, price}; };
    {
        orders svc{std::unique_ptr<decltype(make())>(new decltype(make())(make()))};
        CHECK(ask(svc.ref(), {"a", 2}).value() == 6);
        CHECK(count == 1);
    }
    CHECK(count == 0);
}

TEST_CASE("any_pipeline: pipelines of several shapes in one container")
{
    std::vector<orders> all;
    all.emplace_back([] { return weir::pipeline{price}; });
    all.emplace_back([] {
        return weir::pipeline{weir::fallback{-7}, [](order const&) -> weir::result<int> { return weir::errc::unavailable; }};
    });
    CHECK(all[0](order{"a", 2}).value() == 6);
    CHECK(all[1](order{"a", 2}).value() == -7);
}

TEST_CASE("any_pipeline: is a handler, around which another pipeline stands")
{
    weir::pipeline inner{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}, price};
    weir::pipeline outer{weir::fallback{0}, orders_ref(inner)};
    CHECK(outer(order{"a", 7}).value() == 21);
    CHECK(inner(order{"a", 7}).has_error());
}

TEST_CASE("any_pipeline: describe and stats_of look through the border")
{
    weir::pipeline svc{weir::named<"per tenant">(weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}), price};
    orders owner{[] { return weir::pipeline{weir::rate_limit{weir::gcra{{.permits = 1, .per = 3600s}}}, price}; }};
    orders_ref ref(svc);
    CHECK(weir::describe(ref).text() == weir::describe(svc).text());
    CHECK(weir::describe(owner).json() == owner.ref().describe().json());
    static_cast<void>(ref(order{"a", 1}));
    static_cast<void>(ref(order{"a", 1}));
    auto const counted = [](auto& pipeline) {
        std::vector<std::string> seen;
        weir::stats_of(
            pipeline, weir::time_point{}, [&](std::string_view name, std::string_view label, std::string_view field, auto value) {
                seen.push_back(std::string(name) + '/' + std::string(label) + '/' + std::string(field) + '=' + std::to_string(value));
            });
        return seen;
    };
    CHECK(counted(ref) == counted(svc));
    CHECK(counted(ref).at(0) == "rate_limit/per tenant/admitted_total=1");
    CHECK(counted(owner).at(0) == "rate_limit//admitted_total=0");
}

namespace {
struct waited {
    using role = weir::gate;
    static constexpr std::string_view name = "waited";
    struct stats_type {
        void each(auto&& field) const
        {
            field("waited_total", weir::duration(1500ms));
            field("share", 0.25);
            field("full", true);
        }
    };
    weir::admission<> admit(auto&) const { return weir::admitted; }
    stats_type stats(weir::time_point) const { return {}; }
};
} // namespace

TEST_CASE("any_pipeline: a span of time that is counted comes in seconds")
{
    weir::pipeline svc{waited{}, price};
    orders_ref const ref(svc);
    std::vector<double> seen;
    weir::stats_of(ref, weir::time_point{},
                   [&](std::string_view, std::string_view, std::string_view, auto value) { seen.push_back(static_cast<double>(value)); });
    CHECK(seen == std::vector<double>{1.5, 0.25, 1});
}
