// expect: weir::v0::advice::add_a_policy_that_provides<{anonymous}::tier>::outward_of<weir::v0::rate_limit<
// expect-clang: add_a_policy_that_provides<(anonymous namespace)::tier>::outward_of<weir::rate_limit<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/rate_limit.hpp>

using namespace std::chrono_literals;

namespace {
struct tier {
    unsigned price = 1;
};
struct find_tier {
    using role = weir::gate;
    using provides = weir::facets<tier>;
    static constexpr std::string_view name = "find_tier";
    weir::admission<> admit(auto& call) const
    {
        call.set(tier{2});
        return weir::admitted;
    }
};
} // namespace

int main()
{
    auto const limit = [] {
        return weir::rate_limit{weir::gcra{{.permits = 9, .per = 1s}}, weir::cost_by<tier>([](tier const& t) { return t.price; })};
    };
#ifdef WEIR_MENDED
    weir::pipeline svc{find_tier{}, limit(), [](int x) { return x; }};
#else
    weir::pipeline svc{limit(), [](int x) { return x; }};
#endif
    return svc(1).value();
}
