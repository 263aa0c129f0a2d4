// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/known_keys.hpp>

#include <weir/cache/bloom_guard.hpp>
#include <weir/cache/cached.hpp>
#include <weir/cache/key_rule.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct quote_request {
    std::string symbol;
};
constexpr auto by_symbol = weir::keyed_by(&quote_request::symbol);

} // namespace

TEST_CASE("known_keys: a key that does not exist is refused before anything inside is asked")
{
    int asked = 0;
    weir::bloom_guard symbols{std::vector<std::string>{"ABC", "toolong"}, 1e-6};
    weir::pipeline svc{weir::known_keys{by_symbol, weir::guards{weir::key_rule{weir::text_shape{.max_length = 4, .characters = "A-Z"}},
                                                                std::ref(symbols)}},
                       [&](quote_request const&) { return ++asked; }};
    CHECK(svc(quote_request{"ABC"}).value() == 1);
    for (char const* unknown : {"XYZ", "toolong", "abc", ""}) {
        auto const r = svc(quote_request{unknown});
        CHECK(r.error() == weir::errc::not_found);
        CHECK(r.error().policy() == 0);
    }
    CHECK(asked == 1);
    symbols.add("XYZ");
    CHECK(svc(quote_request{"XYZ"}).value() == 2);
    svc.get<weir::known_keys>().guard().get<1>().add("NEW");
    CHECK(svc(quote_request{"NEW"}).value() == 3);

    auto const s = svc.get<weir::known_keys>().stats();
    CHECK(s.passed == 3);
    CHECK(s.refused == 3);
    CHECK(s.unnamed == 1);
    std::string told;
    s.each([&](std::string_view name, auto) { told += std::string(name) + " "; });
    CHECK(told.starts_with("passed_total refused_total unnamed_total key_rule_refused_total guard_population "));
    CHECK(weir::describe(svc).text() == "gate known_keys min_length=1 max_length=4 planned_population=2 false_positive_rate=1e-06\n");
}

TEST_CASE("known_keys: outward of a cache it sees to it that a refusal is never kept")
{
    weir::bloom_guard symbols{std::vector<std::string>{"ABC"}, 1e-6};
    weir::pipeline svc{weir::known_keys{by_symbol, std::ref(symbols)},
                       weir::cached{weir::store<std::string, int>{{.capacity = 10, .negative_ttl = std::chrono::hours(1)}}, by_symbol},
                       [](quote_request const&) { return 1; }};
    CHECK(svc(quote_request{"NEW"}).error() == weir::errc::not_found);
    CHECK(svc.get<weir::cached>().stats().look_ups() == 0);
    symbols.add("NEW");
    CHECK(svc(quote_request{"NEW"}).value() == 1);
}

TEST_CASE("known_keys: a key that may be missing")
{
    struct request {
        std::optional<int> id;
    };
    weir::pipeline svc{
        weir::known_keys{weir::keyed_by<int>([](request const& r) { return r.id; }), weir::key_rule{[](int id) { return id > 0; }}},
        [](request const& r) { return *r.id; }};
    CHECK(svc(request{5}).value() == 5);
    CHECK(svc(request{-5}).error() == weir::errc::not_found);
    CHECK(svc(request{}).error() == weir::errc::not_found);
}
