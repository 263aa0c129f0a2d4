// SPDX-License-Identifier: BSL-1.0
// Random pipelines of test policies against a naive recursive model: the same outcome, the same order of events, every permit back once.
#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

enum class event : std::uint8_t { ask, refuse, settle, cancel, learn, look_up, begin, after, down, up, handle };
using events = std::vector<std::pair<event, int>>;
using outcome_type = weir::result<int>;

constexpr int places = 8;

/// What happens in one call: each policy follows its line, the handler the last one. Counters go on over the attempts.
struct script {
    struct line {
        int trouble = 0; ///< one in so many questions is refused, answered, asked again; 0 means none
        int asked = 0;
        bool now() { return trouble != 0 && ++asked % trouble == 0; }
    };
    std::array<line, places + 1> lines{};
    int repeats_left = 0;
    events log;
};

struct followed {
    script* s = nullptr;
    int place = 0;
    void tell(event e) const { s->log.emplace_back(e, place); }
    [[nodiscard]] bool trouble() const { return s->lines[static_cast<std::size_t>(place)].now(); }
};

struct test_gate : followed {
    using role = weir::gate;
    static constexpr std::string_view name = "test_gate";
    auto admit(auto&) const -> weir::admission<int>
    {
        tell(event::ask);
        if (trouble()) {
            tell(event::refuse);
            return weir::error(weir::errc::overloaded);
        }
        return place;
    }
    void settle(int permit, auto const& outcome, auto&) const
    {
        CHECK(permit == place);
        tell(event::settle);
        s->log.emplace_back(event::settle, outcome.has_value() ? *outcome : -static_cast<int>(outcome.error().kind()));
    }
    void cancel(int) const noexcept { tell(event::cancel); }
};
struct test_source : followed {
    using role = weir::source;
    static constexpr std::string_view name = "test_source";
    struct token {
        int asked = 0;
    };
    weir::lookup look_up(auto&, token& t, auto& outcome) const
    {
        tell(event::look_up);
        t.asked = place;
        if (!trouble()) return weir::lookup::missed;
        outcome = 1'000 + place;
        return weir::lookup::answered;
    }
    void learn(auto&, token& t, auto& outcome) const
    {
        CHECK(t.asked == place);
        tell(event::learn);
        if (outcome.has_error()) outcome = 2'000 + place;
    }
};
struct test_loop : followed {
    using role = weir::loop;
    static constexpr std::string_view name = "test_loop";
    struct plan {
        int attempts = 1;
    };
    weir::admission<> begin(auto&, plan&) const
    {
        tell(event::begin);
        if (trouble()) return weir::sleep_for{5ms};
        return weir::admitted;
    }
    weir::next_step after(auto&, plan& p, auto& outcome) const
    {
        tell(event::after);
        if (outcome.has_value() || p.attempts == 3 || s->repeats_left == 0) return weir::done;
        --s->repeats_left;
        ++p.attempts;
        return weir::again(7ms);
    }
};
struct test_transform : followed {
    using role = weir::transform;
    static constexpr std::string_view name = "test_transform";
    weir::admission<> down(auto&) const
    {
        tell(event::down);
        if (trouble()) {
            tell(event::refuse);
            return weir::errc::invalid_request;
        }
        return weir::admitted;
    }
    void up(auto&, auto& outcome) const
    {
        tell(event::up);
        if (outcome.has_value()) *outcome += 1;
    }
};

struct handler {
    script* s;
    int operator()(int x) const
    {
        s->log.emplace_back(event::handle, x);
        if (s->lines[places].now()) throw x;
        return x;
    }
};

