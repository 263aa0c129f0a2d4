// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_keys.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// What of tokens and keys stands in the lines that the programs wrote, a sentence each: nothing, if all is well.
inline std::vector<std::string> leaks(std::string const& log, std::string const& said, demo_keys const& keys,
                                      std::vector<std::string> tokens, std::vector<std::string> const& shared)
{
    std::ifstream in(log);
    std::string const lines = std::string(std::istreambuf_iterator<char>(in), {}) + said;
    std::vector<std::string> found;
    if (lines.find("access_token=***") == std::string::npos)
        found.emplace_back("the log has a line about a request with a token in its query, masked");
    auto const look = [&](std::string_view what, std::string_view part) {
        if (part.size() >= 16 && lines.find(part) != std::string::npos) found.push_back(fmt::format("no {} stands in the log", what));
    };
    for (std::string const& each : keys.secrets()) look("private key", each);
    for (std::string const& each : shared) look("key of an app", each);
    for (std::string const& each : tokens) {
        look("signature of a token", std::string_view(each).substr(each.rfind('.') + 1));
        auto const first = each.find('.') + 1;
        look("payload of a token", std::string_view(each).substr(first, each.find('.', first) - first));
    }
    for (std::string_view const mark : {"Bearer ", "PRIVATE KEY", "eyJ"})
        if (lines.find(mark) != std::string::npos) found.push_back(fmt::format("nothing with \"{}\" stands in the log", mark));
    return found;
}

} // namespace gateway
