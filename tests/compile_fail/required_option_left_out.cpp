// expect: 'weir::v0::required<unsigned int>'
// expect-clang: 'required<std::uint32_t>'
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
