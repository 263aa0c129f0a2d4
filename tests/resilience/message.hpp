// SPDX-License-Identifier: BSL-1.0
//
// A request that has header fields and nothing else.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct message {
    std::map<std::string, std::string, std::less<>> fields;
    message() = default;
    message(std::string name, std::string value) { fields[std::move(name)] = std::move(value); }
    friend std::optional<std::string_view> weir_header(message const& m, std::string_view name)
    {
        auto const at = m.fields.find(name);
        return at == m.fields.end() ? std::nullopt : std::optional<std::string_view>(at->second);
    }
    friend void weir_set_header(message& m, std::string_view name, std::string_view value)
    {
        m.fields.insert_or_assign(std::string(name), std::string(value));
    }
};
