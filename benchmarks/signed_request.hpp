// SPDX-License-Identifier: BSL-1.0
// The request that the benchmarks of signatures sign and verify: a body of 1 KiB, its fields in a row, as a parser leaves them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct signed_request {
    std::string body = std::string(1024, 'b');
    std::vector<std::pair<std::string, std::string>> fields{{"host", "localhost"}, {"content-type", "application/json"}, {"accept", "*/*"}};

    friend std::optional<std::string_view> weir_header(signed_request const& r, std::string_view name)
    {
        for (auto const& [key, value] : r.fields) {
            if (key == name) return value;
        }
        return std::nullopt;
    }
    friend void weir_set_header(signed_request& r, std::string_view name, std::string_view value)
    {
        for (auto& [key, old] : r.fields) {
            if (key == name) {
                old = value;
                return;
            }
        }
        r.fields.emplace_back(name, value);
    }
    friend std::string_view weir_method(signed_request const&) { return "POST"; }
    friend std::string_view weir_target(signed_request const&) { return "/orders?dry=1"; }
    friend std::string_view weir_body(signed_request const& r) { return r.body; }
};
