// expect: repeats<weir::v0::hedge<> >::which_is_not_marked__write_weir_idempotent_around_it<
// expect-clang: repeats<weir::hedge<2, when_it_failed{}>>::which_is_not_marked__write_weir_idempotent_around_it<
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
    weir::pipeline svc{weir::within{jobs}, weir::hedge<2>{{.after = 50ms}}, handler};
#endif
    static_cast<void>(svc);
}
