// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/preloaded.hpp>

#include <weir/asio.hpp>
#include <weir/cache/key_rule.hpp>
#include <weir/cache/known_keys.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/testing/simulation.hpp>

#include <boost/asio/awaitable.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace {

struct tariff_request {
    std::string country;
};
constexpr auto by_country = weir::keyed_by(&tariff_request::country);

} // namespace

TEST_CASE("preloaded: answers every call from the table, and never asks anybody")
{
    weir::full_table<std::string, int> tariffs{{.capacity = 10}};
    tariffs.reload(std::map<std::string, int>{{"ch", 3}, {"de", 4}});
    weir::pipeline svc{weir::preloaded{std::ref(tariffs), by_country}, weir::never_asked<int>{}};
    CHECK(svc(tariff_request{"ch"}).value() == 3);
    auto const unknown = svc(tariff_request{"xx"});
    CHECK(unknown.error() == weir::errc::not_found);
    CHECK(unknown.error().policy() == 0);
    CHECK(svc(tariff_request{""}).error() == weir::errc::not_found);
    svc.get<weir::preloaded>().table().put("xx", 9);
    CHECK(svc(tariff_request{"xx"}).value() == 9);
    auto const s = svc.get<weir::preloaded>().stats();
    CHECK(s.hits == 2);
    CHECK(s.unknown == 2);
    CHECK(s.values == 3);
    std::string told;
    s.each([&](std::string_view name, std::uint64_t value) { told += std::string(name) + "=" + std::to_string(value) + " "; });
    CHECK(told == "hits_total=2 unknown_total=2 values=3 ");
    CHECK(weir::describe(svc).text() == "source preloaded capacity=10\n");
}

TEST_CASE("preloaded: a handler of optionals is answered with an empty one")
{
    weir::full_table<std::string, int, weir::confined> tariffs{{.capacity = 10}};
    tariffs.put("ch", 3);
    weir::pipeline svc{weir::preloaded{std::ref(tariffs), by_country}, weir::never_asked<std::optional<int>>{}};
    CHECK(svc(tariff_request{"ch"}).value() == 3);
    CHECK_FALSE(svc(tariff_request{"xx"}).value().has_value());
}

TEST_CASE("preloaded: answers in an asynchronous pipeline as well, as known_keys refuses in one")
{
    namespace asio = boost::asio;
    weir::simulation world;
    weir::full_table<std::string, int> tariffs{{.capacity = 10}};
    tariffs.put("ch", 3);
    int asked = 0;
    std::function<asio::awaitable<weir::result<int>>(tariff_request const&)> const source =
        [&](tariff_request const&) -> asio::awaitable<weir::result<int>> {
        ++asked;
        co_return 7;
    };
    weir::pipeline guarded{weir::known_keys{by_country, weir::guards{weir::key_rule{weir::text_shape{.max_length = 2}}, std::ref(tariffs)}},
                           source};
    weir::pipeline answered{weir::preloaded{std::ref(tariffs), by_country}, source};
    std::string told;
    auto const tell = [&](weir::result<int> const& r) { told += r.has_value() ? std::to_string(*r) + " " : std::string("none "); };
    std::function<asio::awaitable<void>()> const ask = [&]() -> asio::awaitable<void> {
        for (char const* const country : {"ch", "xx", "too long"}) {
            tariff_request const request{country};
            weir::result<int> const first = co_await guarded(request);
            tell(first);
            weir::result<int> const second = co_await answered(request);
            tell(second);
        }
    };
    world.spawn(ask());
    world.run();
    CHECK(told == "7 3 none none none none ");
    CHECK(asked == 1);
}

TEST_CASE("never_asked: says so if it is asked")
{
    CHECK(weir::never_asked<int>{}(1).error() == weir::errc::unavailable);
}
