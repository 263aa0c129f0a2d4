// expect: demanded_by<bank>::the_innermost_is<tag>::and_not<other>
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
struct bank : weir::charter<weir::requires_innermost<tag>> {};

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{other{}, tag{}, bank{}, handler};
#else
    weir::pipeline svc{tag{}, other{}, bank{}, handler};
#endif
    static_cast<void>(svc(1));
}
