// expect: repeats<weir::v0::retry<> >::which_takes_the_second_attempt_for_a_replay__move_it_outward<{anonymous}::nonce_check>
// expect-clang: repeats<weir::retry<3, when_it_failed{}>>::which_takes_the_second_attempt_for_a_replay__move_it_outward<(anonymous namespace)::nonce_check>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/retry.hpp>

namespace {
struct nonce_check {
    using role = weir::gate;
    using traits = weir::traits<weir::passes_once>;
    static constexpr std::string_view name = "nonce_check";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
} // namespace

int main()
{
    auto const handler = [](int x) { return x; };
#ifdef WEIR_MENDED
    weir::pipeline svc{nonce_check{}, weir::retry<3>{}, weir::idempotent{handler}};
#else
    weir::pipeline svc{weir::retry<3>{}, nonce_check{}, weir::idempotent{handler}};
#endif
    return svc(1).value();
}
