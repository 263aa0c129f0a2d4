// expect: advice::add_a_policy_that_provides<weir::v0::signature_facts>::outward_of<weir::v0::replay_guard<
// expect-clang: advice::add_a_policy_that_provides<weir::signature_facts>::outward_of<weir::replay_guard<
// SPDX-License-Identifier: BSL-1.0
#include "../sign/request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/replay_guard.hpp>
#include <weir/sign/verify_signature.hpp>

int main()
{
    auto const handler = [](test::request const&) { return 0; };
    weir::nonce_store<> store({.capacity = 10});
    weir::message_keys<> const keys;
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::verify_signature{weir::http_signature(), std::cref(keys)}, weir::replay_guard{std::ref(store)}, handler};
#else
    weir::pipeline svc{weir::replay_guard{std::ref(store)}, handler};
#endif
    test::request const r;
    static_cast<void>(svc(r));
}
