// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir_tests {

inline bool same_letters(std::string_view a, std::string_view b)
{
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

/// What requests and responses have in common, with every field line as it came.
struct raw_message {
    using lines = std::vector<std::pair<std::string, std::string>>;
    lines fields{}, trailers{};
    std::string body{};

    friend std::optional<std::string_view> weir_header(raw_message const& m, std::string_view name)
    {
        for (auto const& [key, value] : m.fields)
            if (same_letters(key, name)) return value;
        return std::nullopt;
    }
    friend void weir_set_header(raw_message& m, std::string_view name, std::string_view value)
    {
        std::erase_if(m.fields, [&](auto const& field) { return same_letters(field.first, name); });
        m.fields.emplace_back(name, value);
    }
    friend void weir_each_header(raw_message const& m, std::string_view name, auto&& f) { each(m.fields, name, f); }
    friend void weir_each_trailer(raw_message const& m, std::string_view name, auto&& f) { each(m.trailers, name, f); }
    friend std::string_view weir_body(raw_message const& m) { return m.body; }

private:
    static void each(lines const& all, std::string_view name, auto&& f)
    {
        for (auto const& [key, value] : all)
            if (same_letters(key, name)) f(std::string_view(value));
    }
};
struct raw_request : raw_message {
    std::string method = "GET", target = "/";
    friend std::string_view weir_method(raw_request const& r) { return r.method; }
    friend std::string_view weir_target(raw_request const& r) { return r.target; }
};
struct raw_response : raw_message {
    unsigned status = 200;
    friend unsigned weir_status(raw_response const& r) { return r.status; }
};

/// Reads raw HTTP/1 messages: the lines end in CRLF, names are tokens, a value may be folded; a body is the rest, or chunked with trailers.
class raw_reader {
public:
    explicit raw_reader(std::string_view text) : rest_(text) {}

    bool read(raw_request& r)
    {
        auto const start = line();
        if (!start) return false;
        auto const first = start->find(' '), last = start->rfind(' ');
        if (first == std::string::npos || first == last || !start->substr(last + 1).starts_with("HTTP/1.")) return false;
        r.method = start->substr(0, first);
        r.target = start->substr(first + 1, last - first - 1);
        return r.target.find(' ') == std::string::npos && read_rest(r);
    }
    bool read(raw_response& r)
    {
        auto const start = line();
        if (!start || !start->starts_with("HTTP/1.") || start->size() < 12) return false;
        r.status = 0;
        for (char const c : start->substr(9, 3)) {
            if (c < '0' || c > '9') return false;
            r.status = r.status * 10 + static_cast<unsigned>(c - '0');
        }
        return read_rest(r);
    }

private:
    std::optional<std::string> line()
    {
        auto const end = rest_.find("\r\n");
        if (end == std::string_view::npos) return std::nullopt;
        std::string out(rest_.substr(0, end));
        rest_.remove_prefix(end + 2);
        if (out.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) return std::nullopt;
        return out;
    }
    bool read_fields(raw_message::lines& into)
    {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for (;;) {
            auto const one = line();
            if (!one) return false;
            if (one->empty()) return true;
            if (one->front() == ' ' || one->front() == '\t') {
                if (into.empty()) return false;
                into.back().second += "\r\n" + *one;
                continue;
            }
            auto const colon = one->find(':');
            if (colon == 0 || colon == std::string::npos || one->find_first_not_of(marks) != colon) return false;
            into.emplace_back(one->substr(0, colon), one->substr(colon + 1));
        }
    }
    bool read_rest(raw_message& m)
    {
        if (!read_fields(m.fields)) return false;
        auto const coding = weir_header(m, "transfer-encoding");
        if (!coding || coding->find("chunked") == std::string_view::npos) {
            m.body = rest_;
            return true;
        }
        for (;;) {
            auto const size = line();
            if (!size) return false;
            std::size_t const count = std::strtoul(size->c_str(), nullptr, 16);
            if (count == 0) return read_fields(m.trailers);
            if (count > rest_.size()) return false;
            m.body += rest_.substr(0, count);
            rest_.remove_prefix(count);
            if (!line()) return false;
        }
    }

    std::string_view rest_;
};

} // namespace weir_tests
