// expect: which_is_called_by<weir::v0::require_headers<
// expect-clang: which_is_called_by<weir::require_headers<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/validate/require_headers.hpp>

#include <optional>

struct request {};
#ifdef WEIR_MENDED
std::optional<std::string_view> weir_header(request const&, std::string_view) { return "yes"; }
#endif

int main()
{
    // Nobody calls it: composing is enough.
    [[maybe_unused]] auto svc = weir::pipeline_for<request>(weir::require_headers<"x-app-id">{}, [](request const&) { return 0; });
}
