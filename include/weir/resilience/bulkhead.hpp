// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/striped.hpp>

#include <cstdint>
#include <mutex>
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
/// limit calls by time take `rate_limit`. Thread-safe if `shared`.
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

    explicit bulkhead(options o) : places_(*checked(o).max_concurrent), settings_(o) {}

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<>
    {
        std::uint64_t seen = word_.load();
        while (seen < places_.load()) // also says that nobody waits: waiters are counted above the places
            if (word_.replace(seen, seen + 1)) [[likely]]
                return admitted;
        return admit_when_full(call.now(), w);
    }
    auto resume(auto&, waiter&) noexcept -> admission<> { return admitted; }
    bool abandon(waiter& w) noexcept
    {
        std::lock_guard lock(waiting_lock_);
        if (!waiting_.remove(w)) return false;
        word_.add(-one_waiter);
        return true;
    }
    void decline(waiter&) noexcept { leave(); }
    error gave_up() noexcept
    {
        refused_.add();
        return errc::bulkhead_full;
    }
    void settle(pass, auto const&, auto&) noexcept { leave(); }
    void cancel(pass) noexcept { leave(); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        std::uint64_t const word = word_.load();
        return {word & inside_mask, word / one_waiter, refused_.sum()};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other bounds from now on. Fewer places than there are calls inside: they leave, nobody is thrown out. Throws
    /// `std::invalid_argument` and changes nothing if the options are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::lock_guard lock(waiting_lock_);
        settings_.store(o);
        places_.store(*o.max_concurrent);
        while ((word_.load() & inside_mask) < *o.max_concurrent && !waiting_.empty()) {
            word_.add(1);
            hand_over();
        }
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_concurrent", *o.max_concurrent);
        field("max_wait", o.max_wait);
        field("max_waiting", o.max_waiting);
    }

private:
    /// Calls inside in the low 32 bits, calls that wait above.
    static constexpr std::uint64_t one_waiter = std::uint64_t{1} << 32;
    static constexpr std::uint64_t inside_mask = one_waiter - 1;

    static options const& checked(options const& o)
    {
        expect(*o.max_concurrent >= 1, "bulkhead.max_concurrent", "at least 1");
        expect(o.max_wait >= duration::zero(), "bulkhead.max_wait", "0 or more");
        return o;
    }
    void hand_over() noexcept
    {
        word_.add(-one_waiter);
        waiting_.pop_front()->wake(); // under the lock: one that gives up meanwhile finds itself out of the list
    }
    [[gnu::always_inline]] void leave() noexcept
    {
        std::uint64_t seen = word_.load();
        while (seen < one_waiter)
            if (word_.replace(seen, seen - 1)) [[likely]]
                return;
        leave_to_a_waiter();
    }
    [[gnu::noinline, gnu::cold]] void leave_to_a_waiter() noexcept
    {
        std::lock_guard lock(waiting_lock_);
        if (waiting_.empty() || (word_.load() & inside_mask) > places_.load())
            word_.add(-std::uint64_t{1});
        else
            hand_over();
    }
    [[gnu::noinline, gnu::cold]] auto admit_when_full(time_point now, waiter& w) -> admission<>
    {
        options const o = settings_.load();
        std::lock_guard lock(waiting_lock_);
        std::uint64_t seen = word_.load();
        for (;;) {
            if (seen < places_.load()) {
                if (word_.replace(seen, seen + 1)) return admitted;
            } else if (o.max_wait == duration::zero() || seen / one_waiter >= o.max_waiting) {
                refused_.add();
                return errc::bulkhead_full;
            } else if (word_.replace(seen, seen + one_waiter)) {
                waiting_.push_back(w);
                return park_until{after(now, o.max_wait)};
            }
        }
    }

    typename Threading::template cell<std::uint64_t> word_;
    typename Threading::template cell<std::uint64_t> places_;
    live<options> settings_;
    detail::counter<Threading> refused_;
    typename Threading::mutex waiting_lock_;
    waiter_list waiting_;
};
bulkhead(bulkhead_options)->bulkhead<>;

} // namespace weir::inline v0
