// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/turnstile.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct load_limit_options {
    /// How many loads may be under way at a time, of all keys together; at least 1.
    required<std::uint32_t> max_loads;
    /// How long a load may wait for its turn; 0 means not at all.
    duration max_wait{0};
    /// How many loads may wait at a time.
    std::uint32_t max_waiting = 1'000;
};

struct load_limit_stats {
    std::uint64_t limit = 0;   ///< loads at a time now: fewer than the settings say while it is tightened
    std::uint64_t loading = 0; ///< under way
    std::uint64_t waiting = 0;
    std::uint64_t refused = 0;
    double tightness = 1; ///< the part of the settings' loads that is allowed now
    void each(auto&& field) const
    {
        field("limit", limit);
        field("loading", loading);
        field("waiting", waiting);
        field("refused_total", refused);
        field("tightness", tightness);
    }
};

/// Lets so many loads of a whole cache run at a time, so that a cache that has lost its entries at once, by a restart or an avalanche of
/// expiries, does not drown what stands behind it: `cached{...}, load_limit{{.max_loads = 20, .max_wait = 100ms}}, handler`. Hits do not
/// come this far; `cached` stands outward of it, and the compiler says so.
///
/// A load that finds no place waits, in the order of its queue (`fifo`, or those of `concurrency_limit`), or is refused with
/// `errc::bulkhead_full`; a cache that has `stale_on_error` answers that refusal with the stale value. `tighten` and `loosen` change the
/// limit while it runs, for a `hit_rate_alarm` or by hand. Who waits lies in the call's frame. A place costs two atomic operations a load;
/// it is the semaphore of `bulkhead`. Thread-safe if `shared`.
template<class Queue = fifo, threading_model Threading = shared>
class load_limit {
    static_assert(detail::is_wait_queue<Queue>());

public:
    using role = gate;
    using traits = weir::traits<waits>;
    using needs = typename detail::needs_of<Queue>::type;
    using reads = typename detail::reads_of<Queue>::type;
    using demands = weir::demands<requires_order<stating<may_answer_alone>, load_limit>>;
    using options = load_limit_options;
    using stats_type = load_limit_stats;
    static constexpr std::string_view name = "load_limit";

    /// Throws `std::invalid_argument` that names the member.
    explicit load_limit(options const& o, Queue queue = Queue())
        : places_(*checked(o).max_loads, {o.max_wait, o.max_waiting}, std::move(queue)), max_loads_(*o.max_loads)
    {
    }

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<> { return places_.admit(call, w); }
    auto resume(auto&, waiter& w) noexcept -> admission<> { return places_.resume(w); }
    bool abandon(waiter& w) noexcept { return places_.abandon(w); }
    void decline(waiter& w) noexcept { places_.decline(w); }
    error gave_up() noexcept { return places_.gave_up(); }
    void settle(pass, auto const&, [[maybe_unused]] auto& call) noexcept
    {
        if constexpr (Queue::reads_time)
            places_.leave(call);
        else
            places_.leave();
    }
    void cancel(pass) noexcept { places_.leave(); }

    /// From now on this part of the settings' loads, above 0 and at most 1, and one load at least. Those under way go on.
    void tighten(double to, time_point now = time_point::min()) noexcept
    {
        std::scoped_lock const lock(changing_);
        tightness_ = to >= 1 ? 1 : to > 0 ? to : 0;
        places_.resize(places_now(), now);
    }
    /// As the settings say again.
    void loosen(time_point now = time_point::min()) noexcept { tighten(1, now); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        std::scoped_lock const lock(changing_);
        return {places_.count(), places_.inside(), places_.waiting(), places_.refused(), tightness_};
    }
    [[nodiscard]] options settings() const noexcept
    {
        std::scoped_lock const lock(changing_);
        wait_bounds const bounds = places_.settings().second;
        return {.max_loads = max_loads_, .max_wait = bounds.max_wait, .max_waiting = bounds.max_waiting};
    }
    /// Other bounds from now on; it stays as tight as it is. Throws `std::invalid_argument` and changes nothing if the options are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::scoped_lock const lock(changing_);
        max_loads_ = *o.max_loads;
        places_.reconfigure(places_now(), {o.max_wait, o.max_waiting});
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_loads", *o.max_loads);
        field("max_wait", o.max_wait);
        field("max_waiting", o.max_waiting);
        places_.with_queue([&](Queue const& queue) {
            field("queue", queue.name);
            queue.describe(field);
        });
    }

private:
    static options const& checked(options const& o)
    {
        expect(*o.max_loads >= 1, "load_limit.max_loads", "at least 1");
        expect(o.max_wait.count() >= 0, "load_limit.max_wait", "0 or more");
        return o;
    }
    [[nodiscard]] std::uint32_t places_now() const noexcept
    {
        return std::max(static_cast<std::uint32_t>(static_cast<double>(max_loads_) * tightness_), std::uint32_t{1});
    }

    detail::turnstile<Queue, Threading> places_;
    mutable typename Threading::mutex changing_; ///< guards what follows
    std::uint32_t max_loads_;
    double tightness_ = 1;
};
load_limit(load_limit_options)->load_limit<>;
template<class Queue>
load_limit(load_limit_options, Queue) -> load_limit<Queue>;

} // namespace weir::inline v0
