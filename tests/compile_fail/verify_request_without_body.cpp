// expect: advice::request<headers_only>::lacks<weir::v0::customisation::body_fn>::which_is_called_by<weir::v0::verify_request<
// expect-clang: which_is_called_by<weir::verify_request<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/sign/verify_request.hpp>

#include <optional>
#include <string_view>

struct headers_only {
    friend std::optional<std::string_view> weir_header(headers_only const&, std::string_view) { return {}; }
    friend std::string_view weir_method(headers_only const&) { return "GET"; }
    friend std::string_view weir_target(headers_only const&) { return "/"; }
#ifdef WEIR_MENDED
    friend std::string_view weir_body(headers_only const&)
    {
        return {};
    }
#endif
};

int main()
{
    weir::pipeline svc{weir::verify_request{weir::key_ring<>{}, {.nonce_capacity = 10}}, [](headers_only const&) { return 0; }};
    svc(headers_only{});
}
