// SPDX-License-Identifier: BSL-1.0
#include <weir/core/park.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct told : weir::notifier {
    told() noexcept : notifier{[](notifier& self) noexcept { ++static_cast<told&>(self).times; }} {}
    int times = 0;
};

/// A gate that parks all calls until it is opened.
struct door {
    using role = weir::gate;
    static constexpr std::string_view name = "door";
    std::mutex lock;
    weir::waiter_list waiting;
    bool is_open = false;
    weir::duration patience{1h};
    int entered = 0;
    int left = 0;

    weir::admission<> admit(auto& call, weir::waiter& w)
    {
        std::lock_guard const guard(lock);
        if (is_open) return enter();
        waiting.push_back(w);
        return weir::park_until{weir::after(call.now(), patience)};
    }
    weir::admission<> resume(auto&, weir::waiter&)
    {
        std::lock_guard const guard(lock);
        return enter();
    }
    bool abandon(weir::waiter& w) noexcept
    {
        std::lock_guard const guard(lock);
        return waiting.remove(w);
    }
    void decline(weir::waiter&) noexcept {}
    static weir::error gave_up() { return weir::errc::unavailable; }
    void settle(weir::pass, auto const&, auto&)
    {
        std::lock_guard const guard(lock);
        ++left;
    }
    void cancel(weir::pass) noexcept { ++left; }

    void open()
    {
        std::lock_guard const guard(lock);
        is_open = true;
        while (weir::waiter* const w = waiting.pop_front()) w->wake();
    }
    std::size_t parked()
    {
        std::lock_guard const guard(lock);
        return waiting.size();
    }

private:
    weir::pass enter()
    {
        ++entered;
        return weir::admitted;
    }
};

} // namespace

TEST_CASE("waiter: a wake that comes before anybody listens is not lost, and only one is told")
{
    weir::waiter w;
    told n;
    w.wake();
    CHECK_FALSE(w.attach(n));
    CHECK(n.times == 0);
    w.detach();
    CHECK(w.attach(n));
    w.wake();
    w.wake();
    CHECK(n.times == 1);
    w.detach();
    w.wake();
    CHECK(n.times == 1);
}

TEST_CASE("waiter_list: first in, first out, and from anywhere, as a plain list")
{
    std::mt19937 random(5);
    std::vector<weir::waiter> waiters(20);
    weir::waiter_list list;
    std::list<weir::waiter*> expected;
    for (int step = 0; step < 5'000; ++step) {
        weir::waiter& w = waiters[random() % waiters.size()];
        bool const in = std::find(expected.begin(), expected.end(), &w) != expected.end();
        CHECK(w.linked() == in);
        switch (random() % 3) {
        case 0:
            if (!in) {
                list.push_back(w);
                expected.push_back(&w);
            }
            break;
        case 1:
            CHECK(list.remove(w) == in);
            expected.remove(&w);
            break;
        case 2:
            CHECK(list.pop_front() == (expected.empty() ? nullptr : expected.front()));
            if (!expected.empty()) expected.pop_front();
            break;
        }
        CHECK(list.size() == expected.size());
        CHECK(list.empty() == expected.empty());
    }
}

TEST_CASE("blocking driver: parked calls go on when they are woken")
{
    door gate;
    std::atomic<int> done{0};
    weir::pipeline svc{std::ref(gate), [](int x) { return x; }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([&, t] { done += svc(t).value() == t; });
    while (gate.parked() < 4) std::this_thread::yield();
    CHECK(done == 0);
    gate.open();
    for (auto& t : threads) t.join();
    CHECK(done == 4);
    CHECK(gate.entered == 4);
    CHECK(gate.left == 4);
}

TEST_CASE("blocking driver: who waits in vain is refused by the policy that parked him")
{
    door gate;
    gate.patience = 1ns;
    weir::pipeline svc{std::ref(gate), [](int x) { return x; }};
    weir::result<int> const r = svc(1);
    CHECK(r.error() == weir::errc::unavailable);
    CHECK(r.error().policy() == 0);
    CHECK(gate.parked() == 0);
    CHECK(gate.entered == 0);
    CHECK(gate.left == 0);
}
