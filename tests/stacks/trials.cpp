// SPDX-License-Identifier: BSL-1.0
#include "trials.hpp"

#include <weir/asio/timer_wheel.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace stacks {

namespace {
constexpr std::array<char const*, 9> kind_names{"admitted", "left out", "waits",    "repeated", "settled",
                                                "dropped",  "called",   "returned", "ended"};
} // namespace

void record::wrong(kind what, std::size_t place, char const* why)
{
    if (wrong_.empty()) wrong_ = std::string(kind_names[static_cast<std::size_t>(what)]) + ' ' + std::to_string(place) + ' ' + why;
}

void record::hears(kind what, std::size_t place)
{
    std::scoped_lock const lock(mutex_);
    if (story_.size() < 4'000) story_ += std::string(kind_names[static_cast<std::size_t>(what)]) + ' ' + std::to_string(place) + ", ";
    stage& at = at_[place];
    auto const further_in = [&] {
        return std::any_of(at_.begin() + static_cast<std::ptrdiff_t>(place) + 1, at_.end(), [](stage s) { return s != stage::outside; });
    };
    switch (what) {
    case kind::admitted:
        ++admitted_[place];
        if (!forks_ && at == stage::inside) wrong(what, place, "twice");
        at = stage::inside;
        break;
    case kind::left_out:
        if (!forks_ && at == stage::inside) wrong(what, place, "after it was admitted");
        at = stage::outside;
        break;
    case kind::waits:
        ++waits_[place];
        if (!forks_ && at == stage::inside) wrong(what, place, "after it was admitted");
        at = stage::waiting;
        break;
    case kind::repeated:
        if (!forks_ && (at != stage::inside || further_in())) wrong(what, place, "while somebody further in is not settled");
        break;
    case kind::settled:
        ++settled_[place];
        if (!forks_ && (at != stage::inside || further_in())) wrong(what, place, "without an admission, or before somebody further in");
        at = stage::outside;
        break;
    case kind::dropped:
        ++dropped_[place];
        if (!forks_ && (at == stage::outside || further_in())) wrong(what, place, "without an admission, or before somebody further in");
        at = stage::outside;
        break;
    case kind::called:
    case kind::returned:
        if (ended_ != 0 && !forks_) wrong(what, place, "after the end");
        break;
    case kind::ended:
        ++ended_;
        if (!forks_ && (ended_ > 1 || at_ != decltype(at_){})) wrong(what, place, "twice, or too early");
        break;
    }
    if (ended_ != 0 && !forks_ && what != kind::ended) wrong(what, place, "after the end");
    if (at_each_event_) at_each_event_();
}

std::string record::complaint() const
{
    std::string found = wrong_;
    for (std::size_t i = 0; i < at_.size(); ++i) {
        if (!forks_ && at_[i] != stage::outside) found += " never left " + std::to_string(i);
        int const left = settled_[i] + dropped_[i];
        if (left < admitted_[i] || left > admitted_[i] + waits_[i]) found += " events do not fit at " + std::to_string(i);
    }
    if (is_over && !forks_ && !threw && !story_.empty() && ended_ != 1) found += " no end";
    return found.empty() ? found : found + " in: " + story_;
}

namespace {

/// What is done to a run, all counted from 1; 0 means not at all.
struct intervention {
    std::uint64_t cancel_at_step = 0;
    std::uint64_t cancel_at_event = 0;
    std::uint64_t destroy_at_step = 0;
    std::uint64_t throw_at = 0;
    std::uint64_t close_scope_at_step = 0;
    std::uint64_t throws_once_in = 0;
    std::uint64_t cancels_once_in = 0;
};
std::string to_string(intervention const& i)
{
    std::ostringstream out;
    out << "cancel at step " << i.cancel_at_step << ", at event " << i.cancel_at_event << ", destroy at step " << i.destroy_at_step
        << ", throw at point " << i.throw_at << ", close the scope at step " << i.close_scope_at_step << ", throw once in "
        << i.throws_once_in << ", cancel once in " << i.cancels_once_in;
    return out.str();
}
struct extent {
    std::uint64_t steps = 0;
    std::uint64_t events = 0;
    std::uint64_t points = 0;
};

asio::awaitable<void> call_later(subject& svc, int key, weir::duration when, record& heard)
{
    // Asio's own coroutine around this one takes no cancellation before it has been suspended once.
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (when > 0ms) co_await sleep(when);
    co_await svc.ask(key, heard);
}

/// Lets time pass, but none while policies run something on threads of their own.
void go_on(weir::simulation& world, subject& svc, weir::duration d)
{
    weir::time_point const end = weir::after(world.clock().now(), d);
    auto& wheel = asio::use_service<weir::timer_wheel>(world.context());
    for (;;) {
        svc.wait_for_threads();
        world.context().restart();
        if (world.context().poll_one() != 0) continue;
        if (wheel.next() > end) break;
        world.step();
    }
    world.clock().set(end);
}

/// What is left when nothing is under way.
std::string complaint(world const& w, std::deque<record> const& records)
{
    std::string found;
    for (std::size_t i = 0; i < w.books.size(); ++i) {
        if (w.books[i].out() != 0) found += "permits are lost of policy " + std::to_string(i) + "; ";
        if (w.books[i].wrong() != 0) found += "permits came back twice to policy " + std::to_string(i) + "; ";
    }
    for (record const& each : records) found += each.complaint();
    return found;
}

extent run(stack_under_test const& stack, std::uint64_t seed, int calls, weir::duration spread, intervention const& what)
{
    INFO(std::string(stack.order));
    INFO("seed ", seed, ", ", calls, " calls, ", to_string(what));
    int const live = guarded::live;
    extent seen;
    world w(seed);
    std::deque<record> records;
    std::deque<asio::cancellation_signal> signals;
    auto simulation = std::make_unique<weir::simulation>();
    w.clock = &simulation->clock();
    std::unique_ptr<subject> svc = stack.make(w);
    w.points = 0;
    w.throws_at = what.throw_at;
    w.throws_once_in = what.throws_once_in;

    auto const start = [&](int key, weir::duration when) -> record& {
        auto& signal = signals.emplace_back();
        std::size_t const number = records.size();
        record& heard = records.emplace_back(stack.forks, [&, number] {
            ++seen.events;
            if (seen.events == what.cancel_at_event) signals.front().emit(asio::cancellation_type::terminal);
            if (what.cancels_once_in != 0 && w.trouble(what.cancels_once_in)) signals[number].emit(asio::cancellation_type::terminal);
        });
        asio::co_spawn(simulation->context(), call_later(*svc, key, when, heard),
                       asio::bind_cancellation_slot(signal.slot(), [&heard](std::exception_ptr) { heard.is_over = true; }));
        return heard;
    };
    auto const most = static_cast<std::uint64_t>(spread / 10ms) + 1;
    for (int i = 0; i < calls; ++i)
        start(static_cast<int>(w.draw(calls > 4 ? 4 : 2)),
              i == 0 ? weir::duration(0) : weir::duration(10ms) * static_cast<int>(w.draw(most)));

    weir::time_point now = w.clock->now();
    for (; simulation->step(); svc->wait_for_threads()) {
        ++seen.steps;
        now = w.clock->now();
        REQUIRE_MESSAGE(seen.steps < 100'000, "it does not end");
        if (seen.steps == what.close_scope_at_step) svc->jobs.close();
        if (seen.steps == what.cancel_at_step) signals.front().emit(asio::cancellation_type::terminal);
        if (seen.steps == what.destroy_at_step) {
            svc->wait_for_threads();
            simulation.reset();
            break;
        }
    }
    seen.points = w.points;
    if (simulation != nullptr) {
        for (std::size_t i = 0; i < records.size(); ++i)
            REQUIRE_MESSAGE(records[i].is_over, "call ", i, " did not end: ", records[i].complaint());
        std::string const kept = svc->complaint(w.clock->now());
        REQUIRE(kept == "");
        // Nothing may be left that keeps others out. A breaker may open again whose probes took too long.
        w.quiet = true;
        w.throws_at = 0;
        for (int const key : {0, 1, 2, 3}) {
            go_on(*simulation, *svc, 25ms);
            start(key, 0ms);
        }
        for (int const key : {0, 1, 2, 3, 0, 1, 2, 3}) {
            go_on(*simulation, *svc, 1s);
            record const& heard = start(key, 0ms);
            go_on(*simulation, *svc, 1s);
            REQUIRE_MESSAGE(heard.is_over, "a quiet call did not end");
            REQUIRE_MESSAGE(heard.has_value, "a quiet call failed: ", std::string(weir::to_string(heard.error)),
                            std::string(heard.threw ? ", threw" : ""));
        }
        now = w.clock->now();
        simulation.reset();
    }
    std::string const held = svc->complaint(now);
    REQUIRE(held == "");
    svc.reset();
    std::string const found = complaint(w, records);
    REQUIRE(found == "");
    REQUIRE(guarded::live.load() == live);
    return seen;
}

} // namespace

void try_every_point(stack_under_test const& stack)
{
    constexpr std::uint64_t most = 150; // a long run is tried in strides
    auto const each = [](std::uint64_t count, auto&& at) {
        std::uint64_t const stride = count / most + 1;
        for (std::uint64_t i = 1; i <= count; i += stride) at(i);
    };
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        int const calls = seed == 1 ? 1 : 3;
        auto const again = [&](intervention const& what) { return run(stack, seed, calls, 20ms, what); };
        extent const whole = again({});
        each(whole.steps, [&](std::uint64_t i) {
            again({.cancel_at_step = i});
            again({.destroy_at_step = i});
            if (stack.forks) again({.close_scope_at_step = i});
        });
        each(whole.events, [&](std::uint64_t i) { again({.cancel_at_event = i}); });
        each(whole.points, [&](std::uint64_t i) { again({.throw_at = i}); });
    }
}

void try_crowds(stack_under_test const& stack)
{
    for (std::uint64_t seed = 100; seed < 108; ++seed) {
        intervention what{.throws_once_in = seed % 2 == 0 ? 0u : 100u, .cancels_once_in = seed % 4 < 2 ? 30u : 0u};
        extent const whole = run(stack, seed, 24, 200ms, what);
        what.destroy_at_step = 1 + seed * 7919 % (whole.steps + 1);
        run(stack, seed, 24, 200ms, what);
    }
}

void try_threads(stack_under_test const& stack)
{
    constexpr int calls = 40;
    for (std::uint64_t seed = 200; seed < 204; ++seed) {
        bool const destroyed = seed % 2 == 1;
        INFO(std::string(stack.order));
        INFO("seed ", seed, ", threads");
        int const live = guarded::live;
        world w(seed);
        weir::manual_clock clock;
        w.clock = &clock;
        std::deque<record> records;
        std::deque<asio::cancellation_signal> signals;
        auto context = std::make_unique<asio::io_context>(3);
        std::vector<asio::strand<asio::io_context::executor_type>> strands; // a strand must not outlive its context
        strands.reserve(calls);
        auto& wheel = asio::use_service<weir::timer_wheel>(*context);
        wheel.drive_by_hand();
        std::unique_ptr<subject> svc = stack.make(w);
        w.throws_once_in = 150;
        std::atomic<int> over{0};

        for (int i = 0; i < calls; ++i) {
            auto const& strand = strands.emplace_back(asio::make_strand(*context));
            auto& signal = signals.emplace_back();
            record& heard = records.emplace_back(stack.forks, [&] {
                if (context != nullptr && w.trouble(100)) asio::post(strand, [&signal] { signal.emit(asio::cancellation_type::terminal); });
            });
            weir::duration const when = weir::duration(10ms) * static_cast<int>(w.draw(20));
            asio::co_spawn(asio::any_io_executor(strand), call_later(*svc, static_cast<int>(w.draw(4)), when, heard),
                           asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr) {
                               heard.is_over = true;
                               ++over;
                           }));
        }
        auto work = std::optional(asio::make_work_guard(*context));
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i) threads.emplace_back([&] { context->run(); });
        std::uint64_t turns = destroyed ? w.draw(400) : ~std::uint64_t{0};
        std::string stuck;
        auto alive = weir::steady::now();
        for (int idle = 0; turns > 0 && stuck.empty() && (over < calls || svc->jobs.size() != 0); --turns) {
            weir::time_point const next = wheel.next();
            // Near alarms come at once, far ones when nothing else happens.
            if (next <= clock.now() + 20ms || (next <= clock.now() + 2h && ++idle > 200)) {
                clock.set(next);
                wheel.advance(clock.now());
                idle = 0;
                alive = weir::steady::now();
            } else if (weir::steady::now() > alive + 30s) // nothing will ever come: only for the report
                stuck = "calls do not end";
            std::this_thread::yield();
        }
        if (!stuck.empty()) context->stop();
        if (destroyed) context->stop();
        work.reset();
        for (std::thread& each : threads) each.join();
        svc->wait_for_threads();
        for (record const& each : records)
            if (!stuck.empty() && !each.is_over) stuck += "; " + each.complaint();
        REQUIRE(stuck == "");
        strands.clear();
        for (asio::cancellation_signal& each : signals) each.slot().clear(); // they hold strands, too
        std::unique_ptr<asio::io_context>(std::move(context)).reset();       // what still asks for cancellation finds none

        std::string const held = svc->complaint(clock.now());
        REQUIRE(held == "");
        svc.reset();
        std::string const found = complaint(w, records);
        REQUIRE(found == "");
        REQUIRE(guarded::live.load() == live);
    }
}

