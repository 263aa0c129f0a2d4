// expect: move<{anonymous}::remember>::inward_of_it__nothing_is_answered_from_a_cache_before_identity_is_proved_by<{anonymous}::verify>
// expect-clang: move<(anonymous namespace)::remember>::inward_of_it__nothing_is_answered_from_a_cache_before_identity_is_proved_by<(anonymous namespace)::verify>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

namespace {
struct verify {
    using role = weir::gate;
    using traits = weir::traits<weir::establishes_identity>;
    static constexpr std::string_view name = "verify";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};
struct remember {
    using role = weir::source;
    using traits = weir::traits<weir::may_answer_alone>;
    static constexpr std::string_view name = "remember";
    weir::lookup look_up(auto&, weir::pass&, auto&) const { return weir::lookup::missed; }
};
} // namespace

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{verify{}, remember{}, [](int x) { return x; }};
#else
    weir::pipeline svc{remember{}, verify{}, [](int x) { return x; }};
#endif
    return svc(1).value();
}
