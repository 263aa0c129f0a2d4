// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/options.hpp>
#include <weir/http/message.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// How something is, the best first.
enum class health_status : std::uint8_t {
    up,
    degraded, ///< it works, but not as it should
    down,
};
[[nodiscard]] constexpr std::string_view to_string(health_status s) noexcept
{
    switch (s) {
    case health_status::up: return "UP";
    case health_status::degraded: return "DEGRADED";
    default: return "DOWN";
    }
}

/// What a check found.
struct health_state {
    health_status status = health_status::up;
    std::string detail = {}; ///< a sentence for operators, or empty
};

/// What all checks found; the whole is as good as its worst part.
struct health_report {
    struct component {
        std::string name;
        health_state state;
    };
    std::vector<component> components;

    [[nodiscard]] health_status status() const noexcept
    {
        health_status worst = health_status::up;
        for (component const& c : components) worst = std::max(worst, c.state.status);
        return worst;
    }
    /// `{"status":"UP","components":{"orders":{"status":"UP"}}}`
    [[nodiscard]] std::string json() const
    {
        std::string text = "{\"status\":\"" + std::string(to_string(status())) + "\",\"components\":{";
        for (component const& c : components) {
            if (&c != components.data()) text += ',';
            text += weir::detail::quoted(c.name) + ":{\"status\":\"" + std::string(to_string(c.state.status)) + '"';
            if (!c.state.detail.empty()) text += ",\"detail\":" + weir::detail::quoted(c.state.detail);
            text += '}';
        }
        return text += "}}";
    }
};

/// Whether a service and what it needs work, asked by named checks:
///
/// ```cpp
/// http::health health({.limit = 500ms});
/// health.add("orders", [&]() -> asio::awaitable<http::health_state> { ... co_return http::health_state{}; });
/// health.add("disk", [] { return http::health_state{free_space() > 1'000'000 ? up : degraded}; });
/// http::health_report const found = co_await health.ask();
/// ```
///
/// All checks run at the same time, on the executor of who asks, which is serial. One that has not answered within the limit is
/// cancelled and counts as down, as does one that throws; nobody waits for its end, and while it still runs it is not started again.
/// Who asks while others do is told what they are told.
/// A check that is a plain function runs to its end, so it must be quick. What the checks refer to outlives them.
/// `Timer` waits for the limit: a steady_timer, or one like it.
template<class Timer = boost::asio::steady_timer>
class basic_health {
public:
    struct options {
        duration limit = std::chrono::seconds(1); ///< for all checks; more than zero
    };
    using check = std::function<boost::asio::awaitable<health_state>()>;

    basic_health() : basic_health(options{}) {}
    explicit basic_health(options const& o) : all_(std::make_shared<checks>())
    {
        expect(o.limit.count() > 0, "health.limit", "more than zero");
        all_->limit = o.limit;
    }

    /// Names are unique. Before the first question, or between two.
    basic_health& add(std::string name, check c)
    {
        for (auto const& one : all_->each) expect(one->name != name, "health.name", "one that is not there yet");
        all_->each.push_back(std::make_shared<named_check>(std::move(name), std::move(c)));
        return *this;
    }
    template<class Function>
    requires std::is_invocable_r_v<health_state, Function&> basic_health& add(std::string name, Function f)
    {
        return add(std::move(name), check([f = std::move(f)]() mutable { return at_once(f()); }));
    }

    [[nodiscard]] boost::asio::awaitable<health_report> ask() const { return ask_all(all_); }

    /// The handler of `/actuator/health`: the report as JSON, with 503 if something is down.
    [[nodiscard]] boost::asio::awaitable<response> operator()(request&) const { return answer(all_); }

private:
    using executor_type = typename Timer::executor_type;

    /// One round of checks. Who asks while it is under way is told what it finds.
    struct question {
        explicit question(executor_type const& executor) : told(executor, never) {}
        std::vector<health_state> states;
        std::size_t open = 0;
        bool given_up = false;
        Timer told; // cancelled when all have answered
    };
    struct named_check {
        named_check(std::string n, check c) : name(std::move(n)), ask(std::move(c)) {}
        std::string name;
        check ask;
        bool running = false;
        boost::asio::cancellation_signal stop;
    };
    struct checks {
        duration limit{};
        std::vector<std::shared_ptr<named_check>> each;
        std::weak_ptr<question> last; // its timer ends with the context of those who ask
    };

    static boost::asio::awaitable<health_state> at_once(health_state s) { co_return s; }
    static boost::asio::awaitable<void> ask_one(std::shared_ptr<named_check> one, std::shared_ptr<question> q, std::size_t place)
    {
        health_state found{health_status::down, "the check failed"};
        try {
            found = co_await one->ask();
        } catch (...) {
        }
        one->running = false;
        q->states[place] = std::move(found);
        if (--q->open == 0) q->told.cancel();
    }
    static std::shared_ptr<question> begin(checks& all, executor_type const& executor)
    {
        namespace asio = boost::asio;
        auto q = std::make_shared<question>(executor);
        q->states.assign(all.each.size(), {health_status::down, "no answer in time"});
        q->told.expires_after(all.limit);
        for (std::size_t i = 0; i < all.each.size(); ++i) {
            auto const& one = all.each[i];
            if (std::exchange(one->running, true)) continue;
            ++q->open;
            auto const keep = [one](std::exception_ptr) {};
            asio::co_spawn(executor, ask_one(one, q, i), asio::bind_cancellation_slot(one->stop.slot(), keep));
        }
        return q;
    }
    static boost::asio::awaitable<health_report> ask_all(std::shared_ptr<checks> all)
    {
        namespace asio = boost::asio;
        auto q = all->last.lock();
        if (q == nullptr || q->open == 0 || q->told.expiry() <= steady::now()) {
            executor_type const executor = co_await asio::this_coro::executor;
            q = begin(*all, executor);
            all->last = q;
        }
        if (q->open > 0) {
            boost::system::error_code ignored;
            co_await q->told.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        health_report report;
        for (std::size_t i = 0; i < q->states.size(); ++i) report.components.push_back({all->each[i]->name, q->states[i]});
        bool const over = q->open > 0 && q->told.expiry() <= steady::now();
        if (over && !std::exchange(q->given_up, true))
            for (auto const& one : all->each)
                if (one->running) one->stop.emit(asio::cancellation_type::terminal);
        co_return report;
    }
    static boost::asio::awaitable<response> answer(std::shared_ptr<checks> all)
    {
        health_report const report = co_await ask_all(all);
        bool const down = report.status() == health_status::down;
        response r(down ? status::service_unavailable : status::ok, report.json(), "application/json");
        r.set(field::cache_control, "no-store");
        co_return r;
    }

    std::shared_ptr<checks> all_;
};

using health = basic_health<>;

} // namespace weir::inline v0::http
