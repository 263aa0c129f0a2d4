// expect: ends_the_call_before<weir::v0::timeout<weir::v0::ms{200}> >::could_make_all_its_attempts__lower_the_attempts_or_their_time_limit<weir::v0::retry<> >
// expect-clang: ends_the_call_before<weir::timeout<ms{200}>>::could_make_all_its_attempts__lower_the_attempts_or_their_time_limit<weir::retry<3, when_it_failed{}>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

boost::asio::awaitable<int> handler(int x)
{
    co_return x;
}

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::timeout<weir::ms{200}>{}, weir::retry<3>{}, weir::attempt_timeout<weir::ms{60}>{}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::timeout<weir::ms{200}>{}, weir::retry<3>{}, weir::attempt_timeout<weir::ms{80}>{}, weir::idempotent{handler}};
#endif
    static_cast<void>(svc);
}
