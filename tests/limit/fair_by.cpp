// SPDX-License-Identifier: BSL-1.0
#include <weir/limit/fair_by.hpp>

#include "gate_schedules.hpp"

#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/principal.hpp>
#include <weir/limit/concurrency_limit.hpp>

#include <algorithm>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

template<class Queue>
using limit = weir::concurrency_limit<Queue, weir::confined>;
using queue = weir::fair_by<weir_test::by_number>;

/// A list of users in the order of their turns, each with its calls. Users that find no line of their own share that of `nobody`.
struct model {
    struct user {
        std::uint32_t number;
        weir_test::fifo_model line{};
    };
    static constexpr std::uint32_t nobody = 1'000;
    std::size_t max_users;
    std::deque<user> users{};

    auto find(std::uint32_t number)
    {
        return std::find_if(users.begin(), users.end(), [&](user const& u) { return u.number == number; });
    }
    weir::duration push(weir_test::waiting_call const& c, weir::duration max_wait)
    {
        auto own = find(c.number);
        if (own == users.end()) {
            bool const has_common = find(nobody) != users.end();
            if (users.size() - (has_common ? 1u : 0u) < max_users)
                own = users.insert(users.end(), {c.number});
            else
                own = has_common ? find(nobody) : users.insert(users.end(), {nobody});
        }
        own->line.calls.push_back(c);
        return max_wait;
    }
    std::optional<int> pop(weir::time_point, std::vector<int>&)
    {
        user first = std::move(users.front());
        users.pop_front();
        int const id = first.line.calls.front().id;
        first.line.calls.pop_front();
        if (!first.line.calls.empty()) users.push_back(std::move(first));
        return id;
    }
    void remove(int id)
    {
        for (auto u = users.begin(); u != users.end(); ++u) {
            auto& calls = u->line.calls;
            std::size_t const before = calls.size();
            std::erase_if(calls, [&](auto const& c) { return c.id == id; });
            if (calls.size() == before) continue;
            if (calls.empty()) users.erase(u);
            return;
        }
    }
    std::optional<int> make_room(weir_test::waiting_call const& c, std::size_t)
    {
        auto const own = find(c.number);
        std::size_t most = (own == users.end() ? 0 : own->line.size()) + 2;
        std::optional<int> goes;
        for (user const& u : users)
            if (u.line.size() >= most) {
                most = u.line.size();
                goes = u.line.calls.back().id;
            }
        return goes;
    }
    [[nodiscard]] std::size_t size() const
    {
        std::size_t n = 0;
        for (user const& u : users) n += u.line.size();
        return n;
    }
};

} // namespace

TEST_CASE("fair_by: users take turns as in the model, whatever the schedule")
{
    weir_test::compare_gates<limit>(5, [](auto& random) {
        std::uint32_t const users = 1 + random() % 6;
        return std::pair{queue{{}, {.max_users = users}}, model{users}};
    });
}

TEST_CASE("fair_by: one who sends a thousand calls waits behind nobody's one, and nobody behind his thousand")
{
    queue q{{}};
    std::deque<weir::waiter> waiters;
    auto const come = [&](std::uint32_t user) {
        weir_test::numbered_call call{.number = user};
        q.mark(call, waiters.emplace_back());
        static_cast<void>(q.push(waiters.back(), call.time, 1s));
    };
    for (int i = 0; i < 1'000; ++i) come(7);
    come(8);
    come(9);
    auto const nobody = [](weir::waiter&) {};
    CHECK(q.pop({}, nobody) == &waiters[0]);
    CHECK(q.pop({}, nobody) == &waiters[1'000]);
    CHECK(q.pop({}, nobody) == &waiters[1'001]);
    CHECK(q.pop({}, nobody) == &waiters[1]);
    for (int i = 2; i < 1'000; ++i) CHECK(q.pop({}, nobody) == &waiters[static_cast<std::size_t>(i)]);
    CHECK(q.empty());
    CHECK(q.pop({}, nobody) == nullptr);
}

TEST_CASE("fair_by: options that are not right are refused")
{
    CHECK_THROWS_WITH_AS(queue({}, {.max_users = 0}), "fair_by.max_users: expected 1 to 1048576", std::invalid_argument);
    CHECK_THROWS_AS(queue({}, {.max_users = (1u << 20) + 1}), std::invalid_argument);
}

static_assert(
    std::is_same_v<weir::concurrency_limit<weir::fair_by<weir::by_facet<weir::principal>>>::needs, weir::facets<weir::principal>>);
