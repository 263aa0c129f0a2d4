// expect: policy<weir::v0::hedge<> >::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// expect-clang: policy<weir::hedge<2, when_it_failed{}>>::has_to_await__make_the_handler_asynchronous_or_write_weir_asynchronous_around_it
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/asio/asynchronous.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/hedge.hpp>

using namespace std::chrono_literals;

int main()
{
    weir::scope jobs;
    auto const handler = [](int x) { return x; };
    int const one = 1;
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::within{jobs}, weir::hedge<2>{{.after = 50ms}}, weir::idempotent{weir::asynchronous{handler}}};
#else
    weir::pipeline svc{weir::within{jobs}, weir::hedge<2>{{.after = 50ms}}, weir::idempotent{handler}};
#endif
    static_cast<void>(svc(one));
}
