// expect: left_out<unsigned int>::an_option_that_has_no_default__give_it_a_value
// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/bulkhead.hpp>

int main()
{
#ifdef WEIR_MENDED
    weir::bulkhead_options const options{.max_concurrent = 10, .max_waiting = 3};
#else
    weir::bulkhead_options const options{.max_waiting = 3};
#endif
    weir::bulkhead const places{options};
    static_cast<void>(places);
}
