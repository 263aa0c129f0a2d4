// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/turnstile.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <cstdint>
#include <string_view>

namespace weir::inline v0 {

struct bulkhead_options {
    /// How many calls may be inside at a time; at least 1.
    required<std::uint32_t> max_concurrent;
    /// How long a call may wait for a place; 0 means not at all.
    duration max_wait{0};
    /// How many calls may wait at a time.
    std::uint32_t max_waiting = 1'000;
};

/// Lets so many calls inside at a time, a semaphore: one slow handler cannot take all the threads and connections of a service. A call
/// that finds no place waits its turn, first come first served, or is refused with `errc::bulkhead_full`.
///
/// A place costs two atomic operations a call; a place that comes free is handed to the one who waits longest, without ever being free. To
/// limit calls by time take `rate_limit`; for another order than first come, first served, priorities or fairness by user,
/// `concurrency_limit`; where nobody knows the right number of places, `adaptive_limit`. Thread-safe if `shared`.
template<threading_model Threading = shared>
class bulkhead {
public:
    using role = gate;
    using traits = weir::traits<waits>;
    using options = bulkhead_options;
    static constexpr std::string_view name = "bulkhead";
    struct stats_type {
        std::uint64_t inside = 0;
        std::uint64_t waiting = 0;
        std::uint64_t refused = 0;
        void each(auto&& field) const
        {
            field("inside", inside);
            field("waiting", waiting);
            field("refused_total", refused);
        }
    };

    explicit bulkhead(options o) : places_(*checked(o).max_concurrent, {o.max_wait, o.max_waiting}, fifo{}) {}

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<> { return places_.admit(call, w); }
    auto resume(auto&, waiter& w) noexcept -> admission<> { return places_.resume(w); }
    bool abandon(waiter& w) noexcept { return places_.abandon(w); }
    void decline(waiter& w) noexcept { places_.decline(w); }
    error gave_up() noexcept { return places_.gave_up(); }
    [[gnu::always_inline]] void settle(pass, auto const&, auto&) noexcept { places_.leave(); }
    void cancel(pass) noexcept { places_.leave(); }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {places_.inside(), places_.waiting(), places_.refused()}; }
    [[nodiscard]] options settings() const noexcept
    {
        auto const [count, bounds] = places_.settings();
        return {.max_concurrent = count, .max_wait = bounds.max_wait, .max_waiting = bounds.max_waiting};
    }
    /// Other bounds from now on. Fewer places than there are calls inside: they leave, nobody is thrown out. Throws
    /// `std::invalid_argument` and changes nothing if the options are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        places_.reconfigure(*o.max_concurrent, {o.max_wait, o.max_waiting});
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_concurrent", *o.max_concurrent);
        field("max_wait", o.max_wait);
        field("max_waiting", o.max_waiting);
    }

private:
    static options const& checked(options const& o)
    {
        expect(*o.max_concurrent >= 1, "bulkhead.max_concurrent", "at least 1");
        expect(o.max_wait >= duration::zero(), "bulkhead.max_wait", "0 or more");
        return o;
    }

    detail::turnstile<fifo, Threading> places_;
};
bulkhead(bulkhead_options)->bulkhead<>;

} // namespace weir::inline v0
