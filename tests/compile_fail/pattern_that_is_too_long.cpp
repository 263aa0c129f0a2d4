// expect: has_more_than_64_characters_each_repeat_counted__state_lengths_by_weir_length
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/pattern.hpp>

int main()
{
#ifdef WEIR_MENDED
    static_assert(!weir::pattern<"[a-z]{2,8}">("7"));
#else
    static_assert(!weir::pattern<"[a-z]{1,65}">("7"));
#endif
}
