// expect: rewrites_the_body<{anonymous}::unpack>::which_is_checked_further_in_by__move_that_outward<{anonymous}::check_signature>
// expect-clang: rewrites_the_body<(anonymous namespace)::unpack>::which_is_checked_further_in_by__move_that_outward<(anonymous namespace)::check_signature>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

namespace {
struct unpack {
    using role = weir::transform;
    using traits = weir::traits<weir::rewrites_body, weir::rewrites_request>;
    static constexpr std::string_view name = "unpack";
    weir::admission<> down(auto&) const { return weir::admitted; }
};
struct check_signature {
    using role = weir::gate;
    using traits = weir::traits<weir::reads_body>;
    static constexpr std::string_view name = "check_signature";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
} // namespace

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{check_signature{}, unpack{}, [](int x) { return x; }};
#else
    weir::pipeline svc{unpack{}, check_signature{}, [](int x) { return x; }};
#endif
    return svc(1).value();
}
