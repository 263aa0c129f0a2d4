// expect: an_option_that_has_no_default__give_it_a_value
// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/bulkhead.hpp>

int main()
{
#ifdef WEIR_MENDED
    weir::bulkhead const places{{.max_concurrent = 10, .max_waiting = 3}};
#else
    weir::bulkhead const places{{.max_waiting = 3}};
#endif
    static_cast<void>(places);
}
