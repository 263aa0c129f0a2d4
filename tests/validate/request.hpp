// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace test {

/// A request that policies of `validate/` can look at.
struct request {
    std::string target = "/orders";
    std::string body{};
    std::map<std::string, std::string, std::less<>> fields{};

    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name)
    {
        auto const at = r.fields.find(name);
        return at == r.fields.end() ? std::nullopt : std::optional<std::string_view>(at->second);
    }
    friend std::string_view weir_target(request const& r) { return r.target; }
    friend std::string_view weir_body(request const& r) { return r.body; }
};

/// The same, of which every line of a field is seen.
struct request_of_lines : request {
    std::multimap<std::string, std::string, std::less<>> lines{};

    friend std::optional<std::string_view> weir_header(request_of_lines const& r, std::string_view name)
    {
        auto const at = r.lines.lower_bound(name);
        return at == r.lines.end() || at->first != name ? std::nullopt : std::optional<std::string_view>(at->second);
    }
    friend void weir_each_header(request_of_lines const& r, std::string_view name, auto&& f)
    {
        for (auto [at, end] = r.lines.equal_range(name); at != end; ++at) f(std::string_view(at->second));
    }
};

} // namespace test
