// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/resilience/switchboard.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// Sets a switchboard by a file's text: `{"quotes": "stale", "orders": "normal"}`. Services that it does not name are `normal` as far as the file
/// has a say. It is read whole before anything changes: throws `std::invalid_argument` that names the place and what was expected there, and
/// changes nothing. For SIGHUP, or for whoever watches the file. Thread-safe as the board is.
inline void plan_by_json(switchboard& board, std::string_view text)
{
    boost::system::error_code wrong;
    boost::json::value const read = boost::json::parse(boost::json::string_view(text.data(), text.size()), wrong);
    expect(!wrong && read.is_object(), "switchboard file", "a JSON object of services and levels");
    std::vector<std::pair<std::string, service_level>> plan;
    board.for_each([&](std::string_view service, service_level) { plan.emplace_back(std::string(service), service_level::normal); });
    for (auto const& [key, value] : read.get_object()) {
        std::string const service(key.data(), key.size());
        static_cast<void>(board.at(service)); // throws, and names it
        auto const* const name = value.if_string();
        auto const level = name != nullptr ? service_level_from(std::string_view(name->data(), name->size())) : std::nullopt;
        expect(level.has_value(), "/" + service, "\"normal\", \"shed_minor\", \"stale\" or \"fixed\"");
        for (auto& [planned, to] : plan)
            if (planned == service) to = *level;
    }
    for (auto const& [service, level] : plan) board.plan(service, level);
}

} // namespace weir::inline v0
