// SPDX-License-Identifier: BSL-1.0
#include <weir/core/pipeline.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/principal.hpp>
#include <weir/resilience/fallback.hpp>
#include <weir/resilience/retry.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace {

using namespace std::chrono_literals;

using history = std::vector<std::string>;

/// Says what it is told.
template<int Number>
struct spy {
    using role = weir::gate;
    static constexpr std::string_view name = "spy";
    history& told;
    auto admit(auto&) -> weir::admission<int>
    {
        told.push_back("admit" + std::to_string(Number));
        return Number * 10;
    }
    void settle(int permit, auto const& outcome, auto&)
    {
        told.push_back("settle" + std::to_string(Number) + (outcome.has_value() ? " good " : " bad ") + std::to_string(permit));
    }
    void cancel(int) noexcept { told.push_back("cancel" + std::to_string(Number)); }
};

struct closed {
    using role = weir::gate;
    static constexpr std::string_view name = "closed";
    weir::errc why = weir::errc::overloaded;
    weir::admission<> admit(auto&) const { return why; }
};

struct plus {
    using role = weir::transform;
    static constexpr std::string_view name = "plus";
    int n = 0;
    void up(auto&, auto& outcome) const
    {
        if (outcome.has_value()) *outcome += n;
    }
};

struct throwing_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "throwing_gate";
    bool on_the_way_up = false;
    weir::admission<> admit(auto&) const
    {
        if (!on_the_way_up) throw std::domain_error("admit");
        return weir::admitted;
    }
    void settle(weir::pass, auto const&, auto&) const { throw std::domain_error("settle"); }
    void cancel(weir::pass) const noexcept {}
};

struct identify {
    using role = weir::gate;
    using provides = weir::facets<weir::principal>;
    static constexpr std::string_view name = "identify";
    weir::admission<> admit(auto& call) const
    {
        call.set(weir::principal{std::to_string(call.request())});
        return weir::admitted;
    }
};

struct hint {
    int value = 0;
};
template<int Number>
struct hinting {
    using role = weir::transform;
    using reports = weir::facets<hint>;
    static constexpr std::string_view name = "hinting";
    bool told = true;
    void up(auto& call, auto&) const
    {
        if (told) call.report(hint{Number});
    }
};

template<int>
struct stateless {
    using role = weir::gate;
    static constexpr std::string_view name = "stateless";
    weir::admission<> admit(auto&) const { return weir::admitted; }
};

struct append {
    using role = weir::transform;
    using traits = weir::traits<weir::rewrites_request>;
    static constexpr std::string_view name = "append";
    weir::admission<> down(auto& call) const
    {
        call.request() += "!";
        return weir::admitted;
    }
};

int twice(int x)
{
    return 2 * x;
}

} // namespace

TEST_CASE("pipeline: the outermost is asked first, the innermost settled first")
{
    history told;
    weir::pipeline svc{spy<1>{told}, spy<2>{told}, spy<3>{told}, [&](int x) {
                           told.push_back("handler");
                           return x;
                       }};
    CHECK(svc(7).value() == 7);
    CHECK(told == history{"admit1", "admit2", "admit3", "handler", "settle3 good 30", "settle2 good 20", "settle1 good 10"});
}

TEST_CASE("pipeline: a refusal in the middle settles those further out only, and names its policy")
{
    history told;
    weir::pipeline svc{spy<1>{told}, spy<2>{told}, closed{}, spy<3>{told}, twice};
    weir::result<int> const r = svc(1);
    CHECK(r.error() == weir::errc::overloaded);
    CHECK(r.error().policy() == 2);
    CHECK(told == history{"admit1", "admit2", "settle2 bad 20", "settle1 bad 10"});
    CHECK(svc.call(1).answered_by() == 2);
}

TEST_CASE("pipeline: refused by the outermost, nothing else is asked")
{
    history told;
    weir::pipeline svc{closed{weir::errc::forbidden}, spy<1>{told}, twice};
    CHECK(svc(1).error() == weir::errc::forbidden);
    CHECK(svc(1).error().policy() == 0);
    CHECK(told.empty());
}

