// SPDX-License-Identifier: BSL-1.0
//
// Pipelines whose request and outcome change on the way.
#include <weir/core/describe.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <charconv>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct number {
    int value = 0;
    std::string note = "a note that is longer than what a string keeps in itself";
};

struct decoded {
    int times = 0;
};

/// Text to numbers and back.
struct digits {
    using role = weir::codec;
    using provides = weir::facets<decoded>;
    static constexpr std::string_view name = "digits";
    using inner_request = number;
    template<class Value>
    using outer_value = std::string;

    weir::admission<> decode(auto& call, number& into)
    {
        std::string_view const text = call.request();
        auto const [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into.value);
        if (failed != std::errc{} || end != text.data() + text.size()) return weir::errc::invalid_request;
        call.set(decoded{++times});
        return weir::admitted;
    }
    template<class Value>
    weir::result<std::string> encode(auto&, Value&& value)
    {
        if (value < 0) return weir::errc::invalid_request;
        return std::to_string(value);
    }
    int times = 0;
};

/// The same down; up it leaves text as it is.
struct as_text : digits {
    static constexpr std::string_view name = "as_text";
    template<class Value>
    weir::result<std::string> encode(auto&, Value&& value)
    {
        return std::forward<Value>(value);
    }
};

/// Remembers at the second look.
struct memory {
    using role = weir::source;
    static constexpr std::string_view name = "memory";
    int* asked;
    weir::lookup look_up(auto&, weir::pass&, weir::result<std::string>& outcome)
    {
        if (++*asked == 1) return weir::lookup::missed;
        outcome = std::string("what it remembers does not fit into the string itself");
        return weir::lookup::answered;
    }
};

/// Numbers to vectors, to have two codecs.
struct repeated {
    using role = weir::codec;
    static constexpr std::string_view name = "repeated";
    using inner_request = std::vector<int>;
    template<class Value>
    using outer_value = int;
    weir::admission<> decode(auto& call, std::vector<int>& into)
    {
        into.assign(static_cast<std::size_t>(call.request().value), 1);
        return weir::admitted;
    }
    template<class Value>
    weir::result<int> encode(auto&, Value&& value)
    {
        return static_cast<int>(value.size());
    }
};

/// Counts what it sees of the request and of the outcome.
template<int Place>
struct watch {
    using role = weir::gate;
    static constexpr std::string_view name = "watch";
    std::vector<std::string>* seen;
    weir::admission<int> admit(auto& call)
    {
        seen->push_back(describe(call.request()));
        return Place;
    }
    void settle(int place, auto const& outcome, auto&)
    {
        if (outcome.has_error()) return seen->push_back(std::to_string(place) + " failed");
        seen->push_back(std::to_string(place) + " " + describe(*outcome));
    }
    void cancel(int) noexcept {}

private:
    static std::string describe(std::string_view s) { return "text " + std::string(s); }
    static std::string describe(number const& n) { return "number " + std::to_string(n.value); }
    static std::string describe(int n) { return "int " + std::to_string(n); }
    static std::string describe(std::vector<int> const& v) { return "vector " + std::to_string(v.size()); }
};

TEST_CASE("codec: policies outside see the outer request and outcome, those inside the inner ones")
{
    std::vector<std::string> seen;
    weir::pipeline svc{watch<0>{&seen}, digits{}, watch<1>{&seen}, [](number const& n) { return n.value * 2; }};
    weir::result<std::string> const r = svc(std::string("21"));
    CHECK(r.value() == "42");
    CHECK(seen == std::vector<std::string>{"text 21", "number 21", "1 int 42", "0 text 42"});
}

TEST_CASE("codec: what it refuses reaches nobody inside, and its error names it")
{
    std::vector<std::string> seen;
    weir::pipeline svc{watch<0>{&seen}, digits{}, watch<1>{&seen}, [](number const& n) { return n.value; }};
    auto const r = svc(std::string("2x"));
    CHECK(r.error() == weir::errc::invalid_request);
    CHECK(r.error().policy() == 1);
    CHECK(seen == std::vector<std::string>{"text 2x", "0 failed"});
}

