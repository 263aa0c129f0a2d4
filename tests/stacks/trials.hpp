// SPDX-License-Identifier: BSL-1.0
//
// What is done to every random stack. Nothing here depends on its type.
#pragma once

#include "world.hpp"

#include <weir/core/events.hpp>
#include <weir/core/result.hpp>
#include <weir/core/scope.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace stacks {

/// What an observer hears of one call: whether its events fit together.
class record {
public:
    /// Calls that fork, or take a detour, tell of several machines at once: then only the sums have to fit.
    explicit record(bool forks, std::function<void()> at_each_event = {}) : forks_(forks), at_each_event_(std::move(at_each_event)) {}

    void operator()(weir::event::admitted const& e) { hears(kind::admitted, e.at.index); }
    void operator()(weir::event::refused const& e) { hears(kind::left_out, e.at.index); }
    void operator()(weir::event::answered const& e) { hears(kind::left_out, e.at.index); }
    void operator()(weir::event::delayed const& e) { hears(kind::waits, e.at.index); }
    void operator()(weir::event::parked const& e) { hears(kind::waits, e.at.index); }
    void operator()(weir::event::asks const& e) { hears(kind::waits, e.at.index); }
    void operator()(weir::event::forked const& e) { hears(kind::waits, e.at.index); }
    void operator()(weir::event::repeated const& e) { hears(kind::repeated, e.at.index); }
    void operator()(weir::event::settled const& e) { hears(kind::settled, e.at.index); }
    void operator()(weir::event::dropped const& e) { hears(kind::dropped, e.at.index); }
    void operator()(weir::event::called const&) { hears(kind::called, 0); }
    void operator()(weir::event::returned const&) { hears(kind::returned, 0); }
    void operator()(weir::event::ended const&) { hears(kind::ended, 0); }

    /// What does not fit, once nothing is under way any more; empty if all does.
    [[nodiscard]] std::string complaint() const;

    bool is_over = false; ///< its coroutine has ended
    bool has_value = false;
    weir::errc error{};
    bool threw = false;

private:
    enum class kind : std::uint8_t { admitted, left_out, waits, repeated, settled, dropped, called, returned, ended };
    enum class stage : std::uint8_t { outside, waiting, inside };
    void hears(kind what, std::size_t place);
    void wrong(kind what, std::size_t place, char const* why);

    std::recursive_mutex mutex_; // what a detour runs may tell while its call leaves; who is told may end it
    bool forks_;
    std::function<void()> at_each_event_;
    std::array<stage, 16> at_{};
    std::array<int, 16> admitted_{};
    std::array<int, 16> waits_{};
    std::array<int, 16> settled_{};
    std::array<int, 16> dropped_{};
    int ended_ = 0;
    std::string wrong_;
    std::string story_;
};

/// A pipeline made for one trial.
class subject {
public:
    subject() = default;
    subject(subject const&) = delete;
    subject& operator=(subject const&) = delete;
    virtual ~subject() = default;
    virtual asio::awaitable<void> ask(int key, record& heard) = 0;
    virtual void ask_here(int key, record& heard) = 0;
    /// What a policy still holds; empty if none does.
    [[nodiscard]] virtual std::string complaint(weir::time_point now) = 0;
    /// Until nothing runs on threads of the policies' own.
    virtual void wait_for_threads() = 0;

    weir::scope jobs;
};

struct stack_under_test {
    char const* order;
    bool forks;
    std::unique_ptr<subject> (*make)(world&);
    std::unique_ptr<subject> (*make_synchronous)(world&); ///< null if it has to await
};

/// Cancelled, destroyed and thrown in at every step, event and point of some runs of a few calls.
void try_every_point(stack_under_test const& stack);
/// Many calls at a time.
void try_crowds(stack_under_test const& stack);
/// The same on several threads, a strand a call.
void try_threads(stack_under_test const& stack);
/// One call after the other on this thread, thrown in at every point.
void try_synchronous(stack_under_test const& stack);

} // namespace stacks
