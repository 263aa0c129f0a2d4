// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/http/detail/same_name.hpp>
#include <weir/http/grammar.hpp>
#include <weir/http/ip_address.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::inline v0::http::detail {

/// Whom proxies name, the nearest last. An empty one is a hop of which nothing is said.
using hop_list = std::vector<std::string_view>;

template<class Message>
concept has_lines = requires(Message const& m)
{
    m.begin()->name_string();
    m.begin()->value();
};

/// All lines of that field, in their order, where a message tells them; else the first.
template<class Message, class F>
void each_line(Message const& message, std::string_view name, F f)
{
    if constexpr (has_lines<Message>) {
        for (auto const& line : message)
            if (same_name(line.name_string(), name)) f(std::string_view(line.value()));
    } else if constexpr (requires { message.head().begin()->name_string(); }) {
        each_line(message.head(), name, f);
    } else if (auto const first = header(message, name)) {
        f(*first);
    }
}

/// `a, b, c`.
inline void split_list(std::string_view line, hop_list& hops)
{
    for (;;) {
        auto const comma = line.find(',');
        hops.push_back(trim(line.substr(0, comma)));
        if (comma == std::string_view::npos) return;
        line.remove_prefix(comma + 1);
    }
}

/// Takes the token off the front.
inline std::string_view take_token(std::string_view& line) noexcept
{
    auto const size = static_cast<std::size_t>(skip(in::token, line.data(), line.data() + line.size()) - line.data());
    std::string_view const token = line.substr(0, size);
    line.remove_prefix(size);
    return token;
}

/// Takes the value of a parameter off the front, without its quotation marks. Empty: there is none, or one with an escape, as no address
/// has.
inline std::string_view take_value(std::string_view& line) noexcept
{
    if (!line.starts_with('"')) return take_token(line);
    auto const end = line.find_first_of("\"\\", 1);
    if (end == std::string_view::npos || line[end] != '"') return {};
    std::string_view const value = line.substr(1, end - 1);
    line.remove_prefix(end + 1);
    return value;
}

/// A `Forwarded` field (RFC 7239 section 4): the `for` of each element. Behind what is malformed nothing can be told.
inline void split_forwarded(std::string_view line, hop_list& hops)
{
    for (std::string_view whom;;) {
        line = trim(line);
        std::string_view const name = take_token(line);
        bool good = !name.empty() && line.starts_with('=');
        if (good) line.remove_prefix(1);
        std::string_view const value = good ? take_value(line) : std::string_view{};
        bool const is_for = equals(name, "for");
        good = !value.empty() && !(is_for && !whom.empty());
        if (is_for) whom = value;
        line = trim(line);
        char const behind = line.empty() ? ',' : line.front();
        if (!good || (behind != ',' && behind != ';')) return hops.push_back({});
        if (behind == ',') {
            hops.push_back(whom); // maybe nobody
            whom = {};
        }
        if (line.empty()) return;
        line.remove_prefix(1);
    }
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`. Anything else tells nothing.
inline std::optional<ip_address> hop_address(std::string_view hop)
{
    std::string_view port;
    std::string_view address = hop;
    if (hop.starts_with('[')) {
        auto const end = hop.find(']');
        if (end == std::string_view::npos) return {};
        address = hop.substr(1, end - 1);
        port = hop.substr(end + 1);
        if (address.find(':') == std::string_view::npos) return {};
    } else if (auto const colon = hop.find(':'); colon != std::string_view::npos && hop.find(':', colon + 1) == std::string_view::npos) {
        address = hop.substr(0, colon);
        port = hop.substr(colon);
    }
    if (!port.empty() && (port.size() < 2 || port.size() > 6 || port[0] != ':' || !all(in::digit, port.substr(1)))) return {};
    return ip_address::parse(address);
}

} // namespace weir::inline v0::http::detail
