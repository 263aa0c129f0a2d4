// expect: provides_a_facet__what_it_did_not_enforce_nobody_may_rely_on
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/resilience/shadow.hpp>

struct lets_anybody_in {
    using role = weir::gate;
#ifndef WEIR_MENDED
    using provides = weir::facets<weir::principal>;
#endif
    static constexpr std::string_view name = "lets_anybody_in";
    weir::admission<> admit(auto&) { return weir::admitted; }
};

int main()
{
    weir::pipeline svc{weir::shadow{lets_anybody_in{}}, [](int x) { return x; }};
    static_cast<void>(svc(1));
}