/// The model: each policy is a function around the rest.
using rest = std::function<outcome_type()>;
outcome_type model(test_gate const& p, rest const& inside)
{
    p.tell(event::ask);
    if (p.trouble()) {
        p.tell(event::refuse);
        return weir::error(weir::errc::overloaded).by(static_cast<std::size_t>(p.place + 1));
    }
    outcome_type const outcome = inside();
    p.tell(event::settle);
    p.s->log.emplace_back(event::settle, outcome.has_value() ? *outcome : -static_cast<int>(outcome.error().kind()));
    return outcome;
}
outcome_type model(test_source const& p, rest const& inside)
{
    p.tell(event::look_up);
    if (p.trouble()) return 1'000 + p.place;
    outcome_type outcome = inside();
    p.tell(event::learn);
    if (outcome.has_error()) outcome = 2'000 + p.place;
    return outcome;
}
outcome_type model(test_loop const& p, rest const& inside)
{
    p.tell(event::begin);
    static_cast<void>(p.trouble());
    for (int attempts = 1;; ++attempts) {
        outcome_type outcome = inside();
        p.tell(event::after);
        if (outcome.has_value() || attempts == 3 || p.s->repeats_left == 0) return outcome;
        --p.s->repeats_left;
    }
}
outcome_type model(test_transform const& p, rest const& inside)
{
    p.tell(event::down);
    if (p.trouble()) {
        p.tell(event::refuse);
        return weir::error(weir::errc::invalid_request).by(static_cast<std::size_t>(p.place + 1));
    }
    outcome_type outcome = inside();
    p.tell(event::up);
    if (outcome.has_value()) *outcome += 1;
    return outcome;
}

template<class... Policies>
void compare(std::uint32_t seed)
{
    std::mt19937 random(seed);
    for (int round = 0; round < 40; ++round) {
        script plan;
        for (auto& line : plan.lines) line.trouble = static_cast<int>(random() % 6);
        script mine = plan, theirs = plan;
        weir::manual_clock clock;
        int place = 0;
        weir::pipeline svc{weir::timed_by{std::ref(clock)}, Policies{{&mine, place++}}..., handler{&mine}};
        place = 0;
        std::tuple<Policies...> const models{Policies{{&theirs, place++}}...};
        for (int x = 0; x < 12; ++x) {
            mine.log.clear();
            theirs.log.clear();
            mine.repeats_left = theirs.repeats_left = 4;
            std::optional<int> thrown, expected_thrown;
            outcome_type got, expected;
            try {
                got = svc(x);
            } catch (int t) {
                thrown = t;
            }
            bool threw = false;
            rest inside = [&]() -> outcome_type {
                try {
                    threw = false;
                    return handler{&theirs}(x);
                } catch (int) {
                    threw = true;
                    return weir::error(weir::errc::handler_threw);
                }
            };
            std::apply(
                [&](auto const&... p) {
                    std::vector<rest> layers;
                    layers.reserve(sizeof...(p) + 1);
                    layers.push_back(inside);
                    // from the innermost to the outermost
                    std::array<std::function<outcome_type(rest const&)>, sizeof...(p)> functions{
                        [&p](rest const& r) { return model(p, r); }...};
                    for (std::size_t i = functions.size(); i-- > 0;)
                        layers.push_back([f = functions[i], r = layers.back()] { return f(r); });
                    expected = layers.back()();
                },
                models);
            if (threw && expected.has_error() && expected.error() == weir::errc::handler_threw) expected_thrown = x;
            CHECK(thrown == expected_thrown);
            if (!thrown && !expected_thrown) {
                REQUIRE(got.has_value() == expected.has_value());
                if (got.has_value())
                    CHECK(*got == *expected);
                else {
                    CHECK(got.error() == expected.error());
                    CHECK(got.error().policy() == expected.error().policy());
                }
            }
            CHECK((mine.log == theirs.log));
        }
    }
}

} // namespace

TEST_CASE("random pipelines: gates and loops")
{
    compare<test_gate, test_gate, test_gate>(1);
    compare<test_gate, test_loop, test_gate, test_gate>(2);
    compare<test_loop, test_gate, test_loop, test_gate, test_loop>(3);
}

TEST_CASE("random pipelines: sources and transforms")
{
    compare<test_source, test_transform, test_source>(4);
    compare<test_transform, test_source, test_transform, test_transform>(5);
}

TEST_CASE("random pipelines: all roles")
{
    compare<test_gate, test_source, test_loop, test_gate, test_transform, test_gate>(6);
    compare<test_transform, test_loop, test_source, test_gate, test_loop, test_gate, test_transform, test_gate>(7);
    compare<test_source, test_gate, test_gate, test_loop, test_transform, test_loop, test_loop>(8);
    compare<test_loop>(9);
    compare<test_gate, test_loop, test_source, test_transform>(10);
}
