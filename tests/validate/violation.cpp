// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/validate/violation.hpp>

#include <boost/system/result.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

struct only_even { // a policy of the user's own
    using role = weir::gate;
    using reports = weir::facets<weir::violation>;
    static constexpr std::string_view name = "only_even";
    weir::admission<> admit(auto& call)
    {
        if (call.request() % 2 == 0) return weir::admitted;
        call.report(weir::violation{"query", "number", "an even number"});
        return weir::errc::invalid_request;
    }
};
struct only_small {
    using role = weir::gate;
    using reports = weir::facets<weir::violation>;
    static constexpr std::string_view name = "only_small";
    weir::admission<> admit(auto& call)
    {
        if (call.request() < 100) return weir::admitted;
        call.report(weir::violation{"query", "number", "a number below 100"});
        return weir::errc::invalid_request;
    }
};

int half(int const& number)
{
    return number / 2;
}

TEST_CASE("violation: a call that passes reports none")
{
    weir::pipeline svc{only_small{}, only_even{}, half};
    auto const reply = svc.call(8);
    CHECK(reply.result().value() == 4);
    CHECK(reply.may_report<weir::violation>);
    CHECK_FALSE(reply.reported<weir::violation>().has_value());
}

TEST_CASE("violation: a refusal says where, which, and what would be right")
{
    weir::pipeline svc{only_small{}, only_even{}, half};
    auto const reply = svc.call(7);
    CHECK(reply.result().error().kind() == weir::errc::invalid_request);
    CHECK(reply.answered_by() == 1);
    auto const& told = reply.reported<weir::violation>();
    REQUIRE(told.has_value());
    CHECK(told->where == "query");
    CHECK(told->name == "number");
    CHECK(told->expected == "an even number");
}

TEST_CASE("violation: the first rule that is broken is the one that is told")
{
    weir::pipeline svc{only_small{}, only_even{}, half};
    auto const reply = svc.call(101);
    CHECK(reply.answered_by() == 0);
    REQUIRE(reply.reported<weir::violation>().has_value());
    CHECK(reply.reported<weir::violation>()->expected == "a number below 100");
}

TEST_CASE("violations: those beyond the bound are counted as more, not kept")
{
    weir::violations all;
    CHECK(all.empty());
    for (std::size_t i = 0; i < weir::violations::most; ++i) CHECK(all.add({"body", '/' + std::to_string(i), "a number"}));
    CHECK_FALSE(all.more);
    CHECK_FALSE(all.add({"body", "/last", "a number"}));
    CHECK_FALSE(all.add({"body", "/last", "a number"}));
    CHECK(all.more);
    CHECK(all.list.size() == weir::violations::most);
    CHECK(all.list.back().name == "/31");
}

TEST_CASE("violations: sentences name the place, and the whole where there is no name")
{
    CHECK(to_string(weir::violation{"query", "limit", "a number"}) == "query limit: expected a number");
    CHECK(to_string(weir::violation{"body", {}, "an object"}) == "body: expected an object");
    CHECK(to_string(weir::violations{{{"body", "/a", "x"}, {"body", "/b", "y"}}, true}) ==
          "body /a: expected x; body /b: expected y; and more");
    boost::system::result<int, weir::violations> const none(weir::violations{{{"body", "/a", "x"}}});
    CHECK_THROWS_WITH_AS(static_cast<void>(none.value()), "body /a: expected x", std::invalid_argument);
}

} // namespace
