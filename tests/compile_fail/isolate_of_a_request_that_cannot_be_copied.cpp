// expect: runs_the_inside_elsewhere<weir::v0::isolate>::and_keeps_a_copy_as_its_caller_may_leave__make_it_copyable<
// expect-clang: runs_the_inside_elsewhere<weir::isolate>::and_keeps_a_copy_as_its_caller_may_leave__make_it_copyable<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/isolate.hpp>

#include <memory>

#ifdef WEIR_MENDED
using request = std::shared_ptr<int>;
#else
using request = std::unique_ptr<int>;
#endif

int main()
{
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, [](request const& r) { return *r; }};
    request const r(new int(1));
    static_cast<void>(svc(r));
}