TEST_CASE("pipeline: handlers return values, results, nothing, or results with errors of their own")
{
    history told;
    int ran = 0;
    weir::pipeline nothing{spy<1>{told}, [&](int) { ++ran; }};
    static_assert(std::is_same_v<decltype(nothing(1)), weir::result<void>>);
    CHECK(nothing(1).has_value());
    CHECK(ran == 1);

    weir::pipeline failing{spy<1>{told}, [](int) -> weir::result<int> { return weir::error(weir::errc::not_found, 3s); }};
    CHECK(failing(1).error() == weir::errc::not_found);
    CHECK(failing(1).error().retry_after() == 3s);
    CHECK(failing(1).error().policy() == weir::error::no_policy);

    using own = boost::system::result<int, std::string>;
    weir::pipeline typed{weir::fallback{own(5)}, [](int x) -> own {
                             if (x < 0) return std::string("negative");
                             return x;
                         }};
    static_assert(std::is_same_v<decltype(typed(1)), weir::result<own>>);
    CHECK(typed(1).value() == own(1));
    CHECK(typed(-1).value() == own(5)); // a result that holds an error is a failure

    weir::pipeline movable{spy<1>{told}, [](int x) { return std::make_unique<int>(x); }};
    CHECK(*movable(3).value() == 3);
}

TEST_CASE("pipeline: an exception settles as a failure, and the same object is thrown on")
{
    history told;
    std::exception const* thrown = nullptr;
    weir::pipeline svc{spy<1>{told}, spy<2>{told}, [&](int) -> int {
                           try {
                               throw std::runtime_error("broken");
                           } catch (std::exception const& e) {
                               thrown = &e;
                               throw;
                           }
                       }};
    bool same = false;
    try {
        static_cast<void>(svc(1));
    } catch (std::runtime_error const& e) {
        same = &e == thrown;
    }
    CHECK(same);
    CHECK(told == history{"admit1", "admit2", "settle2 bad 20", "settle1 bad 10"});
}

TEST_CASE("pipeline: an exception that a fallback answers is not thrown on")
{
    history told;
    weir::pipeline svc{weir::fallback{[](int x, weir::error e) {
                           CHECK(e == weir::errc::handler_threw);
                           return -x;
                       }},
                       spy<1>{told}, [](int) -> int { throw 42; }};
    CHECK(svc(3).value() == -3);
    auto const reply = svc.call(3);
    CHECK(reply.has_value());
    REQUIRE(reply.reported<weir::degraded>().has_value());
    CHECK(reply.reported<weir::degraded>()->by == "fallback");
    CHECK(told.size() == 4);
}

TEST_CASE("pipeline: an exception of an earlier attempt is forgotten when a later one succeeds")
{
    weir::manual_clock clock;
    int attempts = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::retry<3>{{.seed = 1}}, weir::idempotent{[&](int x) {
                           if (++attempts < 3) throw std::runtime_error("not yet");
                           return x;
                       }}};
    CHECK(svc(5).value() == 5);
    CHECK(attempts == 3);
    attempts = -10;
    CHECK_THROWS_AS(static_cast<void>(svc(5)), std::runtime_error);
    CHECK(attempts == -7);
}

TEST_CASE("pipeline: a policy that throws lets nobody keep a permit")
{
    history told;
    weir::pipeline down{spy<1>{told}, spy<2>{told}, throwing_gate{}, spy<3>{told}, twice};
    CHECK_THROWS_AS(static_cast<void>(down(1)), std::domain_error);
    CHECK(told == history{"admit1", "admit2", "cancel2", "cancel1"});
    told.clear();
    weir::pipeline up{spy<1>{told}, throwing_gate{true}, spy<2>{told}, twice};
    CHECK_THROWS_AS(static_cast<void>(up(1)), std::domain_error);
    CHECK(told == history{"admit1", "admit2", "settle2 good 20", "cancel1"});
}

TEST_CASE("pipeline: a retry enters only what is inside it again")
{
    history told;
    weir::manual_clock clock;
    int attempts = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, spy<1>{told}, weir::retry<3>{{.seed = 1}}, spy<2>{told},
                       weir::idempotent{[&](int x) -> weir::result<int> {
                           if (++attempts < 2) return weir::errc::unavailable;
                           return x;
                       }}};
    static_assert(weir::max_attempts<decltype(svc)> == 3);
    CHECK(svc(1).value() == 1);
    CHECK(told == history{"admit1", "admit2", "settle2 bad 20", "admit2", "settle2 good 20", "settle1 good 10"});
}

TEST_CASE("pipeline: transforms change the outcome on its way up, in order")
{
    weir::pipeline svc{plus{100}, weir::named<"inner">(plus{1}), twice};
    CHECK(svc(4).value() == 109);
}

TEST_CASE("pipeline: facets go down to policies and the handler")
{
    weir::pipeline svc{identify{}, [](int x, weir::view<weir::principal, weir::deadline> v) {
                           CHECK(v.get<weir::deadline>().at == weir::never);
                           return v.get<weir::principal>().name + "/" + std::to_string(x);
                       }};
    CHECK(svc(7).value() == "7/7");
    weir::pipeline generic{identify{}, [](int, auto const& v) { return v.template get<weir::principal>().name; }};
    CHECK(generic(8).value() == "8");
}