TEST_CASE("codec: what it cannot encode is a failure outside, and a value inside")
{
    std::vector<std::string> seen;
    weir::pipeline svc{watch<0>{&seen}, digits{}, watch<1>{&seen}, [](number const& n) { return -n.value; }};
    auto const r = svc(std::string("3"));
    CHECK(r.error() == weir::errc::invalid_request);
    CHECK(r.error().policy() == 1); // the codec
    CHECK(seen == std::vector<std::string>{"text 3", "number 3", "1 int -3", "0 failed"});
}

TEST_CASE("codec: an error and an exception of the handler pass through it")
{
    weir::pipeline failing{digits{}, [](number const&) -> weir::result<int> { return weir::errc::not_found; }};
    CHECK(failing(std::string("1")).error() == weir::errc::not_found);
    weir::pipeline throwing{digits{}, [](number const&) -> int { throw std::runtime_error("three"); }};
    CHECK_THROWS_WITH_AS(static_cast<void>(throwing(std::string("3"))), "three", std::runtime_error);
    weir::pipeline answered{weir::fallback{[](auto&&...) { return std::string("none"); }}, digits{},
                            [](number const&) -> int { throw std::runtime_error("three"); }};
    CHECK(answered(std::string("3")).value() == "none");
}

TEST_CASE("codec: a retry outside decodes anew, one inside does not")
{
    weir::manual_clock clock;
    int left = 2;
    auto const flaky = [&left](number const& n) -> weir::result<int> {
        if (left-- > 0) return weir::errc::unavailable;
        return n.value;
    };
    weir::pipeline outside{weir::timed_by{std::ref(clock)}, weir::retry<3>{}, weir::named<"codec">(digits{}), weir::idempotent{flaky}};
    CHECK(outside(std::string("5")).value() == "5");
    CHECK(outside.get<"codec">().times == 3);
    left = 2;
    weir::pipeline inside{weir::timed_by{std::ref(clock)}, weir::named<"codec">(digits{}), weir::retry<3>{}, weir::idempotent{flaky}};
    CHECK(inside(std::string("5")).value() == "5");
    CHECK(inside.get<"codec">().times == 1);
}

TEST_CASE("codec: a source inside answers a second attempt, too")
{
    weir::manual_clock clock;
    int asked = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<3>{}, as_text{}, memory{&asked},
                       weir::idempotent{[](number const&) -> weir::result<std::string> { return weir::errc::unavailable; }}};
    CHECK(svc(std::string("3")).value() == "what it remembers does not fit into the string itself");
    CHECK(asked == 2);
}

TEST_CASE("codec: two of them, one in the other; facets go through both")
{
    std::vector<std::string> seen;
    weir::pipeline svc{
        watch<0>{&seen}, digits{}, watch<1>{&seen}, repeated{}, watch<2>{&seen}, [](std::vector<int> const& v, weir::view<decoded> facts) {
            std::vector<int> more = v;
            more.push_back(facts.get<decoded>().times);
            return more;
        }};
    CHECK(svc(std::string("3")).value() == "4");
    CHECK(seen == std::vector<std::string>{"text 3", "number 3", "vector 3", "2 vector 4", "1 int 4", "0 text 4"});
    CHECK(svc.call(std::string("2")).result().value() == "3");
    CHECK(weir::describe(svc).text().find("codec") != std::string::npos);
}

TEST_CASE("codec: a breaker inside judges inner outcomes, by the inner handler's own result")
{
    weir::manual_clock clock;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, digits{},
                       weir::circuit_breaker{{.failure_rate = 0.5, .window = 10s, .minimum_calls = 2, .open_for = 1s}},
                       [](number const& n) -> weir::result<int> {
                           if (n.value == 0) return weir::errc::unavailable;
                           return n.value;
                       }};
    CHECK(svc(std::string("0")).error() == weir::errc::unavailable);
    CHECK(svc(std::string("0")).error() == weir::errc::unavailable);
    CHECK(svc(std::string("1")).error() == weir::errc::circuit_open);
    CHECK(svc(std::string("x")).error() == weir::errc::invalid_request);
}

} // namespace
