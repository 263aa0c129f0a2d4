// expect: request<weir::v0::http::streamed_request>::can_be_sent_once_only__it_cannot_be_repeated_by<weir::v0::retry<> >
// expect-clang: request<weir::http::streamed_request>::can_be_sent_once_only__it_cannot_be_repeated_by<weir::retry<3, when_it_failed{}>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/http/streamed_request.hpp>
#include <weir/resilience/retry.hpp>

using request = weir::http::streamed_request;

boost::asio::awaitable<int> handler(request const&)
{
    co_return 1;
}

auto ask(request const& r)
{
#ifdef WEIR_MENDED
    static weir::pipeline svc{handler};
#else
    static weir::pipeline svc{weir::retry<3>{}, weir::idempotent{handler}};
#endif
    return svc(r);
}
