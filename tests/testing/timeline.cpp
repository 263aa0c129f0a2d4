// SPDX-License-Identifier: BSL-1.0
#include <weir/testing/timeline.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;

TEST_CASE("timeline: a line an entry, with the seconds since the start")
{
    weir::timeline story(weir::time_point(12h));
    CHECK(story.empty());
    story.add(weir::time_point(12h), "call 1", "begins");
    story.add(weir::time_point(12h + 12'500us), "call 10", "begins");
    story.add(weir::time_point(13h + 1ns), "call 1", "ends well");
    CHECK(story.text() == "    0.000 000 000  call 1   begins\n"
                          "    0.012 500 000  call 10  begins\n"
                          " 3600.000 000 001  call 1   ends well\n");
}

TEST_CASE("timeline: of a long one the middle is left out")
{
    weir::timeline story;
    for (int i = 0; i < 10; ++i) story.add(weir::time_point{}, std::to_string(i), "x");
    CHECK(story.text(4) == "    0.000 000 000  0  x\n"
                           "    0.000 000 000  1  x\n"
                           "    ... 6 lines ...\n"
                           "    0.000 000 000  8  x\n"
                           "    0.000 000 000  9  x\n");
}

TEST_CASE("timeline: texts, numbers, times and errors as people write them")
{
    std::string text;
    auto const says = [&](auto const& part) {
        text.clear();
        weir::detail::append_text(text, part);
        return text;
    };
    CHECK(says("text") == "text");
    CHECK(says(42) == "42");
    CHECK(says(true) == "yes");
    CHECK(says(weir::duration(0)) == "0 ms");
    CHECK(says(weir::duration(12'500us)) == "12.5 ms");
    CHECK(says(weir::duration(-1)) == "-0.000001 ms");
    CHECK(says(weir::errc::circuit_open) == "circuit_open");
    CHECK(says(weir::error(weir::errc::rate_limited, 20ms)) == "rate_limited, retry after 20 ms");
}
