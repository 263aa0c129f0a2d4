// expect: repeats<weir::v0::retry<> >::and_so_does__take_one_of_them_out<weir::v0::hedge<> >
// expect-clang: repeats<weir::retry<3, when_it_failed{}>>::and_so_does__take_one_of_them_out<weir::hedge<2, when_it_failed{}>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/hedge.hpp>
#include <weir/resilience/retry.hpp>

using namespace std::chrono_literals;

boost::asio::awaitable<int> handler(int x)
{
    co_return x;
}

int main()
{
    weir::scope jobs;
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::within{jobs}, weir::hedge<2>{{.after = 50ms}}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::within{jobs}, weir::retry<3>{}, weir::hedge<2>{{.after = 50ms}}, weir::idempotent{handler}};
#endif
    static_cast<void>(svc);
}
