// expect: takes_policies_out_of_a_stack__write_the_stack_then_a_bar_then_without
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/core/without.hpp>

#include <string_view>

struct one {
    using role = weir::gate;
    static constexpr std::string_view name = "one";
    weir::admission<> admit(auto&) { return weir::admitted; }
};

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::stack{one{}} | weir::without<one>{}, [](int i) { return i; }};
#else
    weir::pipeline svc{weir::stack{one{}}, weir::without<one>{}, [](int i) { return i; }};
#endif
    static_cast<void>(svc(1));
}
