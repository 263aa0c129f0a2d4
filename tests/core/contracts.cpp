// SPDX-License-Identifier: BSL-1.0
#include <weir/core/contracts.hpp>

#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <string_view>

namespace {

struct request {};
using call = weir::call<request const, weir::detail::call_state<weir::steady, weir::default_classifier, weir::facets<>, weir::facets<>>>;
using outcome = weir::result<int>;

// The smallest of each role, as the comments of contracts.hpp have them; then near misses.

struct named_gate {
    using role = weir::gate;
    static constexpr std::string_view name = "gate";
};
struct plain_gate : named_gate {
    weir::admission<> admit(auto&) { return weir::admitted; }
};
struct lending_gate : named_gate {
    int lent = 0, settled = 0, cancelled = 0;
    weir::admission<int> admit(auto&) { return ++lent; }
    void settle(int, auto const&, auto&) { ++settled; }
    void cancel(int) noexcept { ++cancelled; }
};
struct waiting_gate : named_gate {
    weir::admission<> admit(auto&, weir::waiter&) { return weir::admitted; }
    weir::admission<> resume(auto&, weir::waiter&) { return weir::admitted; }
    bool abandon(weir::waiter&) noexcept { return true; }
    void decline(weir::waiter&) noexcept {}
    void settle(weir::pass, auto const&, auto&) {}
    void cancel(weir::pass) noexcept {}
    weir::errc gave_up() { return weir::errc::bulkhead_full; }
};
struct gate_that_says_bool : named_gate {
    bool admit(auto&) { return true; }
};
struct gate_without_a_role {
    weir::admission<> admit(auto&) { return weir::admitted; }
};
struct waiting_gate_whose_abandon_throws : waiting_gate {
    bool abandon(weir::waiter&) { return true; }
};
struct waiting_gate_that_cannot_go_on : named_gate {
    weir::admission<> admit(auto&, weir::waiter&) { return weir::admitted; }
};

struct named_source {
    using role = weir::source;
    static constexpr std::string_view name = "source";
};
struct answering_source : named_source {
    weir::lookup look_up(auto&, weir::pass&, auto& o)
    {
        o = 7;
        return weir::lookup::answered;
    }
};
struct mending_source : named_source {
    void learn(auto& c, weir::pass&, auto& o)
    {
        if (c.failed(o)) o = 0;
    }
};
struct source_with_a_token : named_source {
    template<class Outcome>
    struct token {
        Outcome before;
    };
    void learn(auto&, token<outcome>&, auto&) {}
};
struct source_of_nothing : named_source {};
struct source_that_answers_bool : named_source {
    bool look_up(auto&, weir::pass&, auto&) { return false; }
};

struct named_loop {
    using role = weir::loop;
    static constexpr std::string_view name = "loop";
};
struct twice : named_loop {
    struct plan {
        int attempts = 0;
    };
    weir::admission<> begin(auto&, plan&) noexcept { return weir::admitted; }
    weir::next_step after(auto&, plan& p, auto&) { return ++p.attempts < 2 ? weir::again(weir::duration::zero()) : weir::done; }
};
struct loop_without_a_plan : named_loop {
    weir::admission<> begin(auto&, int&) noexcept { return weir::admitted; }
    weir::next_step after(auto&, int&, auto&) { return weir::done; }
};

struct named_transform {
    using role = weir::transform;
    static constexpr std::string_view name = "transform";
};
struct only_up : named_transform {
    void up(auto&, auto& o)
    {
        if (o.has_value()) ++*o;
    }
};
struct only_down : named_transform {
    weir::admission<> down(auto&) { return weir::errc::forbidden; }
};
struct neither_way : named_transform {};

} // namespace

TEST_CASE("contracts: a gate says an admission; one that waits has all that waiting takes, without throwing")
{
    CHECK(weir::gate_for<plain_gate, call>);
    CHECK(weir::gate_for<lending_gate, call>);
    CHECK(weir::gate_for<waiting_gate, call>);
    CHECK_FALSE(weir::gate_for<named_gate, call>);
    CHECK_FALSE(weir::gate_for<gate_that_says_bool, call>);
    CHECK_FALSE(weir::gate_for<gate_without_a_role, call>);
    CHECK_FALSE(weir::gate_for<waiting_gate_whose_abandon_throws, call>);
    CHECK_FALSE(weir::gate_for<waiting_gate_that_cannot_go_on, call>);
    CHECK_FALSE(weir::gate_for<answering_source, call>);
}

TEST_CASE("contracts: a source looks up, or learns, or both, with a token of its own if it wants")
{
    CHECK(weir::source_for<answering_source, call, outcome>);
    CHECK(weir::source_for<mending_source, call, outcome>);
    CHECK(weir::source_for<source_with_a_token, call, outcome>);
    CHECK_FALSE(weir::source_for<source_of_nothing, call, outcome>);
    CHECK_FALSE(weir::source_for<source_that_answers_bool, call, outcome>);
    CHECK_FALSE(weir::source_for<plain_gate, call, outcome>);
}

TEST_CASE("contracts: a loop has a plan; a transform goes at least one way")
{
    CHECK(weir::loop_for<twice, call, outcome>);
    CHECK_FALSE(weir::loop_for<loop_without_a_plan, call, outcome>);
    CHECK_FALSE(weir::loop_for<named_loop, call, outcome>);
    CHECK(weir::transform_for<only_up, call, outcome>);
    CHECK(weir::transform_for<only_down, call, outcome>);
    CHECK_FALSE(weir::transform_for<neither_way, call, outcome>);
}

TEST_CASE("contracts: the smallest of each role works in a pipeline")
{
    request const r;
    lending_gate lends;
    int calls = 0;
    auto const handler = [&](request const&) -> weir::result<int> {
        ++calls;
        return weir::errc::upstream_failed;
    };
    weir::pipeline svc{std::ref(lends), waiting_gate{}, only_up{}, mending_source{}, twice{}, plain_gate{}, weir::idempotent{handler}};
    CHECK(svc(r).value() == 1); // failed twice, mended to 0, and one more on the way up
    CHECK(calls == 2);
    CHECK(lends.settled == 1);

    weir::pipeline answered{std::ref(lends), answering_source{}, only_down{}, handler};
    CHECK(answered(r).value() == 7);
    weir::pipeline refused{std::ref(lends), only_down{}, handler};
    CHECK(refused(r).error() == weir::errc::forbidden);
    CHECK(calls == 2);
    CHECK(lends.lent == 3);
    CHECK(lends.settled == 3);
    CHECK(lends.cancelled == 0);
}
