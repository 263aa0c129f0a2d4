// SPDX-License-Identifier: BSL-1.0
#include <weir/core/events.hpp>

#include <weir/core/observed.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <string_view>

namespace event = weir::event;

namespace {

struct small_only {
    using role = weir::gate;
    static constexpr std::string_view name = "small_only";
    weir::admission<> admit(auto& call)
    {
        if (call.request() > 9) return weir::error(weir::errc::overloaded, std::chrono::seconds(3));
        return weir::admitted;
    }
};

struct last_seen {
    event::place refused_at{};
    weir::error why{};
    event::ended end{};
    void operator()(event::refused const& e)
    {
        refused_at = e.at;
        why = e.why;
    }
    void operator()(event::ended const& e) { end = e; }
};

TEST_CASE("events: a refusal says where, by label or name, and why; the end says who answered")
{
    weir::pipeline svc{small_only{}, weir::named<"the inner one">(small_only{}), [](int n) { return n; }};
    weir::observed watched{svc, last_seen{}};
    static_cast<void>(watched(10));
    last_seen const& seen = watched.observer();
    CHECK(seen.refused_at.index == 0);
    CHECK(seen.refused_at.name == "small_only");
    CHECK(seen.why == weir::errc::overloaded);
    CHECK(seen.why.retry_after() == std::chrono::seconds(3));
    CHECK(seen.end.by == 0);
    CHECK(seen.end.has_error);
    static_cast<void>(watched(1));
    CHECK(seen.end.by == weir::error::no_policy);
    CHECK_FALSE(seen.end.has_error);
}

} // namespace
