// SPDX-License-Identifier: BSL-1.0
#include <iomanip> // comes first: it has a std::quoted, which is not to be taken for describe's own

#include <weir/core/describe.hpp>

#include <weir/core/contracts.hpp>
#include <weir/core/directives.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

struct counted {
    using role = weir::gate;
    static constexpr std::string_view name = "counted";
    struct stats_type {
        std::uint64_t asked = 0;
        double share = 0;
        void each(auto&& field) const
        {
            field("asked_total", asked);
            field("share", share);
        }
    };
    std::uint64_t asked = 0;
    weir::admission<> admit(auto&)
    {
        ++asked;
        return weir::admitted;
    }
    stats_type stats(weir::time_point now) const { return {asked, static_cast<double>(now.time_since_epoch().count())}; }
};

enum class mode : std::uint8_t { lax, strict };

struct talkative {
    using role = weir::transform;
    static constexpr std::string_view name = "talkative";
    std::string text;
    double number = 0.1;
    void up(auto&, auto&) {}
    void describe(auto&& field) const
    {
        field("text", text);
        field("number", number);
        field("on", true);
        field("limit", weir::duration(1500ms));
        field("below", std::int32_t{-3});
        field("mode", mode::strict);
        field("view", std::string_view("x"));
        field("literal", "y");
    }
};

int one(int x)
{
    return x;
}

std::string text_of(weir::duration d)
{
    return weir::detail::text_of(d);
}

} // namespace

TEST_CASE("describe: policies in order, with name, label, role and settings")
{
    weir::pipeline svc{weir::timed_by{weir::steady{}}, weir::named<"per tenant">(counted{}), talkative{"t", 0.25}, one};
    weir::description const d = weir::describe(svc);
    REQUIRE(d.policies.size() == 3);
    CHECK(d.policies[0].role == "directive");
    CHECK(d.policies[1].name == "counted");
    CHECK(d.policies[1].label == "per tenant");
    CHECK(d.policies[1].role == "gate");
    CHECK(d.policies[1].settings.empty());
    CHECK(d.policies[2].role == "transform");
    REQUIRE(d.policies[2].settings.size() == 8);
    CHECK(d.policies[2].settings[0].name == "text");
    CHECK(d.policies[2].settings[0].value.get_if<std::string>() == "t");
    CHECK(d.policies[2].settings[1].value.get_if<double>() == 0.25);
    CHECK(d.policies[2].settings[2].value.get_if<bool>() == true);
    CHECK_FALSE(d.policies[2].settings[2].value.get_if<double>().has_value());
    CHECK(d.policies[2].settings[3].value.get_if<weir::duration>() == 1500ms);
    CHECK(d.policies[2].settings[4].value.get_if<std::int64_t>() == -3);
    CHECK(d.policies[2].settings[5].value.get_if<std::uint64_t>() == 1);
    CHECK(d.text() == "directive timed_by\n"
                      "gate counted \"per tenant\"\n"
                      "transform talkative text=\"t\" number=0.25 on=true limit=1500ms below=-3 mode=1 view=\"x\" literal=\"y\"\n");
}

TEST_CASE("describe: json is escaped")
{
    talkative strange{"a\"b\\c\n\x01 \xc3\xa4", std::numeric_limits<double>::infinity()};
    weir::pipeline svc{weir::named<"a \"b\"">(std::ref(strange)), counted{}, one};
    CHECK(weir::describe(svc).json() ==
          R"({"policies":[{"name":"talkative","label":"a \"b\"","role":"transform","settings":{"text":"a\"b\\c\u000a\u0001 )"
          "\xc3\xa4"
          R"(","number":null,"on":true,"limit":"1500ms","below":-3,"mode":1,"view":"x","literal":"y"}},)"
          R"({"name":"counted","label":"","role":"gate","settings":{}}]})");
}

TEST_CASE("describe: a pipeline without policies has nothing to tell")
{
    weir::pipeline svc{one};
    CHECK(weir::describe(svc).text().empty());
    CHECK(weir::describe(svc).json() == R"({"policies":[]})");
}

TEST_CASE("describe: a span stands in the largest unit that divides it")
{
    CHECK(text_of(0s) == "0s");
    CHECK(text_of(1ns) == "1ns");
    CHECK(text_of(1500ns) == "1500ns");
    CHECK(text_of(2us) == "2us");
    CHECK(text_of(90s) == "90s");
    CHECK(text_of(120s) == "2min");
    CHECK(text_of(24h) == "24h");
    CHECK(text_of(-5ms) == "-5ms");
    CHECK(text_of(weir::duration::max()) == "9223372036854775807ns");
}

TEST_CASE("describe: the settings are those of the moment")
{
    talkative told{"before"};
    weir::pipeline svc{std::ref(told), one};
    CHECK(weir::describe(svc).policies[0].settings[0].value.get_if<std::string>() == "before");
    svc.get<talkative>().text = "after";
    CHECK(weir::describe(svc).policies[0].settings[0].value.get_if<std::string>() == "after");
}

TEST_CASE("stats_of: every figure of every policy, in order")
{
    weir::pipeline svc{weir::named<"outer">(counted{}), talkative{}, counted{}, one};
    static_cast<void>(svc(1));
    static_cast<void>(svc(2));
    std::vector<std::string> seen;
    weir::stats_of(svc, weir::time_point{7ns}, [&](std::string_view name, std::string_view label, std::string_view field, auto value) {
        seen.push_back(std::string(name) + '/' + std::string(label) + '/' + std::string(field) + '=' + weir::detail::text_of(value));
    });
    CHECK(seen ==
          std::vector<std::string>{"counted/outer/asked_total=2", "counted/outer/share=7", "counted//asked_total=2", "counted//share=7"});
}
