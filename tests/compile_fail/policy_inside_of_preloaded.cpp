// expect: ::so_that_nothing_reaches__move_that_outward_or_take_it_out<weir::v0::cached<
// expect-clang: ::so_that_nothing_reaches__move_that_outward_or_take_it_out<weir::cached<
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/cache/preloaded.hpp>
#include <weir/core/pipeline.hpp>

int main()
{
    constexpr auto itself = weir::keyed_by<int>([](int n) { return n; });
    weir::full_table<int, int> table{{.capacity = 10}};
    weir::preloaded all{std::ref(table), itself};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(all), weir::never_asked<int>{}};
#else
    weir::pipeline svc{std::move(all), weir::cached{weir::store<int, int>{{.capacity = 10}}, itself}, weir::never_asked<int>{}};
#endif
    return svc(1).has_value() ? 0 : 1;
}
