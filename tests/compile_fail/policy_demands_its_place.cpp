// expect: demanded_by<jealous>::the_outermost_is<jealous>::and_not<tag>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

struct tag {
    using role = weir::gate;
    static constexpr std::string_view name = "tag";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct jealous {
    using role = weir::gate;
    using demands = weir::demands<weir::requires_outermost<jealous>>;
    static constexpr std::string_view name = "jealous";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{jealous{}, tag{}, handler};
#else
    weir::pipeline svc{tag{}, jealous{}, handler};
#endif
    static_cast<void>(svc(1));
}
