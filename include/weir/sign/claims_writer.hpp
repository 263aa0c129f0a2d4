// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/timestamp.hpp>
#include <weir/validate/detail/json_text.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace weir::inline v0 {

/// Claims to be signed, written one after the other: `claims_writer().text("device", "d-1").list("roles", roles)`. Throws `std::invalid_argument` that names
/// the claim for one that is there already, and for what is not UTF-8. Not thread-safe.
class claims_writer {
public:
    claims_writer& text(std::string_view name, std::string_view value)
    {
        begin(name);
        put(name, value);
        return *this;
    }
    claims_writer& integer(std::string_view name, std::int64_t value)
    {
        begin(name);
        json_ += std::to_string(value);
        return *this;
    }
    claims_writer& boolean(std::string_view name, bool value)
    {
        begin(name);
        json_ += value ? "true" : "false";
        return *this;
    }
    claims_writer& list(std::string_view name, std::span<std::string const> values)
    {
        begin(name);
        json_ += '[';
        for (std::string const& each : values) {
            if (&each != values.data()) json_ += ',';
            put(name, each);
        }
        json_ += ']';
        return *this;
    }
    /// A `NumericDate`: whole seconds, what is beyond them is left out.
    claims_writer& time(std::string_view name, wall_time value)
    {
        return integer(name, std::chrono::floor<std::chrono::seconds>(value.time_since_epoch()).count());
    }
    [[nodiscard]] bool has(std::string_view name) const noexcept { return std::find(names_.begin(), names_.end(), name) != names_.end(); }
    /// The object.
    [[nodiscard]] std::string json() const { return '{' + json_ + '}'; }

private:
    void begin(std::string_view name)
    {
        if (has(name)) throw std::invalid_argument(std::string(name) + ": expected each claim once");
        names_.emplace_back(name);
        if (!json_.empty()) json_ += ',';
        put(name, name);
        json_ += ':';
    }
    void put(std::string_view name, std::string_view value)
    {
        if (!detail::append_json_text(json_, value)) throw std::invalid_argument(std::string(name) + ": expected UTF-8");
    }

    std::string json_;
    std::vector<std::string> names_;
};

} // namespace weir::inline v0
