// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/degrade.hpp>

#include <weir/core/describe.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/fallback.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using level = weir::service_level;

struct sets_priority {
    using role = weir::gate;
    using provides = weir::facets<weir::priority>;
    static constexpr std::string_view name = "sets_priority";
    weir::admission<> admit(auto& call)
    {
        call.set(weir::priority{static_cast<weir::priority::level>(call.request())});
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("degrade: each level does what it says")
{
    weir::switchboard board({"quotes"});
    int asked = 0;
    weir::pipeline svc{sets_priority{}, weir::degrade{board, "quotes", weir::by<weir::priority>, -1}, [&](int x) {
                           ++asked;
                           return x;
                       }};
    auto const counts = [&] { return svc.get<weir::degrade>().stats(); };
    CHECK(svc(3).value() == 3);
    board.set("quotes", level::shed_minor);
    CHECK(svc(1).value() == 1);
    CHECK(svc(2).error() == weir::errc::overloaded);
    CHECK(svc(2).error().policy() == 1);
    CHECK(counts().shed == 2);
    board.set("quotes", level::stale);
    CHECK(svc(0).error() == weir::errc::unavailable);
    CHECK(counts().held == 1);
    board.set("quotes", level::fixed);
    auto const reply = svc.call(0);
    CHECK(reply.result().value() == -1);
    CHECK(reply.reported<weir::degraded>()->by == "degrade");
    CHECK(counts().fixed == 1);
    CHECK(asked == 2);
    CHECK(weir::describe(svc).text() == "gate sets_priority\nsource degrade service=\"quotes\" level=\"fixed\"\n");
}

TEST_CASE("degrade: a fallback further out answers when the service is not to be asked")
{
    weir::switchboard board({"quotes"});
    weir::pipeline svc{weir::fallback{[](int x, weir::error) -> weir::result<int> { return -x; }}, weir::degrade{board, "quotes"},
                       [](int x) { return x; }};
    board.set("quotes", level::fixed); // without a static answer it is as stale
    auto const reply = svc.call(4);
    CHECK(reply.result().value() == -4);
    CHECK(reply.reported<weir::degraded>().has_value());
}
