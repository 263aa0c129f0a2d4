// expect: weir: the pipeline has no such policy
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/fallback.hpp>

int main()
{
    weir::pipeline svc{weir::named<"default">(weir::fallback{1}), [](int x) { return x; }};
#ifdef WEIR_MENDED
    static_cast<void>(svc.get<"default">().stats());
#else
    static_cast<void>(svc.get<"defaults">().stats());
#endif
}
