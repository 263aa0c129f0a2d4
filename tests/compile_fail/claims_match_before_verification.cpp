// expect: which_reads<weir::v0::verified<weir::v0::claims>
// expect-clang: which_reads<weir::verified<weir::claims>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/sign/claims_match.hpp>
#include <weir/sign/verify_jwt.hpp>

#include <string>

struct request {
    std::string token{};
    friend std::optional<std::string_view> weir_header(request const& r, std::string_view) { return r.token; }
};

int main()
{
    weir::verify_jwt verify{weir::hs256{weir::secret<>(std::string(32, 'k'))}, {.issuer = "bank", .audience = "quotes"}};
    weir::claims_match bound{"device", weir::by_header<"x-device-id">};
#ifdef WEIR_MENDED
    weir::pipeline svc{std::move(verify), std::move(bound), [](request const&) { return 1; }};
#else
    weir::pipeline svc{std::move(bound), std::move(verify), [](request const&) { return 1; }};
#endif
    static_cast<void>(svc(request{}));
}
