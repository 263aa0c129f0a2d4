// expect: limits_the_whole_call<weir::v0::timeout<> >::and_stands_inside_what_repeats__move_it_outward_or_write_weir_attempt_timeout<weir::v0::retry<> >
// expect-clang: limits_the_whole_call<weir::timeout<ms{0}>>::and_stands_inside_what_repeats__move_it_outward_or_write_weir_attempt_timeout<weir::retry<3, when_it_failed{}>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/timeout.hpp>

using namespace std::chrono_literals;

boost::asio::awaitable<int> handler(int x)
{
    co_return x;
}

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::timeout{1s}, weir::retry<3>{}, weir::attempt_timeout{80ms}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::retry<3>{}, weir::timeout{80ms}, weir::idempotent{handler}};
#endif
    static_cast<void>(svc);
}
