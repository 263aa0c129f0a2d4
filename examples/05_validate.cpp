// SPDX-License-Identifier: BSL-1.0
// Lesson 5: requests that break the rules go no further.
//
// Policies do not know the type of your requests. They call a few free functions beside it, found by their names: weir_header for a field,
// weir_target for the path and query, weir_body for the body. A policy that needs one your type lacks does not compile, and the error says which.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/validate/max_body.hpp>
#include <weir/validate/paging.hpp>
#include <weir/validate/require_headers.hpp>

#include <optional>
#include <string>
#include <string_view>

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

} // namespace

int main()
{
    lesson five("Rules for requests, and sentences for those who break them");
    weir::pipeline orders{weir::require_headers<"x-correlation-id">{}, weir::max_body{{.bytes = 1'000}},
                          weir::paging{{.max_limit = 50, .default_limit = 20}}, list_orders};

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
    return five.exit_status();
}
