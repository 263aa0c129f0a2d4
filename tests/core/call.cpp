// SPDX-License-Identifier: BSL-1.0
#include <weir/core/call.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

constexpr weir::time_point start{};

struct counted_clock { // an hour goes by with each reading
    int readings = 0;
    weir::time_point now() noexcept { return start + std::chrono::hours(readings++); }
};
struct user {
    std::string name{};
};
struct remaining {
    int calls = 0;
};

using base =
    weir::call<int const, weir::detail::call_state<counted_clock, weir::default_classifier const, weir::facets<user>, weir::facets<remaining>>>;
struct one_call : base {
    using base::base;
    ~one_call() { forget_exception(); } // as the machine does
};

struct world {
    int const request = 42;
    counted_clock clock{};
    weir::default_classifier const classifier{};
    weir::no_observer nobody{};
    one_call call{request, clock, classifier, nobody};
};

TEST_CASE("call: all on one way see the same time, and the clock is read only if asked")
{
    world w;
    CHECK(w.clock.readings == 0);
    CHECK(w.call.now() == start);
    CHECK(w.call.now() == start);
    CHECK(w.clock.readings == 1);
    w.call.turn();
    CHECK(w.clock.readings == 1);
    CHECK(w.call.now() == start + 1h);
    CHECK(w.call.now() == start + 1h);
    CHECK(w.clock.readings == 2);
}

TEST_CASE("call: hands out the request itself")
{
    world w;
    CHECK(&w.call.request() == &w.request);
}

TEST_CASE("call: without a policy that sets it there is no deadline")
{
    world w;
    CHECK(w.call.deadline().at == weir::never);
    CHECK(w.call.deadline().policy == weir::error::no_policy);
    CHECK(w.call.deadline().left(start) > 24h * 365);
}

TEST_CASE("call: a limit brings the deadline nearer, never further away, and can be put back")
{
    world w;
    weir::deadline const none = w.call.limit(start + 10s);
    CHECK(none.at == weir::never);
    CHECK(w.call.deadline().at == start + 10s);
    weir::deadline const outer = w.call.limit(start + 20s);
    CHECK(w.call.deadline().at == start + 10s);
    CHECK(w.call.limit(start + 5s).at == start + 10s);
    w.call.deadline_is_of(3);
    CHECK(w.call.get<weir::deadline>().at == start + 5s);
    CHECK(w.call.get<weir::deadline>().policy == 3);
    w.call.put_back(outer);
    CHECK(w.call.deadline().at == start + 10s);
    CHECK(w.call.deadline().policy == weir::error::no_policy);
    w.call.put_back(none);
    CHECK(w.call.deadline().at == weir::never);
}

TEST_CASE("deadline: what is left is never negative")
{
    constexpr weir::deadline d{.at = start + 3s};
    static_assert(d.left(start) == 3s);
    CHECK(d.left(start + 2s) == 1s);
    CHECK(d.left(start + 3s) == 0s);
    CHECK(d.left(start + 4s) == 0s);
}

TEST_CASE("call: facts go down, and reports come up; the later report is from further out and wins")
{
    world w;
    CHECK(w.call.get<user>().name.empty());
    w.call.set(user{"ann"});
    CHECK(w.call.get<user>().name == "ann");

    CHECK_FALSE(w.call.reported<remaining>().has_value());
    w.call.report(remaining{3});
    w.call.report(remaining{2});
    REQUIRE(w.call.reported<remaining>().has_value());
    CHECK(w.call.reported<remaining>()->calls == 2);
}

TEST_CASE("call: keeps one exception, the last")
{
    world w;
    CHECK(w.call.thrown() == nullptr);
    w.call.thrown(std::make_exception_ptr(std::runtime_error("first")));
    w.call.thrown(std::make_exception_ptr(std::runtime_error("second")));
    REQUIRE(w.call.thrown() != nullptr);
    CHECK_THROWS_WITH_AS(std::rethrow_exception(w.call.thrown()), "second", std::runtime_error);
}

TEST_CASE("is_fault: tells of a failing service, not of the caller, nor of a negative answer")
{
    using weir::errc;
    for (errc const e :
         {errc::deadline_exceeded, errc::handler_threw, errc::upstream_failed, errc::unavailable, errc::overloaded, errc::foreign})
        CHECK(weir::is_fault(e));
    for (errc const e : {errc::rate_limited, errc::circuit_open, errc::bulkhead_full, errc::cancelled, errc::not_found,
                         errc::invalid_request, errc::unauthenticated, errc::forbidden, errc::replayed, errc::payload_too_large,
                         errc::unsupported_media_type, errc::method_not_allowed})
        CHECK_FALSE(weir::is_fault(e));
}

TEST_CASE("default_classifier: a fault is a failure, and so is a handler's own result that holds an error")
{
    world w;
    CHECK_FALSE(w.call.failed(weir::result<int>(1)));
    CHECK_FALSE(w.call.failed(weir::result<int>(weir::errc::not_found)));
    CHECK(w.call.failed(weir::result<int>(weir::errc::unavailable)));

    using theirs = boost::system::result<int>;
    CHECK_FALSE(w.call.failed(weir::result<theirs>(theirs(1))));
    CHECK(w.call.failed(weir::result<theirs>(theirs(make_error_code(boost::system::errc::io_error)))));
}

} // namespace
