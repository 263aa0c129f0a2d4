// expect: advice::request<read_only>::lacks<weir::v0::customisation::set_header_fn>::which_is_called_by<weir::v0::sign_request<
// expect-clang: which_is_called_by<weir::sign_request<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/sign/sign_request.hpp>

#include <optional>
#include <string_view>

struct read_only {
    friend std::optional<std::string_view> weir_header(read_only const&, std::string_view) { return {}; }
    friend std::string_view weir_method(read_only const&) { return "GET"; }
    friend std::string_view weir_target(read_only const&) { return "/"; }
    friend std::string_view weir_body(read_only const&) { return {}; }
#ifdef WEIR_MENDED
    friend void weir_set_header(read_only&, std::string_view, std::string_view) {}
#endif
};

int main()
{
    weir::pipeline svc{weir::sign_request{weir::key_ring<>{}, {.app = "shop", .device = "till-7"}}, [](read_only const&) { return 0; }};
    svc(read_only{});
}
