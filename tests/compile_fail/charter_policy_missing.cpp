// expect: demanded_by<bank>::add_a_policy<weir::v0::made_from_values<weir::v0::retry> >::around<
// expect-clang: demanded_by<bank>::add_a_policy<weir::made_from_values<weir::retry>>::around<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

struct bank : weir::charter<weir::requires_policy<weir::made_from_values<weir::retry>>> {};

int main()
{
    weir::idempotent handler{[](int x) { return x; }};
#ifdef WEIR_MENDED
    weir::pipeline svc{bank{}, weir::retry<2>{{.seed = 1}}, handler};
#else
    weir::pipeline svc{bank{}, handler};
#endif
    static_cast<void>(svc(1));
}
