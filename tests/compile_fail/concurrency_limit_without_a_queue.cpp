// expect: weir::v0::advice::queue<{anonymous}::shortest_first>::lacks_what_wait_queue_asks__see_weir_core_wait_queue
// expect-clang: queue<(anonymous namespace)::shortest_first>::lacks_what_wait_queue_asks__see_weir_core_wait_queue
// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/concurrency_limit.hpp>

namespace {
struct shortest_first : weir::fifo {
#ifndef WEIR_MENDED
    bool remove(weir::waiter& w)
    {
        return weir::fifo::remove(w);
    } // it might throw under the lock
#endif
};
} // namespace

int main()
{
    weir::concurrency_limit limit{{.max_concurrent = 12}, shortest_first{}};
    return limit.stats().limit == 12 ? 0 : 1;
}
