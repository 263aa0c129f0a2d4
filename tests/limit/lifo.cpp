// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/lifo.hpp>

#include "gate_schedules.hpp"

#include <weir/limit/concurrency_limit.hpp>

namespace {

template<class Queue>
using limit = weir::concurrency_limit<Queue, weir::confined>;

struct model : weir_test::fifo_model {
    std::optional<int> pop(weir::time_point, std::vector<int>&)
    {
        int const id = calls.back().id;
        calls.pop_back();
        return id;
    }
    std::optional<int> make_room(weir_test::waiting_call const&, std::size_t) { return calls.front().id; }
};

} // namespace

TEST_CASE("lifo: the last to come is the next, the oldest goes when it is full, whatever the schedule")
{
    weir_test::compare_gates<limit>(1, [](auto&) { return std::pair{weir::lifo{}, model{}}; });
}

namespace weir {
static_assert(wait_queue<lifo>);
} // namespace weir: what the header promises
