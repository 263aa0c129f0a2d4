// expect: cannot_interrupt<weir::v0::timeout<> >::which_is_synchronous__put_weir_isolate_between_or_make_it_asynchronous<
// expect-clang: cannot_interrupt<weir::timeout<ms{0}>>::which_is_synchronous__put_weir_isolate_between_or_make_it_asynchronous<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/isolate.hpp>
#include <weir/resilience/timeout.hpp>

using namespace std::chrono_literals;

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::timeout{200ms}, weir::isolate{{.core_size = 1}}, handler};
#else
    weir::pipeline svc{weir::isolate{{.core_size = 1}}, weir::timeout{200ms}, handler};
#endif
    static_cast<void>(svc(1));
}
