// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace test {

/// The smallest request that can be signed.
struct request {
    std::string verb = "POST";
    std::string path = "/orders?dry=1";
    std::string content = R"({"symbol":"ACME","quantity":3})";
    std::map<std::string, std::string, std::less<>> fields{};

    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name)
    {
        auto const at = r.fields.find(name);
        return at == r.fields.end() ? std::nullopt : std::optional<std::string_view>(at->second);
    }
    friend void weir_set_header(request& r, std::string_view name, std::string_view value)
    {
        r.fields[std::string(name)] = std::string(value);
    }
    friend std::string_view weir_method(request const& r) { return r.verb; }
    friend std::string_view weir_target(request const& r) { return r.path; }
    friend std::string_view weir_body(request const& r) { return r.content; }
};

} // namespace test
