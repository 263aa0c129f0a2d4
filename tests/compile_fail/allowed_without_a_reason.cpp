// expect: weir::allow wants a reason that a reviewer can read
// SPDX-License-Identifier: BSL-1.0
#include <weir/core/laws.hpp>

int main()
{
#ifdef WEIR_MENDED
    weir::allow<weir::laws::one_repeat_at_a_time, "the inner one guards a local lock"> lifted;
#else
    weir::allow<weir::laws::one_repeat_at_a_time, "because"> lifted;
#endif
    static_cast<void>(lifted);
}
