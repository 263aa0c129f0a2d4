// expect: without<two>::takes_nothing_out_of<weir::v0::stack<one>
// expect-clang: takes_nothing_out_of<weir::stack<one>>
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>
#include <weir/core/without.hpp>

#include <string_view>

struct one {
    using role = weir::gate;
    static constexpr std::string_view name = "one";
    weir::admission<> admit(auto&) { return weir::admitted; }
};
struct two : one {};

int main()
{
#ifdef WEIR_MENDED
    weir::pipeline svc{weir::stack{one{}} | weir::without<one>{}, [](int i) { return i; }};
#else
    weir::pipeline svc{weir::stack{one{}} | weir::without<two>{}, [](int i) { return i; }};
#endif
    static_cast<void>(svc(1));
}
