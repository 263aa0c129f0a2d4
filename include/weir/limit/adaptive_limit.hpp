// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/turnstile.hpp>
#include <weir/core/options.hpp>
#include <weir/core/wait_queue.hpp>
#include <weir/limit/concurrency_limit.hpp>
#include <weir/limit/detail/load_sampler.hpp>
#include <weir/limit/load_sign.hpp>
#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct adaptive_limit_options {
    /// The limit at first; from `floor` to `ceiling`.
    std::uint32_t initial = 20;
    /// The limit is never less, but while a probe runs; at least 1.
    std::uint32_t floor = 10;
    /// The limit is never more; at most 1,000,000.
    std::uint32_t ceiling = 1'000;
    /// The limit while a probe measures how long a call takes without load; at least 1, and usually below the floor.
    std::uint32_t probe_limit = 4;
    /// How long after a probe the next begins, and up to half as long again, by chance, if the limit is felt then; 0: no probes. After the
    /// first one it is a 32nd of that, then twice as long each, as what one has measured is not known well.
    duration probe_every = std::chrono::seconds(30);
    /// The limit is thought over after so long at the soonest, and after three times the mean time of a call; from 1 ms to an hour. A
    /// probe lasts ten times this, or ten times the mean time of a call, at most.
    duration window = std::chrono::milliseconds(100);
    /// And after so many calls; at least 1. A probe measures as many.
    std::uint32_t window_calls = 100;
    /// How long a call may wait for a place; 0 means not at all.
    duration max_wait{0};
    /// How many calls may wait at a time.
    std::uint32_t max_waiting = 1'000;
    /// Of the chance in `probe_every`; 0: another one each time.
    std::uint64_t seed = 0;
};

/// Lets as many calls inside at a time as an algorithm finds right, by the time that they take and by those that are dropped:
/// `adaptive_limit{vegas{}, {.ceiling = 500}}`. What finds no place waits as in `concurrency_limit`, `adaptive_limit{vegas{}, {.max_wait
/// = 50ms}, codel{}}`, or is refused with `errc::bulkhead_full`.
///
/// Algorithms are `aimd`, `vegas`, `gradient2` and `brpc_auto`, or one of your own (`limit_algorithm`). The time that a call takes counts
/// from when it has its place. A window judges the calls that began in it, and drops of calls that began before the limit last sank do
/// not count again. For algorithms that want to know the time without load a **probe** is made after the first window in which the limit
/// was felt, and every `probe_every`: the limit falls to `probe_limit`, and when no more are inside, the next calls are measured. It ends
/// in time whatever they do.
///
/// Put it where the time arises: around a handler that calls another service, or as the outermost of a server. Cost: two atomic
/// operations and a clock reading on each way, shared with the other policies; a few words of the thread's own; the window is judged by one
/// call of many. Thread-safe if `shared`.
template<class Algorithm, class Queue = fifo, class Sign = default_load_sign, threading_model Threading = shared>
class adaptive_limit {
    static_assert(detail::is_limit_algorithm<Algorithm>());
    static_assert(detail::is_wait_queue<Queue>());

public:
    using role = gate;
    using traits = weir::traits<waits>;
    using needs = typename detail::queue_asks<Queue>::needs;
    using reads = typename detail::queue_asks<Queue>::reads;
    using options = adaptive_limit_options;
    static constexpr std::string_view name = "adaptive_limit";
    struct stats_type {
        std::uint64_t limit = 0; ///< in force, also by a probe
        std::uint64_t inside = 0;
        std::uint64_t waiting = 0;
        std::uint64_t refused = 0;
        std::uint64_t dropped = 0;
        std::uint64_t windows = 0; ///< that were judged
        std::uint64_t probes = 0;  ///< that began
        duration rtt{0};           ///< the mean of the last window
        void each(auto&& field) const
        {
            field("limit", limit);
            field("inside", inside);
            field("waiting", waiting);
            field("refused_total", refused);
            field("dropped_total", dropped);
            field("windows_total", windows);
            field("probes_total", probes);
            field("rtt_seconds", rtt);
        }
    };

    /// Throws `std::invalid_argument` if the options are bad.
    explicit adaptive_limit(Algorithm algorithm, options const& o = {}, Queue queue = Queue(), Sign sign = {})
        : places_(checked_first(o).initial, {o.max_wait, o.max_waiting}, std::move(queue)),
          sign_(std::move(sign)),
          algorithm_(std::move(algorithm)),
          options_(o),
          limit_(o.initial),
          random_(o.seed != 0 ? o.seed : detail::random_seed())
    {
    }

