// expect: demanded_by<bank>::take_out<tag>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

struct tag {
    using role = weir::gate;
    static constexpr std::string_view name = "tag";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct bank : weir::charter<weir::forbids_policy<tag>> {};

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{bank{}, handler};
#else
    weir::pipeline svc{bank{}, tag{}, handler};
#endif
    static_cast<void>(svc(1));
}
