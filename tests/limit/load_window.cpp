// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/load_window.hpp>

#include <doctest/doctest.h>

namespace {

using namespace std::chrono_literals;

struct doubling {
    struct options {};
    static constexpr std::string_view name = "doubling";
    explicit doubling(options const&) {}
    double next(weir::load_window const&, double limit) { return 2 * limit; }
    options settings() const { return {}; }
    void reconfigure(options const&) {}
};
struct says_an_integer : doubling {
    using doubling::doubling;
    int next(weir::load_window const&, double) { return 1; }
};

static_assert(weir::limit_algorithm<doubling>);
static_assert(!weir::limit_algorithm<says_an_integer>);
static_assert(!weir::limit_algorithm<int>);

} // namespace

TEST_CASE("load_window: what it says of drops, of the rate and of a limit that is felt")
{
    weir::load_window const w{.length = 500ms, .served = 30, .ended = 40, .dropped = 10, .inflight = 10};
    CHECK(w.drop_ratio() == 0.25);
    CHECK(w.rate() == 80);
    CHECK(w.is_used(20));
    CHECK_FALSE(w.is_used(20.5));
    CHECK(weir::load_window{}.drop_ratio() == 0);
    CHECK(weir::load_window{}.rate() == 0);
}
