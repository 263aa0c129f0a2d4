// expect: advice::add_a_policy_that_provides<weir::v0::verified<weir::v0::claims>
// expect-clang: advice::add_a_policy_that_provides<weir::verified<weir::claims>>
// SPDX-License-Identifier: BSL-1.0
#include "../sign/request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/one_time.hpp>
#include <weir/sign/verify_jwt.hpp>

#include <functional>
#include <string>

int main()
{
    auto const handler = [](test::request const&) { return 0; };
    weir::nonce_store<> store({.capacity = 10});
    weir::verify_jwt verify{weir::hs256{weir::secret<>(std::string(32, 'k'))}, {.issuer = "bank", .audience = "quotes"}};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(verify), weir::one_time{std::ref(store)}, handler};
#else
    weir::pipeline svc{weir::one_time{std::ref(store)}, handler};
#endif
    test::request const r;
    static_cast<void>(svc(r));
}
