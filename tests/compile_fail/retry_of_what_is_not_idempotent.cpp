// expect: weir::v0::advice::repeats<weir::v0::retry<> >::which_is_not_marked__write_weir_idempotent_around_it<
// expect-clang: repeats<weir::retry<3, when_it_failed{}>>::which_is_not_marked__write_weir_idempotent_around_it<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::retry<3>{}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::retry<3>{}, handler};
#endif
    return svc(1).value();
}
