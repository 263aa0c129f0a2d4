// expect: weir::v0::advice::add_a_policy_that_provides<weir::v0::principal>::outward_of<{anonymous}::greet>
// expect-clang: add_a_policy_that_provides<weir::principal>::outward_of<(anonymous namespace)::greet>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>

namespace {
struct verify {
    using role = weir::gate;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "verify";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct greet {
    using role = weir::gate;
    using needs = weir::facets<weir::principal>;
    static constexpr std::string_view name = "greet";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
} // namespace

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{verify{}, greet{}, [](int x) { return x; }};
#else
    weir::pipeline svc{greet{}, [](int x) { return x; }};
#endif
    return svc(1).value();
}
