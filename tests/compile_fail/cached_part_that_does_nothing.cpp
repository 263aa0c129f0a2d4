// expect: advice::part_of_a_cache<{anonymous}::idle>::does_nothing_that_parts_do__see_weir_cache_parts
// expect-clang: part_of_a_cache<(anonymous namespace)::idle>::does_nothing_that_parts_do__see_weir_cache_parts
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>

namespace {

struct idle {
#ifdef WEIR_MENDED
    bool may_exist(int) const { return true; }
#else
    bool may_exist(int) { return true; } // a guard is asked by many at once: const
#endif
};

} // namespace

int main()
{
    weir::pipeline svc{weir::cached{weir::store<int, int>{{.capacity = 10}}, weir::keyed_by<int>([](int n) { return n; }), idle{}},
                       [](int n) { return n; }};
    return svc(1).has_value() ? 0 : 1;
}
