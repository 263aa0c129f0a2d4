// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/turnstile.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

/// What `bulkhead` and `concurrency_limit` do: lets so many calls inside at a time, while the others wait in a queue; `Name` is the
/// policy's.
template<fixed_string Name, class Options, class Queue, threading_model Threading>
class gate_of_places {
public:
    using role = gate;
    using traits = weir::traits<waits>;
    using options = Options;
    static constexpr std::string_view name = Name.view();

    /// Throws `std::invalid_argument` if the options are bad.
    explicit gate_of_places(options const& o, Queue queue)
        : places_(*checked(o).max_concurrent, {o.max_wait, o.max_waiting}, std::move(queue))
    {
    }

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<> { return places_.admit(call, w); }
    auto resume(auto&, waiter& w) noexcept -> admission<> { return places_.resume(w); }
    bool abandon(waiter& w) noexcept { return places_.abandon(w); }
    void decline(waiter& w) noexcept { places_.decline(w); }
    error gave_up() noexcept { return places_.gave_up(); }
    [[gnu::always_inline]] void settle(pass, auto const&, [[maybe_unused]] auto& call) noexcept
    {
        if constexpr (Queue::reads_time)
            places_.leave(call);
        else
            places_.leave();
    }
    void cancel(pass) noexcept { places_.leave(); }

    [[nodiscard]] options settings() const noexcept
    {
        auto const [count, bounds] = places_.settings();
        return {.max_concurrent = count, .max_wait = bounds.max_wait, .max_waiting = bounds.max_waiting};
    }
    /// Other bounds from now on; those that wait keep their place in the queue and their time. Fewer places than there are calls inside:
    /// they leave, nobody is thrown out. Throws `std::invalid_argument` and changes nothing if the options are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        places_.reconfigure(*o.max_concurrent, {o.max_wait, o.max_waiting});
    }

protected:
    [[nodiscard]] auto& places() noexcept { return places_; }
    [[nodiscard]] auto const& places() const noexcept { return places_; }

private:
    static options const& checked(options const& o)
    {
        expect(*o.max_concurrent >= 1, std::string(name) + ".max_concurrent", "at least 1");
        expect(o.max_wait.count() >= 0, std::string(name) + ".max_wait", "0 or more");
        return o;
    }

    turnstile<Queue, Threading> places_;
};

} // namespace weir::inline v0::detail
