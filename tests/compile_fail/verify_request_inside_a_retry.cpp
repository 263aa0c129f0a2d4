// expect: which_takes_the_second_attempt_for_a_replay__move_it_outward<weir::v0::verify_request<
// expect-clang: which_takes_the_second_attempt_for_a_replay__move_it_outward<weir::verify_request<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/sign/verify_request.hpp>

struct request {};

int main()
{
    weir::verify_request verify{weir::key_ring<>{}, {.nonce_capacity = 10}};
    weir::idempotent handler{[](request const&) { return 0; }};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(verify), weir::retry<3>{}, std::move(handler)};
#else
    weir::pipeline svc{weir::retry<3>{}, std::move(verify), std::move(handler)};
#endif
}
