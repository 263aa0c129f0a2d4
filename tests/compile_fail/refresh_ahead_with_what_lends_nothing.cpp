// expect: budget_of_refreshes<int>::lacks_borrow_or_give_back__see_refresh_budget_in_weir_cache_parts
// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/refresh_ahead.hpp>
#include <weir/resilience/budget.hpp>

#include <functional>

int main()
{
    weir::budget lent{};
#ifdef WEIR_MENDED
    weir::refresh_ahead const part{{.after = 0.8}, std::ref(lent)};
#else
    weir::refresh_ahead const part{{.after = 0.8}, 10}; // a second
#endif
    return part.settings().after < 1 ? 0 : 1;
}
