// expect: advice::store_of<double>::cannot_keep_what_the_handler_returns<int>
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>

#ifdef WEIR_MENDED
using value = int;
#else
using value = double;
#endif

int main()
{
    weir::pipeline svc{weir::cached{weir::store<int, value>{{.capacity = 10}}, weir::keyed_by<int>([](int n) { return n; })},
                       [](int n) { return n; }};
    return svc(1).has_value() ? 0 : 1;
}
