// expect: has_no_back_references__check_that_in_a_rule_of_your_own
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/pattern.hpp>

int main()
{
#ifdef WEIR_MENDED
    static_assert(!weir::pattern<"[a-z]{2,8}">("7"));
#else
    static_assert(!weir::pattern<"([a-z])\\1">("7"));
#endif
}
