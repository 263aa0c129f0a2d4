// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/switchboard.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using level = weir::service_level;
constexpr weir::time_point start{1h};

/// The levels from their words: what load wanted and when, as a list.
std::string compare(std::uint64_t seed)
{
    std::minstd_rand random(static_cast<unsigned>(seed * 2'654'435'761u % 2'147'483'647u) + 1);
    auto const draw = [&](unsigned below) { return static_cast<unsigned>(random() >> 4) % below; };
    auto const hold = draw(4) * 10s;
    weir::switchboard board({"a", "b"}, {.hold = hold});
    weir::load_gauge gauge;
    std::array<std::optional<int>, 2> hand;
    std::array<int, 2> file{}, load{};
    std::array<weir::time_point, 2> since{};
    auto now = start;
    std::string story = "seed " + std::to_string(seed) + ':';
    auto const wants = [&](std::size_t i, int wanted) {
        if (wanted >= load[i])
            load[i] = wanted, since[i] = now;
        else if (now - since[i] >= hold)
            --load[i], since[i] = now;
    };
    for (int step = 0; step < 40; ++step) {
        std::size_t const i = draw(2);
        std::string_view const service = i == 0 ? "a" : "b";
        int const l = static_cast<int>(draw(4));
        switch (draw(8)) {
        case 0:
            story += " set";
            board.set(service, static_cast<level>(l));
            hand[i] = l;
            break;
        case 1:
            story += " release";
            board.release(service);
            hand[i].reset();
            break;
        case 2:
            story += " plan";
            board.plan(service, static_cast<level>(l));
            file[i] = l;
            break;
        case 3:
        case 4:
            story += " need";
            board.need(service, static_cast<level>(l), now);
            wants(i, l);
            break;
        case 5: {
            story += " watch";
            constexpr std::array<double, 4> cpu{0.1, 0.85, 0.95, 1.0};
            gauge.cpu_is(cpu[static_cast<std::size_t>(l)]);
            board.watch(gauge, now);
            wants(0, l);
            wants(1, l);
            break;
        }
        default: now += draw(4) * 5s;
        }
        for (std::size_t k = 0; k < 2; ++k)
            if (static_cast<int>(board.level(k == 0 ? "a" : "b")) != hand[k].value_or(std::max(file[k], load[k]))) return story;
    }
    return {};
}

} // namespace

TEST_CASE("switchboard: does what the model does, whatever the history")
{
    for (std::uint64_t i = 0; i < weir_test::schedules(); ++i)
        if (std::string const story = compare(weir_test::first_seed() + i); !story.empty()) FAIL(story);
}

TEST_CASE("switchboard: load raises a level at once, and lets it down by one after each hold; a hand overrules")
{
    weir::switchboard board({"quotes"}, {.hold = 30s});
    board.need("quotes", level::fixed, start);
    CHECK(board.level("quotes") == level::fixed);
    board.need("quotes", level::normal, start + 30s - 1ns);
    CHECK(board.level("quotes") == level::fixed);
    board.need("quotes", level::normal, start + 30s);
    CHECK(board.level("quotes") == level::stale);
    board.need("quotes", level::normal, start + 59s);
    CHECK(board.level("quotes") == level::stale);
    board.set("quotes", level::normal);
    CHECK(board.level("quotes") == level::normal);
    board.release("quotes");
    board.plan("quotes", level::shed_minor);
    CHECK(board.level("quotes") == level::stale);
}

TEST_CASE("switchboard: a queue delay counts like the CPU, and what nobody has measured counts nothing")
{
    weir::switchboard board({"quotes"});
    weir::load_gauge gauge;
    board.watch(gauge, start);
    CHECK(board.level("quotes") == level::normal);
    gauge.queue_delay(200ms);
    board.watch(gauge, start);
    CHECK(board.level("quotes") == level::stale);
}

TEST_CASE("switchboard: what is wrong is named")
{
    weir::switchboard board({"quotes"});
    CHECK_THROWS_WITH_AS(board.set("orders", level::stale), "switchboard.orders: expected one of the services that it was made with",
                         std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::switchboard({"a", "a"}), "switchboard.services: expected each service once", std::invalid_argument);
    CHECK_THROWS_WITH_AS(weir::switchboard({"a"}, {.cpu = {0.9, 0.8, 1}}), "switchboard.cpu: expected ratios, none below the one before",
                         std::invalid_argument);
    CHECK(weir::service_level_from("stale") == level::stale);
    CHECK_FALSE(weir::service_level_from("Stale").has_value());
}
