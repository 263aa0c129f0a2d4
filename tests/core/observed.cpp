// SPDX-License-Identifier: BSL-1.0
#include <weir/core/observed.hpp>

#include <weir/core/events.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;
namespace event = weir::event;

namespace {

struct even_only {
    using role = weir::gate;
    static constexpr std::string_view name = "even_only";
    weir::admission<> admit(auto& call)
    {
        if (call.request() % 2 != 0) return weir::errc::invalid_request;
        return weir::admitted;
    }
};

struct told {
    int what;
};
struct teller {
    using role = weir::gate;
    static constexpr std::string_view name = "teller";
    weir::admission<> admit(auto& call)
    {
        call.tell(told{call.request()});
        return weir::admitted;
    }
};

/// Writes every event down.
struct scribe {
    std::vector<std::string> lines{};

    void operator()(event::admitted const& e) { write("admitted", e.at); }
    void operator()(event::refused const& e) { write("refused", e.at); }
    void operator()(event::answered const& e) { write("answered", e.at); }
    void operator()(event::delayed const& e) { write("delayed", e.at); }
    void operator()(event::repeated const& e) { write("repeated", e.at); }
    void operator()(event::settled const& e) { write(e.has_error ? "settled an error" : "settled", e.at); }
    void operator()(event::dropped const& e) { write("dropped", e.at); }
    void operator()(event::called const&) { lines.emplace_back("called"); }
    void operator()(event::returned const& e) { lines.emplace_back(e.has_error ? "returned an error" : "returned"); }
    void operator()(event::ended const& e) { lines.push_back("ended by " + (e.by == weir::error::no_policy ? "the handler" : std::to_string(e.by))); }

private:
    void write(std::string_view what, event::place at)
    {
        lines.push_back(std::string(what) + ' ' + std::to_string(at.index) + ' ' + std::string(at.name));
    }
};

TEST_CASE("observed: a call tells every decision in its order")
{
    weir::pipeline svc{weir::named<"gate">(even_only{}), weir::fallback{0}, [](int n) { return n; }};
    scribe log;
    weir::observed watched{svc, std::ref(log)};
    CHECK(watched(2).value() == 2);
    CHECK(log.lines == std::vector<std::string>{"admitted 0 gate", "admitted 1 fallback", "called", "returned", "settled 1 fallback",
                                                "settled 0 gate", "ended by the handler"});
    log.lines.clear();
    CHECK(watched(1).has_error());
    CHECK(log.lines == std::vector<std::string>{"refused 0 gate", "ended by 0"});
}

TEST_CASE("observed: attempts, delays and an exception")
{
    weir::manual_clock clock;
    int left = 1;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<2>{}, weir::idempotent{[&left](int n) {
                           if (left-- > 0) throw n;
                           return n;
                       }}};
    weir::observed watched{svc, scribe{}};
    CHECK(watched.call(2).result().value() == 2);
    CHECK(watched.observer().lines == std::vector<std::string>{"admitted 1 retry", "called", "returned an error", "repeated 1 retry", "called",
                                                               "returned", "settled 1 retry", "ended by the handler"});
}

TEST_CASE("observed: one that wants a single event sees that alone")
{
    struct refusals {
        int seen = 0;
        void operator()(event::refused const&) { ++seen; }
    };
    weir::pipeline svc{even_only{}, [](int n) { return n; }};
    weir::observed watched{svc, refusals{}};
    for (int i = 0; i < 10; ++i) static_cast<void>(watched(i));
    CHECK(watched.observer().seen == 5);
    static_cast<void>(svc(1)); // not observed
    CHECK(watched.observer().seen == 5);
}

TEST_CASE("observed: policies tell events of their own")
{
    struct listener {
        std::vector<int> heard{};
        void operator()(told const& t) { heard.push_back(t.what); }
    };
    weir::pipeline svc{teller{}, [](int n) { return n; }};
    weir::observed watched{svc, listener{}};
    static_cast<void>(watched(4));
    static_cast<void>(watched(5));
    CHECK(watched.observer().heard == std::vector<int>{4, 5});
}

} // namespace
