// expect: repeats<weir::v0::retry<> >::inside_of_which_each_attempt_gets_a_key_of_its_own__move_it_inward_of<weir::v0::send_idempotency_key<> >
// expect-clang: repeats<weir::retry<3, when_it_failed{}>>::inside_of_which_each_attempt_gets_a_key_of_its_own__move_it_inward_of<weir::send_idempotency_key<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/http/message.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/resilience/send_idempotency_key.hpp>

int main()
{
    auto const handler = [](weir::http::request const&) { return 1; };
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::send_idempotency_key<>{}, weir::retry<3>{}, handler};
#else
    weir::pipeline svc{weir::retry<3>{}, weir::send_idempotency_key<>{}, weir::idempotent{handler}};
#endif
    weir::http::request const r("POST", "/orders");
    return svc(r).value();
}
