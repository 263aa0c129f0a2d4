// SPDX-License-Identifier: BSL-1.0
// Lesson 5: requests that break the rules go no further.
//
// Policies do not know the type of your requests. They call a few free functions beside it, found by their names: weir_header for a field,
// weir_target for the path and query, weir_body for the body. A policy that needs one your type lacks does not compile, and the error says which.
//
// What the members of a struct may be, the struct says itself: rules are constants, and what has none costs nothing.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/core/without.hpp>
#include <weir/validate/catalogue.hpp>
#include <weir/validate/mask.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/paging.hpp>
#include <weir/validate/parameters.hpp>
#include <weir/validate/pattern.hpp>
#include <weir/validate/read_json.hpp>
#include <weir/validate/reject_injection.hpp>
#include <weir/validate/require_headers.hpp>

#include <boost/describe/class.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct request {
    std::string target;
    std::string correlation_id{};
    std::string body{};

    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name)
    {
        if (name != "x-correlation-id" || r.correlation_id.empty()) return std::nullopt;
        return r.correlation_id;
    }
    friend std::string_view weir_target(request const& r) { return r.target; }
    friend std::string_view weir_body(request const& r) { return r.body; }
};

/// A handler may ask for facts that policies found out: here the page, read and checked already.
std::string list_orders(request const&, weir::view<weir::page> facts)
{
    auto const& page = facts.get<weir::page>();
    return fmt::format("{} orders from {} on", page.limit, page.offset);
}

/// What every route has; one that has no pages says so.
auto baseline()
{
    return weir::stack{weir::require_headers<"x-correlation-id">{}, weir::max_body{{.bytes = 1'000}},
                       weir::paging{{.max_limit = 50, .default_limit = 20}}};
}

/// The parameters of a path and a query, typed.
struct asked {
    std::string symbol{};
    std::optional<std::uint32_t> depth{};

    friend constexpr auto weir_rules(asked const*)
    {
        return weir::rules{weir::rule<&asked::symbol>(weir::pattern<"[A-Z]{1,8}", "up to 8 capital letters">),
                           weir::rule<&asked::depth>(weir::range{1, 20})};
    }
};
BOOST_DESCRIBE_STRUCT(asked, (), (symbol, depth))

std::string show_quote(request const&, weir::view<asked> facts)
{
    auto const& a = facts.get<asked>();
    return fmt::format("{} to a depth of {}", a.symbol, a.depth.value_or(1));
}

/// What a body may hold.
struct transfer {
    std::string currency{}, note{};
    std::uint64_t cents{};
    std::vector<std::string> to{};
    std::uint32_t from_day{}, until_day{};

    friend constexpr auto weir_rules(transfer const*)
    {
        return weir::rules{
            weir::rule<&transfer::currency>(weir::one_of{"EUR", "USD"}),
            weir::rule<&transfer::cents>(weir::range{1, 100'000'00}),
            weir::rule<&transfer::to>(weir::length{1, 3}, weir::each{weir::pattern<"[A-Z]{2}\\d{2}[A-Z0-9]{11,30}", "an IBAN">}),
            weir::together<&transfer::from_day, &transfer::until_day>("a day not after until_day", std::less_equal{}),
        };
    }
};
BOOST_DESCRIBE_STRUCT(transfer, (), (currency, note, cents, to, from_day, until_day))

} // namespace

int main()
{
    lesson five("Rules for requests, and sentences for those who break them");
    weir::pipeline orders{baseline(), list_orders};

    auto const ask = [&](request const& r) { return orders.call(r); };
    five.shows("a right request passes", ask({"/orders?limit=10&offset=30", "c-1"}).result().value() == "10 orders from 30 on");
    five.shows("what it leaves out has a default", ask({"/orders", "c-2"}).result().value() == "20 orders from 0 on");

    // A refusal is an error for programs, and a violation that says what would be right, for whoever wrote the request.
    auto const refused = [&](request const& r, weir::errc why, std::string_view sentence) {
        auto const reply = ask(r);
        auto const& told = reply.reported<weir::violation>();
        if (!reply.result().has_error() || !told) return five.shows(sentence, false);
        std::string const got = fmt::format("{}{}{}: expected {}", told->where, told->name.empty() ? "" : " ", told->name, told->expected);
        five.shows(got, reply.result().error() == why && got == sentence);
    };
    refused({"/orders"}, weir::errc::invalid_request, "header x-correlation-id: expected a value");
    refused({"/orders?limit=1000000", "c-3"}, weir::errc::invalid_request, "query limit: expected one number from 1 to 50");
    refused({"/orders?limit=5&limit=50", "c-4"}, weir::errc::invalid_request, "query limit: expected one number from 1 to 50");
    refused({"/orders?offset=-1", "c-5"}, weir::errc::invalid_request, "query offset: expected one number from 0 to 10000");
    refused({"/orders", "c-6", std::string(1'001, 'x')}, weir::errc::payload_too_large, "body: expected at most 1000 bytes");

    // A route opts out by a type. Its own parameters come from its path and its query, and two faults are told at once.
    weir::pipeline quote{baseline() | weir::without<weir::paging>{}, weir::parameters<asked, weir::in_path<"/quotes/{symbol}">>{},
                         show_quote};
    five.shows("parameters are typed", quote(request{"/quotes/ACME?depth=5", "c-7"}).value() == "ACME to a depth of 5");
    auto const bad = quote.call(request{"/quotes/acme?depth=21", "c-8"});
    std::string const told = to_string(bad.reported<weir::violations>().value_or(weir::violations{}));
    five.shows(told, told == "path symbol: expected up to 8 capital letters; query depth: expected a number from 1 to 20");

    // A body: what does not fit and what breaks a rule, by JSON pointers.
    auto const wrong = weir::read_json<transfer>(
        R"({"currency":"GBP","note":"","cents":"5","to":["DE89370400440532013000","x"],"from_day":9,"until_day":1})");
    for (weir::violation const& v : wrong.error().list) five.shows(to_string(v), true);
    five.shows("four at once", wrong.error().list.size() == 4);

    // In the language of who asks.
    constexpr weir::message german[] = {{"one of {0}", "eines von {0}"}, {"body {0}: expected {1}", "Feld {0}: erwartet wird {t1}"}};
    auto const messages = weir::catalogue("en").add("de", german);
    std::string const sentence = messages.translate(messages.choose("de-CH, en;q=0.5"), to_string(wrong.error().list[1]));
    five.shows(sentence, sentence == "Feld /currency: erwartet wird eines von EUR, USD");

    // What is made to be taken for a query is refused. That makes nothing safe: bound parameters do.
    weir::pipeline search{weir::reject_injection<weir::injection::sql, weir::injection::script>{}, [](request const&) { return 1; }};
    five.shows("an apostrophe is no attack", search(request{"/search?name=O'Reilly"}).has_value());
    five.shows("a query in a query is refused", search(request{"/search?id=1%27%20or%20%271%27=%271"}).has_error());

    // And a log shows what it may.
    using our_mask = weir::mask<weir::hide<"*token*", "password">, weir::show_last<4, "iban">>;
    std::string const line = our_mask::target("/pay?iban=DE89370400440532013000&access_token=abc&day=1");
    five.shows(line, line == "/pay?iban=***3000&access_token=***&day=1");
    std::string const logged = our_mask::json(R"({"user":"ann","password":"abc","card":"4111 1111 1111 1111"})");
    five.shows(logged, logged == R"({"user":"ann","password":"***","card":"***1111"})");
    return five.exit_status();
}
