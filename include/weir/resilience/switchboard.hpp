// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/options.hpp>
#include <weir/resilience/load_gauge.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// How far a service is degraded.
enum class service_level : std::uint8_t {
    normal,
    shed_minor, ///< refuse what is minor
    stale,      ///< ask nobody: caches and fallbacks answer with what they have
    fixed,      ///< ask nobody: static answers
};

/// `"normal"`, `"shed_minor"`, `"stale"`, `"fixed"`: in files, logs and metrics.
[[nodiscard]] constexpr std::string_view to_string(service_level l) noexcept
{
    constexpr std::array<std::string_view, 4> names{"normal", "shed_minor", "stale", "fixed"};
    return names[static_cast<std::size_t>(l)];
}
template<std::convertible_to<std::string_view> Name>
[[nodiscard]] constexpr std::optional<service_level> service_level_from(Name const& name) noexcept
{
    for (auto const l : {service_level::normal, service_level::shed_minor, service_level::stale, service_level::fixed})
        if (to_string(l) == name) return l;
    return std::nullopt;
}

struct switchboard_options {
    /// How long a level that load has set is held before it goes down by one; it goes up at once.
    duration hold = std::chrono::seconds(30);
    /// From these parts of the processors on `watch` wants shed_minor, stale and fixed; in [0, 1], none below the one before. Above 1:
    /// never.
    std::array<double, 3> cpu{0.85, 0.92, 0.97};
    /// And from these queue delays on; `duration::max()`: never.
    std::array<duration, 3> queue_delay{std::chrono::milliseconds(50), std::chrono::milliseconds(200), std::chrono::seconds(1)};
};

/// The services of a process and how far each is degraded. Three have a say: an operator's hand, which overrules the others until it lets
/// go; a file; and the load. The higher of the two holds. What load has set goes up at once and down by one level after each `hold` without
/// the need for it (hysteresis): a service that has just recovered is not flooded. Policies ask it: `degrade{board, "quotes"}`.
///
/// Asking costs a load of a word; setting takes a lock. The services are named once, at the beginning. Thread-safe.
class switchboard {
public:
    using options = switchboard_options;

    /// One service's place. It lives as long as the board.
    class dial {
    public:
        [[nodiscard]] service_level level() const noexcept { return level_.load(std::memory_order_relaxed); }
        [[nodiscard]] std::string const& service() const noexcept { return service_; }

    private:
        friend switchboard;
        dial() = default;
        void turn() noexcept { level_.store(is_by_hand_ ? by_hand_ : std::max(by_file_, by_load_), std::memory_order_relaxed); }

        std::string service_;
        std::atomic<service_level> level_{service_level::normal};
        bool is_by_hand_ = false;
        service_level by_hand_ = service_level::normal;
        service_level by_file_ = service_level::normal;
        service_level by_load_ = service_level::normal;
        time_point needed_{}; // the level that load has set, the last time
    };

    /// Throws `std::invalid_argument` that names what is wrong.
    explicit switchboard(std::initializer_list<std::string_view> services, options const& o = {})
        : options_(checked(o)), dials_(new dial[services.size()])
    {
        for (std::string_view const service : services) {
            expect(find(service) == nullptr, "switchboard.services", "each service once");
            dials_[size_++].service_ = service;
        }
    }
    switchboard(switchboard const&) = delete;
    switchboard& operator=(switchboard const&) = delete;

    /// Throws `std::invalid_argument` that names the service if there is no such one.
    [[nodiscard]] dial const& at(std::string_view service) const { return const_cast<switchboard&>(*this).known(service); }
    [[nodiscard]] service_level level(std::string_view service) const { return at(service).level(); }

    /// By hand: this level, whatever file and load say, until `release`.
    void set(std::string_view service, service_level level)
    {
        change(service, [&](dial& d) {
            d.by_hand_ = level;
            d.is_by_hand_ = true;
        });
    }
    void release(std::string_view service)
    {
        change(service, [](dial& d) { d.is_by_hand_ = false; });
    }
    /// By file: at least this level.
    void plan(std::string_view service, service_level level)
    {
        change(service, [&](dial& d) { d.by_file_ = level; });
    }
    /// By load: what this service needs now. Call it now and then, also when nothing changes, so that levels go down.
    void need(std::string_view service, service_level level, time_point now)
    {
        change(service, [&](dial& d) { follow(d, level, now); });
    }
    /// The same for all services, by what a gauge says of the process; for a sampler's timer.
    void watch(load_gauge const& gauge, time_point now)
    {
        auto wanted = service_level::normal;
        for (std::size_t i = 0; i < 3; ++i)
            if (gauge.cpu() >= options_.cpu[i] || gauge.queue_delay() >= options_.queue_delay[i])
                wanted = static_cast<service_level>(i + 1);
        std::lock_guard const lock(mutex_);
        for (std::size_t i = 0; i < size_; ++i) {
            follow(dials_[i], wanted, now);
            dials_[i].turn();
        }
    }

    /// Calls `visit(service, level)` for each.
    template<class Visitor>
    void for_each(Visitor visit) const
    {
        for (std::size_t i = 0; i < size_; ++i) visit(std::string_view(dials_[i].service_), dials_[i].level());
    }

private:
    static options const& checked(options const& o)
    {
        expect(o.hold.count() >= 0, "switchboard.hold", "0 or more");
        for (std::size_t i = 0; i < 3; ++i) {
            expect(o.cpu[i] >= 0 && (i == 0 || o.cpu[i] >= o.cpu[i - 1]), "switchboard.cpu", "ratios, none below the one before");
            expect(o.queue_delay[i].count() >= 0 && (i == 0 || o.queue_delay[i] >= o.queue_delay[i - 1]), "switchboard.queue_delay",
                   "0 or more, none below the one before");
        }
        return o;
    }
    void follow(dial& d, service_level wanted, time_point now) noexcept
    {
        if (wanted >= d.by_load_) {
            d.by_load_ = wanted;
            d.needed_ = now;
        } else if (now >= after(d.needed_, options_.hold)) {
            d.by_load_ = static_cast<service_level>(static_cast<unsigned>(d.by_load_) - 1);
            d.needed_ = now;
        }
    }
    template<class F>
    void change(std::string_view service, F f)
    {
        std::lock_guard const lock(mutex_);
        dial& d = known(service);
        f(d);
        d.turn();
    }
    dial* find(std::string_view service) noexcept
    {
        for (std::size_t i = 0; i < size_; ++i)
            if (dials_[i].service_ == service) return &dials_[i];
        return nullptr;
    }
    dial& known(std::string_view service)
    {
        dial* const d = find(service);
        expect(d != nullptr, "switchboard." + std::string(service), "one of the services that it was made with");
        return *d;
    }

    options options_;
    std::mutex mutex_;
    detail::owner<dial[]> dials_;
    std::size_t size_ = 0;
};

} // namespace weir::inline v0
