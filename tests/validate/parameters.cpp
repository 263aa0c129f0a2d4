// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/parameters.hpp>

#include "request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/validate/paging.hpp>
#include <weir/validate/pattern.hpp>

#include <boost/describe/class.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct asked {
    std::string account{};
    std::optional<std::uint32_t> depth{};
    std::uint16_t id{};
    std::string app{};
    bool full{};
    std::optional<std::int32_t> rank{};

    friend bool operator==(asked const&, asked const&) = default;
    friend constexpr auto weir_rules(asked const*)
    {
        return weir::rules{weir::rule<&asked::account>(weir::pattern<"[A-Z]{2}\\d{1,6}">), weir::rule<&asked::depth>(weir::range{1, 50}),
                           weir::rule<&asked::app>(weir::length{1, 5})};
    }
};
BOOST_DESCRIBE_STRUCT(asked, (), (account, depth, id, app, full, rank))

asked answer(test::request const&, weir::view<asked> facts)
{
    return facts.get<asked>();
}
using read_asked = weir::parameters<asked, weir::in_path<"/accounts/{account}/orders/{id}">, weir::in_header<&asked::app, "x-app-id">,
                                    weir::in_header<&asked::rank, "x-rank">>;

test::request request(std::string target, std::optional<std::string> app = "till", std::optional<std::string> rank = {})
{
    test::request r{.target = std::move(target)};
    if (app) r.fields["x-app-id"] = *app;
    if (rank) r.fields["x-rank"] = *rank;
    return r;
}

TEST_CASE("parameters: path, query and headers fill one struct")
{
    weir::pipeline svc{read_asked{}, answer};
    CHECK(svc(request("/accounts/DE42/orders/7?full=true&depth=5", " till ", "-3")).value() == asked{"DE42", 5, 7, "till", true, -3});
    CHECK(svc(request("/accounts/D%45%342/orders/7?full=false")).value() == asked{"DE42", {}, 7, "till", false, {}});
    CHECK(svc(request("http://bank.example/accounts/DE42/orders/7?full=false")).has_value());
}

TEST_CASE("parameters: all faults at once, each by where it stands and what it is called there")
{
    weir::pipeline svc{read_asked{}, answer};
    auto const told = [&](test::request const& r) {
        auto const reply = svc.call(r);
        CHECK(reply.result().error() == weir::errc::invalid_request);
        return to_string(reply.reported<weir::violations>().value_or(weir::violations{}));
    };
    CHECK(told(request("/accounts/de42/orders/70000?full=1&depth=51&colour=red", {}, "x")) ==
          "path id: expected a whole number from 0 to 65535; header x-app-id: expected a string, which is missing; "
          "header x-rank: expected a whole number from -2147483648 to 2147483647; query full: expected true or false; "
          "query: expected no parameters but depth, full; path account: expected a text of the form [A-Z]{2}\\d{1,6}; "
          "query depth: expected a number from 1 to 50");
    CHECK(told(request("/accounts//orders/7?full=true")) == "path account: expected a string");
    CHECK(told(request("/accounts/D%zz/orders/7?full=true")) == "path account: expected a string");
    CHECK(told(request("/accounts/DE1/orders/7", "too long")) ==
          "query full: expected true or false, which is missing; header x-app-id: expected from 1 to 5 characters");
    CHECK(svc.get<read_asked>().stats().refused == 4);
}

TEST_CASE("parameters: a header that stands there twice is refused, whatever is in it")
{
    weir::pipeline svc{read_asked{}, [](test::request_of_lines const&, weir::view<asked> facts) { return facts.get<asked>().app; }};
    test::request_of_lines r;
    r.target = "/accounts/DE42/orders/7?full=true";
    r.lines = {{"x-app-id", "till"}};
    CHECK(svc(r).value() == "till");
    r.lines.emplace("x-app-id", "till");
    auto const told = [&] {
        auto const reply = svc.call(r);
        CHECK(reply.result().error() == weir::errc::invalid_request);
        return to_string(reply.reported<weir::violations>().value_or(weir::violations{}));
    };
    CHECK(told() == "header x-app-id: expected a string, which stands there once");
    r.lines = {{"x-app-id", "till"}, {"x-rank", "1"}, {"x-rank", "2"}};
    CHECK(told() == "header x-rank: expected a whole number from -2147483648 to 2147483647, which stands there once");
}

TEST_CASE("parameters: a path of another form is not found")
{
    weir::pipeline svc{read_asked{}, answer};
    for (std::string_view path :
         {"/accounts/DE1/orders", "/accounts/DE1/orders/7/x", "/account/DE1/orders/7", "/accounts/DE1/orders/7/", "*", "/", ""})
        CHECK(svc(request(std::string(path) + "?full=true")).error() == weir::errc::not_found);
}

TEST_CASE("parameters: beside a policy that reads some of the query, the others are not judged")
{
    weir::pipeline svc{weir::paging{}, read_asked{{.ignore_unknown_parameters = true}}, answer};
    CHECK(svc(request("/accounts/DE42/orders/7?full=true&limit=3")).has_value());
    svc.get<read_asked>().reconfigure({});
    CHECK(svc(request("/accounts/DE42/orders/7?full=true&limit=3")).has_error());
}

TEST_CASE("parameters: seeded requests against what they were made of")
{
    weir::pipeline svc{read_asked{}, answer};
    std::mt19937_64 draw(8);
    for (int round = 0; round < 20'000; ++round) {
        asked wanted{"XX" + std::to_string(draw() % 2'000'000),
                     {},
                     static_cast<std::uint16_t>(draw()),
                     std::string(draw() % 7, 'a'),
                     draw() % 2 == 0,
                     {}};
        std::vector<std::string> query{"full=" + std::string(wanted.full ? "true" : "false")};
        if (draw() % 2) query.push_back("depth=" + std::to_string(*(wanted.depth = draw() % 60)));
        if (draw() % 2) std::swap(query.front(), query.back());
        if (draw() % 2) wanted.rank = static_cast<std::int32_t>(draw());
        std::string target = "/accounts/" + wanted.account + "/orders/" + std::to_string(wanted.id) + '?';
        for (auto const& each : query) target += each + '&';
        bool const good = wanted.account.size() <= 8 && !wanted.app.empty() && wanted.app.size() <= 5 &&
                          (!wanted.depth || (*wanted.depth >= 1 && *wanted.depth <= 50));
        auto const got = svc(request(target, wanted.app, wanted.rank ? std::optional(std::to_string(*wanted.rank)) : std::nullopt));
        CAPTURE(target);
        REQUIRE(got.has_value() == good);
        if (good) REQUIRE(*got == wanted);
    }
}

} // namespace
