// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/send_deadline.hpp>

#include "message.hpp"

#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/deadline_from.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
namespace asio = boost::asio;

TEST_CASE("send_deadline: each attempt tells the service behind what is left then")
{
    weir::simulation world;
    std::vector<std::string> told;
    int attempts = 0;
    auto const upstream = [&](message const& m) -> asio::awaitable<weir::result<int>> {
        auto const said = weir_header(m, "Request-Timeout");
        told.push_back(said ? std::string(*said) : "nothing");
        co_await world.sleep(30ms);
        if (++attempts < 3) co_return weir::errc::unavailable;
        co_return 1;
    };
    weir::pipeline svc{weir::timed_by{std::ref(world.clock())},
                       weir::deadline_from{{.longest = 1s}},
                       weir::retry<3>{{.base = 20ms, .cap = 20ms, .backoff = weir::backoff::fixed}},
                       weir::attempt_timeout{400ms},
                       weir::send_deadline<>{},
                       weir::idempotent{upstream}};
    weir::pipeline free{weir::timed_by{std::ref(world.clock())}, weir::send_deadline<>{}, upstream};
    auto const caller = [&]() -> asio::awaitable<void> {
        message const m("Request-Timeout", "500m");
        auto const r = co_await svc(m);
        CHECK(r.value() == 1);
        message const none;
        co_await free(none);
    };
    world.spawn(caller());
    world.run();
    REQUIRE(told.size() == 4);
    auto const left = [&](std::size_t i) { return *weir::read_time_text(told[i]); };
    CHECK(left(0) == 400ms); // the attempt's limit
    CHECK(left(1) == 400ms);
    CHECK(left(2) <= 400ms); // 500 - 2 * (30 + 20): the caller's is about the same by now
    CHECK(left(2) > 390ms);
    CHECK(told[3] == "nothing");
}
