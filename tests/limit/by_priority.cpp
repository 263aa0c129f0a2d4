// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/by_priority.hpp>

#include "gate_schedules.hpp"

#include <weir/limit/concurrency_limit.hpp>

#include <array>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

template<class Queue>
using limit = weir::concurrency_limit<Queue, weir::confined>;
using queue = weir::by_priority<3, weir_test::by_number>;

/// Sixteenths of a place that each class has for itself; one line for all, looked through.
struct model : weir_test::fifo_model {
    std::array<int, 3> sixteenths{}, credit{};

    [[nodiscard]] int waiting(std::uint32_t number) const
    {
        return static_cast<int>(std::count_if(calls.begin(), calls.end(), [&](auto const& c) { return c.number == number; }));
    }
    weir::duration push(weir_test::waiting_call c, weir::duration max_wait)
    {
        c.number = std::min(c.number, 2u);
        return fifo_model::push(c, max_wait);
    }
    std::optional<int> pop(weir::time_point, std::vector<int>&)
    {
        for (std::uint32_t n = 0; n < 3; ++n)
            if (waiting(n) > 0) credit[n] += sixteenths[n];
        std::uint32_t best = 0;
        while (waiting(best) == 0) ++best; // the highest that waits, unless somebody is owed a place
        int owed = 15;
        for (std::uint32_t n = 0; n < 3; ++n)
            if (waiting(n) > 0 && credit[n] > owed) owed = credit[best = n];
        credit[best] = std::max(credit[best] - 16, 0);
        auto const c = *std::find_if(calls.begin(), calls.end(), [&](auto const& each) { return each.number == best; });
        remove(c.id);
        return c.id;
    }
    void remove(int id)
    {
        fifo_model::remove(id);
        for (std::uint32_t n = 0; n < 3; ++n)
            if (waiting(n) == 0) credit[n] = 0;
    }
    std::optional<int> make_room(weir_test::waiting_call const& newcomer, std::size_t length)
    {
        std::uint32_t const own = std::min(newcomer.number, 2u);
        auto const room = [&](std::uint32_t n) { return static_cast<int>((static_cast<std::size_t>(sixteenths[n]) * length + 8) / 16); };
        for (std::uint32_t n = 3; n-- > 0;)
            if (n != own && waiting(n) > room(n) && (n > own || waiting(own) < room(own)))
                return std::find_if(calls.rbegin(), calls.rend(), [&](auto const& c) { return c.number == n; })->id;
        return {};
    }
};

/// One that waits in a queue by itself.
void push(queue& q, weir::waiter& w, std::uint32_t number)
{
    weir_test::numbered_call call{.number = number};
    q.mark(call, w);
    static_cast<void>(q.push(w, call.time, 1s));
}

} // namespace

TEST_CASE("by_priority: serves whom the model serves, whatever the schedule")
{
    weir_test::compare_gates<limit>(4, [](auto& random) {
        model m;
        m.sixteenths[0] = static_cast<int>(random() % 6);
        m.sixteenths[1] = static_cast<int>(random() % 6);
        m.sixteenths[2] = static_cast<int>(random() % 7);
        auto const share = [&](std::size_t i) { return m.sixteenths[i] / 16.0; };
        return std::pair{queue{{}, share(0), share(1), share(2)}, m};
    });
}

TEST_CASE("by_priority: all the time in a queue, each class gets its share and the rest is for the highest")
{
    queue q{{}, 0.0, 0.25, 0.125};
    std::deque<weir::waiter> waiters;
    std::array<int, 3> served{};
    for (std::uint32_t n = 0; n < 3; ++n) push(q, waiters.emplace_back(), n);
    for (int i = 1; i <= 8'000; ++i) {
        weir::waiter* const w = q.pop({}, [](weir::waiter&) {});
        std::uint32_t const n = w->note.line;
        ++served[n];
        push(q, waiters.emplace_back(), n); // another of its class
        push(q, waiters.emplace_back(), n);
        REQUIRE(served[1] >= i / 4 - 3);
        REQUIRE(served[2] >= i / 8 - 3);
        REQUIRE(served[1] <= i / 4 + 1); // before a higher one for its share only
        REQUIRE(served[2] <= i / 8 + 1);
    }
}

TEST_CASE("by_priority: one that comes alone is not kept waiting, and one past the last class is of the last")
{
    queue q{{}, 0.0, 0.0, 0.0};
    weir::waiter low, high;
    push(q, low, 1'000);
    CHECK(low.note.line == 2);
    push(q, high, 0);
    auto const nobody = [](weir::waiter&) {};
    CHECK(q.pop({}, nobody) == &high);
    CHECK(q.pop({}, nobody) == &low);
    CHECK(q.pop({}, nobody) == nullptr);
    CHECK(q.empty());
}

TEST_CASE("by_priority: shares that are not right are refused")
{
    CHECK_THROWS_WITH_AS(queue({}, 0.5, 0.5, 0.1), "by_priority.shares: expected 1 at most together", std::invalid_argument);
    CHECK_THROWS_WITH_AS(queue({}, -0.1, 0.5, 0.1), "by_priority.shares: expected a ratio in [0, 1]", std::invalid_argument);
    queue q{{}, 0.1, 0.1, 0.1};
    q.reconfigure({{0.2, 0.3, 0.4}});
    CHECK(q.settings().shares[2] == 0.4);
}
