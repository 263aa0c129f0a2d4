// expect: weir::v0::advice::move<{anonymous}::verify>::outward_of<weir::v0::rate_limit<weir::v0::all_of<
// expect-clang: move<(anonymous namespace)::verify>::outward_of<weir::rate_limit<weir::all_of<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/limit/all_of.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>

using namespace std::chrono_literals;

namespace {
struct verify {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "verify";
    weir::admission<> admit(auto& call) const
    {
        call.set(weir::principal{"somebody"});
        return weir::admitted;
    }
};
} // namespace

int main()
{
    auto const limits = [] {
        return weir::rate_limit{weir::all_of{weir::gcra{{.permits = 9, .per = 1s}},
                                             weir::keyed{weir::gcra{{.permits = 1, .per = 1s}}, weir::by<weir::principal>, {.capacity = 10}}}};
    };
#ifdef WEIR_MENDED
    weir::pipeline svc{verify{}, limits(), [](int x) { return x; }};
#else
    weir::pipeline svc{limits(), verify{}, [](int x) { return x; }};
#endif
    return svc(1).value();
}
