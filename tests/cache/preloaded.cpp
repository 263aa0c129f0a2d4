// SPDX-License-Identifier: BSL-1.0
#include <weir/cache/preloaded.hpp>

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>

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

TEST_CASE("never_asked: says so if it is asked")
{
    CHECK(weir::never_asked<int>{}(1).error() == weir::errc::unavailable);
}
