// expect: demanded_by<weir::v0::hedge<> >::add_a_policy<weir::v0::within>::around<
// expect-clang: demanded_by<weir::hedge<2, when_it_failed{}>>::add_a_policy<weir::within>::around<
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/hedge.hpp>

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
    weir::pipeline svc{weir::hedge<2>{{.after = 50ms}}, weir::idempotent{handler}};
#endif
    static_cast<void>(svc);
}
