// expect: weir::v0::advice::request<{anonymous}::order>::lacks<weir::v0::customisation::header_fn>::which_is_called_by<weir::v0::rate_limit<
// expect-clang: request<(anonymous namespace)::order>::lacks<weir::customisation::header_fn>::which_is_called_by<weir::rate_limit<
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/limit/gcra.hpp>
#include <weir/limit/keyed.hpp>
#include <weir/limit/rate_limit.hpp>

using namespace std::chrono_literals;

namespace {
struct order {
    int amount = 0;
#ifdef WEIR_MENDED
    friend std::optional<std::string_view> weir_header(order const&, std::string_view)
    {
        return std::nullopt;
    }
#endif
};
} // namespace

int main()
{
    weir::pipeline svc{weir::rate_limit{weir::keyed{weir::gcra{{.permits = 1, .per = 1s}}, weir::by_header<"x-app-id">, {.capacity = 10}}},
                       [](order const& o) { return o.amount; }};
    return svc(order{}).value();
}
