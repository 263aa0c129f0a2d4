// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/in_bulk.hpp>

#include <weir/cache/batched.hpp>
#include <weir/core/key.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/resilience/circuit_breaker.hpp>
#include <weir/resilience/fallback.hpp>

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct query {
    std::string symbol;
};
constexpr auto by_symbol = weir::keyed_by(&query::symbol);
/// A call that waits for nobody: a load of one key.
constexpr weir::batched_options at_once{.max_size = 10, .max_wait = 0ns};
using keys = std::vector<std::string>;

weir::result<int> ask(auto& svc, std::string symbol)
{
    query const q{std::move(symbol)};
    return svc(q);
}

} // namespace

TEST_CASE("in_bulk: the handler gets the keys, and answers with results, optionals or a map")
{
    weir::pipeline results{weir::batched{by_symbol, at_once}, weir::in_bulk<std::string>{}, [](keys const& of) {
                               std::vector<weir::result<int>> all;
                               for (auto const& symbol : of)
                                   all.push_back(symbol == "none" ? weir::result<int>(weir::errc::not_found)
                                                                  : weir::result<int>(static_cast<int>(symbol.size())));
                               return all;
                           }};
    CHECK(ask(results, "weir") == 4);
    CHECK(ask(results, "none").error() == weir::errc::not_found);

    weir::pipeline optionals{weir::batched{by_symbol, at_once}, weir::in_bulk<std::string>{}, [](keys const& of) {
                                 std::vector<std::optional<int>> all;
                                 for (auto const& symbol : of)
                                     all.push_back(symbol == "none" ? std::nullopt : std::optional(static_cast<int>(symbol.size())));
                                 return all;
                             }};
    CHECK(ask(optionals, "weir") == 4);
    CHECK(ask(optionals, "none").error() == weir::errc::not_found);

    weir::pipeline map{weir::batched{by_symbol, at_once}, weir::in_bulk<std::string>{}, [](keys const&) {
                           return std::map<std::string, int>{{"weir", 4}, {"dam", 3}};
                       }};
    CHECK(ask(map, "weir") == 4);
    CHECK(ask(map, "none").error() == weir::errc::not_found);
}

TEST_CASE("in_bulk: another number of answers than of keys fails all calls")
{
    weir::pipeline svc{weir::batched{by_symbol, at_once}, weir::in_bulk<std::string>{}, [](keys const&) {
                           return std::vector<weir::result<int>>{1, 2};
                       }};
    CHECK(ask(svc, "weir").error() == weir::errc::upstream_failed);
}

TEST_CASE("in_bulk: a breaker between sees the load as a whole")
{
    int loads = 0;
    weir::errc says = weir::errc::not_found;
    weir::pipeline svc{weir::batched{by_symbol, at_once}, weir::circuit_breaker{weir::row_breaker_options{.failures = 2}},
                       weir::in_bulk<std::string>{}, [&](keys const&) {
                           ++loads;
                           return std::vector<weir::result<int>>{says};
                       }};
    for (int i = 0; i < 5; ++i) CHECK(ask(svc, "none").error() == weir::errc::not_found); // no failures
    says = weir::errc::upstream_failed;
    for (int i = 0; i < 2; ++i) CHECK(ask(svc, "weir").error() == weir::errc::upstream_failed);
    CHECK(ask(svc, "weir").error() == weir::errc::circuit_open);
    CHECK(loads == 7);
}

TEST_CASE("in_bulk: what a fallback between says of a load that failed, all are told")
{
    weir::pipeline svc{weir::batched{by_symbol, at_once}, weir::fallback{-1}, weir::in_bulk<std::string>{},
                       [](keys const&) { return weir::result<std::vector<weir::result<int>>>(weir::errc::upstream_failed); }};
    CHECK(ask(svc, "weir") == -1);
}
