// expect: has_a_bracket_a_brace_or_a_parenthesis_without_its_other__write_a_backslash_before_it_if_it_stands_for_itself
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/pattern.hpp>

int main()
{
#ifdef WEIR_MENDED
    static_assert(!weir::pattern<"[a-z]{2,8}">("7"));
#else
    static_assert(!weir::pattern<"[a-z">("7"));
#endif
}
