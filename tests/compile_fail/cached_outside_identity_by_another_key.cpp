// expect: ::inward_of_it__nothing_is_answered_from_a_cache_before_identity_is_proved_by<{anonymous}::verify>
// expect-clang: ::inward_of_it__nothing_is_answered_from_a_cache_before_identity_is_proved_by<(anonymous namespace)::verify>
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/cached.hpp>
#include <weir/core/pipeline.hpp>

namespace {
struct verify {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    static constexpr std::string_view name = "verify";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
} // namespace

int main()
{
    auto const itself = weir::keyed_by<int>([](int n) { return n; });
#ifdef WEIR_MENDED
    auto const key = weir::holding_identity{itself};
#else
    auto const key = itself;
#endif
    weir::pipeline svc{weir::cached{weir::store<int, int>{{.capacity = 10}}, key}, verify{}, [](int x) { return x; }};
    return svc(1).value();
}
