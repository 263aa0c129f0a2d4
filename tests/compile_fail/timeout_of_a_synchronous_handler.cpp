// expect: cannot_interrupt<weir::v0::timeout<> >::which_is_synchronous__put_weir_isolate_between_or_make_it_asynchronous<
// expect-clang: cannot_interrupt<weir::timeout<ms{0}>>::which_is_synchronous__put_weir_isolate_between_or_make_it_asynchronous<
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/timeout.hpp>

using namespace std::chrono_literals;

int main()
{
#ifdef WEIR_MENDED
    auto const handler = [](int x) -> boost::asio::awaitable<int> { co_return x; };
#else
    auto const handler = [](int x) { return x; };
#endif
    weir::pipeline svc{weir::timeout{200ms}, handler};
    static_cast<void>(svc(1));
}
