// SPDX-License-Identifier: BSL-1.0
#include <weir/core/wait_queue.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace {

using namespace std::chrono_literals;

struct lacks_make_room {
    static constexpr std::string_view name = "lacks_make_room";
    static constexpr bool reads_time = false;
    weir::duration push(weir::waiter&, weir::time_point, weir::duration d) noexcept { return d; }
    weir::waiter* pop(weir::time_point, auto&&) noexcept { return nullptr; }
    bool remove(weir::waiter&) noexcept { return false; }
    bool empty() const noexcept { return true; }
};
struct may_throw : weir::fifo {
    bool remove(weir::waiter& w) { return weir::fifo::remove(w); }
};

static_assert(weir::wait_queue<weir::fifo>);
static_assert(!weir::wait_queue<lacks_make_room>);
static_assert(!weir::wait_queue<may_throw>);

} // namespace

TEST_CASE("fifo: first come, first served, and who gives up is not served")
{
    weir::fifo queue;
    weir::waiter a, b, c;
    auto const refuse = [](weir::waiter&) { FAIL("nobody is refused"); };
    CHECK(queue.push(a, {}, 3s) == 3s);
    CHECK(queue.push(b, {}, 3s) == 3s);
    CHECK(queue.push(c, {}, 3s) == 3s);
    CHECK(queue.make_room(a, 3) == nullptr);
    CHECK(queue.remove(b));
    CHECK_FALSE(queue.remove(b));
    CHECK(queue.pop({}, refuse) == &a);
    CHECK(queue.pop({}, refuse) == &c);
    CHECK(queue.empty());
    CHECK(queue.pop({}, refuse) == nullptr);
}

namespace weir {
static_assert(wait_queue<fifo>);
} // namespace weir: what the header promises
