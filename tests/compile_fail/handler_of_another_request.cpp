// expect: weir::v0::advice::handler<
// expect-clang: ::does_not_take<int>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

#include <string>

namespace {
struct pass_all {
    using role = weir::gate;
    static constexpr std::string_view name = "pass_all";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
std::size_t length(std::string const& s)
{
    return s.size();
}
} // namespace

int main()
{
    weir::pipeline svc{pass_all{}, length};
#ifdef WEIR_MENDED
    static_cast<void>(svc(std::string("five")));
#else
    static_cast<void>(svc(5));
#endif
}
