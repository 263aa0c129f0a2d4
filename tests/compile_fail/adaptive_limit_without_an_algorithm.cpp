// expect: weir::v0::advice::algorithm<{anonymous}::always_seven>::lacks_what_limit_algorithm_asks__see_weir_limit_load_window
// expect-clang: algorithm<(anonymous namespace)::always_seven>::lacks_what_limit_algorithm_asks__see_weir_limit_load_window
// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/adaptive_limit.hpp>

namespace {
struct always_seven {
    struct options {};
    static constexpr std::string_view name = "always_seven";
    explicit always_seven(options const& = {}) {}
#ifdef WEIR_MENDED
    double next(weir::load_window const&, double)
#else
    double next(weir::load_window const&)
#endif
    {
        return 7;
    }
    options settings() const
    {
        return {};
    }
    void reconfigure(options const&) {}
};
} // namespace

int main()
{
    weir::adaptive_limit limit{always_seven{always_seven::options{}}, {.initial = 12}};
    return limit.stats().limit == 12 ? 0 : 1;
}