TEST_CASE("pipeline: facts come up in the reply; the outermost that tells one wins")
{
    weir::pipeline svc{hinting<1>{}, hinting<2>{}, twice};
    CHECK(svc.call(1).reported<hint>()->value == 1);
    CHECK(svc.call(1).result().value() == 2);
    weir::pipeline quiet{hinting<1>{false}, hinting<2>{}, twice};
    CHECK(quiet.call(1).reported<hint>()->value == 2);
    weir::pipeline silent{hinting<1>{false}, twice};
    CHECK_FALSE(silent.call(1).reported<hint>().has_value());
    static_assert(decltype(silent.call(1))::may_report<hint>);
    static_assert(!decltype(silent.call(1))::may_report<weir::degraded>);
}

TEST_CASE("pipeline: policies are found by template, by type and by name, and shared by reference")
{
    plus shared_plus{3};
    auto const pointer = std::make_shared<closed>();
    weir::pipeline svc{weir::named<"a">(plus{1}), std::ref(shared_plus), weir::named<"b">(std::ref(shared_plus)), hinting<4>{}, twice};
    CHECK(svc(1).value() == 9);
    CHECK(&svc.get<"b">() == &shared_plus);
    CHECK(svc.get<"a">().n == 1);
    CHECK(svc.get<plus>().n == 1);
    shared_plus.n = 10;
    CHECK(svc(1).value() == 23);
    CHECK(&svc.get<hinting>() == &svc.get<hinting<4>>());
    weir::pipeline other{std::ref(shared_plus), pointer, twice};
    CHECK(&other.get<closed>() == pointer.get());
    CHECK(other(1).error().policy() == 1);
}

TEST_CASE("stack: several policies are one, and taken apart again")
{
    history told;
    auto const baseline = [&] { return weir::stack{spy<1>{told}, spy<2>{told}} | plus{1}; };
    weir::pipeline svc{baseline(), spy<3>{told}, twice};
    static_assert(decltype(svc)::size == 4);
    CHECK(svc(1).value() == 3);
    CHECK(told.front() == "admit1");
    CHECK(told.back() == "settle1 good 10");
    weir::pipeline nested{weir::stack{plus{1}, weir::stack{plus{2}, plus{3}}} | plus{4}, twice};
    static_assert(decltype(nested)::size == 4);
    CHECK(nested(1).value() == 12);
}

TEST_CASE("classify: says which values are failures")
{
    weir::manual_clock clock;
    int attempts = 0;
    weir::pipeline svc{weir::timed_by{std::ref(clock)}, weir::classify{[](int code) { return code >= 500; }}, weir::retry<4>{{.seed = 1}},
                       weir::idempotent{[&](int) { return ++attempts == 3 ? 200 : 503; }}};
    CHECK(svc(1).value() == 200);
    CHECK(attempts == 3);
}

TEST_CASE("pipeline: stateless policies of distinct types take no room")
{
    struct fat {
        long words[3]{};
        int operator()(int x) const { return x; }
    };
    weir::pipeline svc{stateless<1>{}, stateless<2>{}, stateless<3>{}, stateless<4>{}, weir::timed_by{weir::steady{}}, fat{}};
    static_assert(sizeof(svc) == sizeof(fat));
    CHECK(svc(1).value() == 1);
    weir::pipeline light{stateless<1>{}, stateless<2>{}, [](int x) { return x; }};
    static_assert(sizeof(light) == 1);
    static_assert(!std::is_move_constructible_v<decltype(svc)> && !std::is_copy_constructible_v<decltype(svc)>);
}

TEST_CASE("pipeline: a policy that rewrites the request works on a copy of the call's own")
{
    weir::pipeline svc{append{}, append{}, [](std::string const& s) { return s; }};
    std::string const mine = "hello";
    CHECK(svc(mine).value() == "hello!!");
    CHECK(mine == "hello");
    CHECK(svc(std::string("you")).value() == "you!!");
}
TEST_CASE("pipeline: without policies it is the handler")
{
    weir::pipeline svc{twice};
    CHECK(svc(4).value() == 8);
    CHECK(svc.call(4).answered_by() == weir::error::no_policy);
    CHECK(weir::max_attempts<decltype(svc)> == 1);
}

TEST_CASE("pipeline_for: a pipeline that was checked against its request when it was composed")
{
    auto svc = weir::pipeline_for<int>([](int x) { return x + 1; });
    CHECK(svc(1).value() == 2);
}
