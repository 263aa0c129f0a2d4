// expect: is_about_the_whole_text__leave_out_its_anchors
// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/pattern.hpp>

int main()
{
#ifdef WEIR_MENDED
    static_assert(!weir::pattern<"[a-z]{2,8}">("7"));
#else
    static_assert(!weir::pattern<"^[a-z]+$">("7"));
#endif
}