void try_synchronous(stack_under_test const& stack)
{
    bool const takes_a_detour = std::string_view(stack.order).find("isolated") != std::string_view::npos;
    auto const run_here = [&](std::uint64_t seed, std::uint64_t throw_at) {
        INFO(std::string(stack.order));
        INFO("seed ", seed, ", synchronous, throw at point ", throw_at);
        int const live = guarded::live;
        world w(seed);
        weir::manual_clock clock;
        w.clock = &clock;
        std::deque<record> records;
        std::unique_ptr<subject> svc = stack.make_synchronous(w);
        w.points = 0;
        w.throws_at = throw_at;
        auto const ask = [&](int key) -> record& {
            record& heard = records.emplace_back(takes_a_detour);
            svc->ask_here(key, heard);
            return heard;
        };
        for (int i = 0; i < 6; ++i) {
            clock.advance(w.some_time());
            ask(static_cast<int>(w.draw(2)));
        }
        std::uint64_t const points = w.points;
        w.quiet = true;
        w.throws_at = 0;
        for (int const key : {0, 1, 2, 3}) {
            clock.advance(25ms);
            ask(key);
        }
        for (int const key : {0, 1, 0, 1}) {
            clock.advance(1s);
            record const& heard = ask(key);
            REQUIRE_MESSAGE(heard.has_value, "a quiet call failed: ", std::string(weir::to_string(heard.error)),
                            std::string(heard.threw ? ", threw" : ""));
        }
        std::string const held = svc->complaint(clock.now());
        REQUIRE(held == "");
        svc.reset();
        std::string const found = complaint(w, records);
        REQUIRE(found == "");
        REQUIRE(guarded::live.load() == live);
        return points;
    };
    for (std::uint64_t seed = 300; seed < 310; ++seed) {
        std::uint64_t const points = run_here(seed, 0);
        for (std::uint64_t i = 1; i <= points; ++i) run_here(seed, i);
    }
}

} // namespace stacks
