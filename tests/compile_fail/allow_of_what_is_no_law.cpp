// expect: advice::names_no_law<tag>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

struct tag {
    using role = weir::gate;
    static constexpr std::string_view name = "tag";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::allow<weir::forbids_policy<tag>, "a reason to read">{}, tag{}, handler};
#else
    weir::pipeline svc{weir::allow<tag, "a reason to read">{}, tag{}, handler};
#endif
    static_cast<void>(svc(1));
}
