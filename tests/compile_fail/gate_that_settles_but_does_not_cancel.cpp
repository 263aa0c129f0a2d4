// expect: a gate that has settle(permit, outcome, call) has cancel(permit) noexcept too
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

namespace {
struct doorman {
    using role = weir::gate;
    static constexpr std::string_view name = "doorman";
    weir::admission<> admit(auto&) const { return weir::admitted; }
    void settle(weir::pass, auto const&, auto&) const {}
#ifdef WEIR_MENDED
    void cancel(weir::pass) const noexcept {}
#else
    void cancel(weir::pass) const {}
#endif
};
} // namespace

int main()
{
    weir::pipeline svc{doorman{}, [](int x) { return x; }};
    return svc(1).value();
}
