// expect: weir::v0::advice::policy<{anonymous}::doorman>::does_not_meet_the_contract_of_a<weir::v0::gate>
// expect-clang: policy<(anonymous namespace)::doorman>::does_not_meet_the_contract_of_a<weir::gate>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

namespace {
struct doorman {
    using role = weir::gate;
    static constexpr std::string_view name = "doorman";
#ifdef WEIR_MENDED
    weir::admission<> admit(auto&) const
    {
        return weir::admitted;
    }
#else
    bool admit(auto&) const
    {
        return true;
    }
#endif
};
} // namespace

int main()
{
    weir::pipeline svc{doorman{}, [](int x) { return x; }};
    return svc(1).value();
}
