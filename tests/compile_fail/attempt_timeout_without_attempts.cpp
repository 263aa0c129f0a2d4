// expect: limits_one_attempt<weir::v0::attempt_timeout<> >::and_nothing_outward_of_it_repeats__write_weir_timeout<
// expect-clang: limits_one_attempt<weir::attempt_timeout<ms{0}>>::and_nothing_outward_of_it_repeats__write_weir_timeout<
// SPDX-License-Identifier: BSL-1.0
#include <weir/asio.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/attempt_timeout.hpp>
#include <weir/resilience/retry.hpp>

using namespace std::chrono_literals;

boost::asio::awaitable<int> handler(int x)
{
    co_return x;
}

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::retry<3>{}, weir::attempt_timeout{80ms}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::attempt_timeout{80ms}, weir::retry<3>{}, weir::idempotent{handler}};
#endif
    static_cast<void>(svc);
}
