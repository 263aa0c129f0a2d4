// SPDX-License-Identifier: BSL-1.0
#include <weir/core/held.hpp>

#include <weir/core/pipeline.hpp>
#include <weir/resilience/bulkhead.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// Writes down what becomes of its permits.
template<int Place>
struct diary {
    using role = weir::gate;
    static constexpr std::string_view name = "diary";
    std::vector<std::string>* written;
    weir::admission<int> admit(auto&) { return Place; }
    void settle(int place, auto const& outcome, auto&)
    {
        written->push_back(std::to_string(place) + (outcome.has_error() ? " bad" : " good"));
    }
    void cancel(int place) noexcept { written->push_back(std::to_string(place) + " cancelled"); }
};

using download = weir::held<std::unique_ptr<int>>;

TEST_CASE("held: permits settle when the stream ends, innermost first, and not before")
{
    std::vector<std::string> written;
    weir::pipeline svc{diary<0>{&written}, diary<1>{&written}, [](int n) { return download(std::make_unique<int>(n)); }};
    weir::result<download> r = svc(7);
    REQUIRE(r.has_value());
    CHECK(**r.value() == 7);
    CHECK(written.empty());
    r->finish();
    CHECK(written == std::vector<std::string>{"1 good", "0 good"});
    r->finish(weir::error(weir::errc::unavailable)); // too late
    CHECK(written.size() == 2);
}

TEST_CASE("held: a stream that breaks tells its policies so, one that is dropped was cancelled")
{
    std::vector<std::string> written;
    weir::pipeline svc{diary<0>{&written}, diary<1>{&written}, [](int n) { return download(std::make_unique<int>(n)); }};
    svc(1)->finish(weir::error(weir::errc::upstream_failed));
    CHECK(written == std::vector<std::string>{"1 bad", "0 bad"});
    written.clear();
    {
        weir::result<download> const dropped = svc(1);
        CHECK(written.empty());
    }
    CHECK(written == std::vector<std::string>{"1 cancelled", "0 cancelled"});
}

TEST_CASE("held: it moves with what it carries, and gives it to another value")
{
    std::vector<std::string> written;
    weir::pipeline svc{diary<0>{&written}, [](int n) { return weir::held(n); }};
    weir::result<weir::held<int>> first = svc(1);
    weir::held<int> second = std::move(*first);
    first->finish();
    CHECK(written.empty());
    weir::held<std::string> text = std::move(second).with(std::string("one"));
    second.finish();
    CHECK(written.empty());
    CHECK(*text == "one");
    weir::held<std::string> other(std::string("none"));
    other = std::move(text);
    CHECK(written.empty());
    other = weir::held<std::string>(std::string("none")); // what it carried is cancelled
    CHECK(written == std::vector<std::string>{"0 cancelled"});
}

TEST_CASE("held: without a stream permits settle at once")
{
    std::vector<std::string> written;
    weir::pipeline svc{diary<0>{&written}, [](int) -> weir::result<weir::held<int>> { return weir::errc::not_found; }};
    CHECK(svc(1).error() == weir::errc::not_found);
    CHECK(written == std::vector<std::string>{"0 bad"});
}

TEST_CASE("held: a fallback's stream carries the permits of who stands further out")
{
    std::vector<std::string> written;
    weir::pipeline svc{diary<0>{&written}, weir::fallback{[] { return weir::held(42); }}, diary<1>{&written},
                       [](int) -> weir::result<weir::held<int>> { return weir::errc::unavailable; }};
    weir::result<weir::held<int>> r = svc(1);
    REQUIRE(r.has_value());
    CHECK(**r == 42);
    CHECK(written == std::vector<std::string>{"1 bad"});
    r->finish();
    CHECK(written == std::vector<std::string>{"1 bad", "0 good"});
}

TEST_CASE("held: a bulkhead's place is taken until the stream ends, and a breaker learns how")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::bulkhead{{.max_concurrent = 1}},
                       weir::circuit_breaker{{.failure_rate = 0.5, .window = 10s, .minimum_calls = 2, .open_for = 1s}},
                       [](int n) { return weir::held(n); }};
    weir::result<weir::held<int>> one = svc(1);
    REQUIRE(one.has_value());
    CHECK(svc(2).error() == weir::errc::bulkhead_full);
    one->finish(weir::error(weir::errc::upstream_failed));
    weir::result<weir::held<int>> two = svc(2);
    REQUIRE(two.has_value());
    two->finish(weir::error(weir::errc::upstream_failed));
    CHECK(svc(3).error() == weir::errc::circuit_open);
}

} // namespace
