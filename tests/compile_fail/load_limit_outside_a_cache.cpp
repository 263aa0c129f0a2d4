// expect: outward_of<weir::v0::load_limit<> >
// expect-clang: outward_of<weir::load_limit<>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/cache/load_limit.hpp>
#include <weir/core/pipeline.hpp>

int main()
{
    weir::pipeline svc{weir::load_limit{{.max_loads = 10}},
                       weir::cached{weir::store<int, int>{{.capacity = 10}}, weir::keyed_by<int>([](int n) { return n; })},
                       [](int n) { return n; }};
    return svc(1).value();
}
