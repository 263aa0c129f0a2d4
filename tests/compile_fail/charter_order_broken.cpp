// expect: demanded_by<bank>::move<tag>::outward_of<other>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

struct tag {
    using role = weir::gate;
    static constexpr std::string_view name = "tag";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct other {
    using role = weir::gate;
    static constexpr std::string_view name = "other";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct bank : weir::charter<weir::requires_order<tag, other>> {};

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{bank{}, tag{}, other{}, handler};
#else
    weir::pipeline svc{bank{}, other{}, tag{}, handler};
#endif
    static_cast<void>(svc(1));
}