    [[gnu::always_inline]] auto admit(auto& call, waiter& w) -> admission<time_point>
    {
        auto const a = places_.admit(call, w);
        if (a) [[likely]]
            return call.now();
        if (is_probing_.load()) adjust(call.now()); // so that a probe ends also when nobody inside does
        if (a.is_parked()) return park_until{a.parked_until()};
        return a.refusal();
    }
    auto resume(auto& call, waiter& w) -> admission<time_point>
    {
        if (auto const a = places_.resume(w); !a) return a.refusal();
        return call.now();
    }
    bool abandon(waiter& w) noexcept { return places_.abandon(w); }
    void decline(waiter& w) noexcept { places_.decline(w); }
    error gave_up() noexcept { return places_.gave_up(); }
    [[gnu::always_inline]] void settle(time_point began, auto const& outcome, auto& call)
    {
        std::uint32_t const inflight = places_.leave(call);
        load_sign const sign = sign_(outcome, std::as_const(call));
        time_point const now = call.now();
        bool const dropped = sign == load_sign::dropped;
        if (sign != load_sign::none) [[likely]]
            sampler_.count({now - began, inflight, dropped, began.time_since_epoch().count() >= (dropped ? drops_since_ : since_).load()});
        if (now.time_since_epoch().count() >= due_.load()) [[unlikely]]
            adjust(now);
    }
    void cancel(time_point) noexcept { places_.leave(); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        std::lock_guard lock(adjusting_);
        return {places_.count(), places_.inside(), places_.waiting(), places_.refused(), sampler_.dropped(), windows_, probes_, rtt_};
    }
    [[nodiscard]] options settings() const
    {
        std::lock_guard lock(adjusting_);
        return options_;
    }
    [[nodiscard]] typename Algorithm::options algorithm_settings() const
    {
        std::lock_guard lock(adjusting_);
        return algorithm_.settings();
    }
    /// Other bounds from now on, all but `initial` and `seed`; the limit moves into them, what was learnt stays. Throws
    /// `std::invalid_argument` and changes nothing if the options are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::lock_guard lock(adjusting_);
        options_ = o;
        limit_ = bounded(limit_);
        places_.reconfigure(count_now(), {o.max_wait, o.max_waiting});
    }
    void reconfigure_algorithm(typename Algorithm::options const& o)
    {
        std::lock_guard lock(adjusting_);
        algorithm_.reconfigure(o);
    }
    template<class Q = Queue>
    [[nodiscard]] typename Q::options queue_settings() const
    {
        return places_.with_queue([](Q const& queue) { return queue.settings(); });
    }
    template<class Q = Queue>
    void reconfigure_queue(typename Q::options const& o)
    {
        places_.with_queue([&](Q& queue) { queue.reconfigure(o); });
    }
    /// The limit in force is among the settings that it tells.
    void describe(auto&& field) const
    {
        std::lock_guard lock(adjusting_);
        field("algorithm", algorithm_.name);
        field("limit", places_.count());
        field("floor", options_.floor);
        field("ceiling", options_.ceiling);
        field("probe_limit", options_.probe_limit);
        field("probe_every", options_.probe_every);
        field("window", options_.window);
        field("window_calls", options_.window_calls);
        if constexpr (requires { algorithm_.describe(field); }) algorithm_.describe(field);
        detail::describe_queue(places_, {options_.max_wait, options_.max_waiting}, field);
    }

