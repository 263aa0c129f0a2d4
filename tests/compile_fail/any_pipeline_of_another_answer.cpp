// expect: where_any_pipeline_wants<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/any_pipeline.hpp>
#include <weir/core/pipeline.hpp>

int main()
{
    weir::pipeline svc{[](int x) { return x; }};
#ifdef WEIR_MENDED
    weir::any_pipeline_ref<int, int> ref(svc);
#else
    weir::any_pipeline_ref<int, long> ref(svc);
#endif
    static_cast<void>(ref(1));
}