private:
    static constexpr bool probes = requires(Algorithm & a, load_window const& w) { a.probed(w); };

    static constexpr std::int64_t at_once = time_point::min().time_since_epoch().count();

    static options const& checked(options const& o)
    {
        expect(o.floor >= 1, "adaptive_limit.floor", "at least 1");
        expect(o.ceiling >= o.floor && o.ceiling <= 1'000'000, "adaptive_limit.ceiling", "at least the floor and at most 1000000");
        expect(o.probe_limit >= 1, "adaptive_limit.probe_limit", "at least 1");
        expect(o.probe_every.count() >= 0, "adaptive_limit.probe_every", "0 or more");
        expect(o.window >= std::chrono::milliseconds(1) && o.window <= std::chrono::hours(1), "adaptive_limit.window", "1 ms to an hour");
        expect(o.window_calls >= 1, "adaptive_limit.window_calls", "at least 1");
        expect(o.max_wait.count() >= 0, "adaptive_limit.max_wait", "0 or more");
        return o;
    }
    static options const& checked_first(options const& o)
    {
        checked(o);
        expect(o.initial >= o.floor && o.initial <= o.ceiling, "adaptive_limit.initial", "from the floor to the ceiling");
        return o;
    }

    // All that follows under the lock, but `adjust` itself.
    [[nodiscard]] std::uint32_t count_now() const noexcept
    {
        auto const count = static_cast<std::uint32_t>(limit_);
        return is_probing_.load() ? std::min(count, options_.probe_limit) : count;
    }
    [[nodiscard]] double bounded(double limit) const noexcept
    {
        return std::clamp(limit, static_cast<double>(options_.floor), static_cast<double>(options_.ceiling));
    }
    void look_again(time_point at) noexcept { due_.store(at.time_since_epoch().count()); }
    void begin_window(time_point now)
    {
        sampler_.begin();
        window_began_ = now;
        since_.store(now.time_since_epoch().count());
        look_again(after(now, options_.window));
    }
    [[gnu::noinline, gnu::cold]] void adjust(time_point now)
    {
        std::unique_lock lock(adjusting_, std::try_to_lock);
        if (!lock.owns_lock() || now.time_since_epoch().count() < due_.load()) return;
        if (!has_begun_) {
            has_begun_ = true;
            next_probe_ = now;
            begin_window(now);
        } else if (is_probing_.load())
            go_on_probing(now);
        else
            judge(now);
    }
    void judge(time_point now)
    {
        load_window const w = sampler_.seen(now - window_began_);
        if (w.served + w.dropped < options_.window_calls || w.length < 3 * w.rtt) {
            look_again(after(now, options_.window / 4));
            return;
        }
        bool const is_felt = w.is_used(limit_);
        double const wanted = algorithm_.next(w, limit_);
        double const limit = wanted >= options_.floor ? bounded(wanted) : static_cast<double>(options_.floor); // also if it is no number
        if (limit < limit_) drops_since_.store(now.time_since_epoch().count());
        limit_ = limit;
        if (count_now() != places_.count()) places_.resize(count_now(), now);
        ++windows_;
        rtt_ = w.rtt;
        begin_window(now);
        if constexpr (probes)
            if (options_.probe_every.count() > 0 && now >= next_probe_ && is_felt) begin_probe(now);
    }
    void begin_probe(time_point now)
    {
        ++probes_;
        is_probing_.store(true);
        is_drained_ = false;
        probe_ends_ = after(now, 10 * std::max(options_.window, rtt_));
        places_.resize(count_now(), now);
        since_.store(never.time_since_epoch().count()); // until it is drained
        look_again(now);
    }
    void go_on_probing(time_point now)
    {
        if (!is_drained_ && places_.inside() <= options_.probe_limit) {
            is_drained_ = true;
            begin_window(now);
        }
        load_window const w = is_drained_ ? sampler_.seen(now - window_began_) : load_window{};
        bool const full = w.served >= options_.window_calls;
        if (!full && now < probe_ends_) {
            look_again(is_drained_ ? after(now, options_.window / 10) : now);
            return;
        }
        if constexpr (probes)
            if (full || w.served * 4 >= options_.window_calls) algorithm_.probed(w);
        std::uint64_t const chance = detail::splitmix64(random_);
        duration const pause = options_.probe_every / (probes_ < 6 ? 64 >> probes_ : 1);
        next_probe_ = after(now, pause + duration(static_cast<std::int64_t>(static_cast<double>(chance >> 11) * 0x1p-54 *
                                                                            static_cast<double>(pause.count()))));
        is_probing_.store(false);
        places_.resize(count_now(), now);
        begin_window(now);
    }

    detail::turnstile<Queue, Threading> places_;
    [[no_unique_address]] Sign sign_;
    typename Threading::template cell<std::int64_t> since_{at_once};       // calls that began before do not count
    typename Threading::template cell<std::int64_t> drops_since_{at_once}; // nor do drops of calls that began before
    typename Threading::template cell<std::int64_t> due_{at_once};         // when to think again
    typename Threading::template cell<bool> is_probing_{false};
    detail::load_sampler<Threading> sampler_;

    mutable typename Threading::mutex adjusting_;
    Algorithm algorithm_;
    options options_;
    double limit_; // not rounded, without probes
    bool has_begun_ = false;
    bool is_drained_ = false;
    time_point window_began_{};
    time_point next_probe_{};
    time_point probe_ends_{};
    duration rtt_{0};
    std::uint64_t windows_ = 0;
    std::uint64_t probes_ = 0;
    std::uint64_t random_;
};
template<class Algorithm>
adaptive_limit(Algorithm) -> adaptive_limit<Algorithm>;
template<class Algorithm>
adaptive_limit(Algorithm, adaptive_limit_options) -> adaptive_limit<Algorithm>;
template<class Algorithm, class Queue>
adaptive_limit(Algorithm, adaptive_limit_options, Queue) -> adaptive_limit<Algorithm, Queue>;
template<class Algorithm, class Queue, class Sign>
adaptive_limit(Algorithm, adaptive_limit_options, Queue, Sign) -> adaptive_limit<Algorithm, Queue, Sign>;

} // namespace weir::inline v0
