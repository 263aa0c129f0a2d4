// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/grammar.hpp>
#include <weir/http/message.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0::http::detail {

inline void append_number(std::string& to, std::size_t number)
{
    char digits[20];
    to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

inline void append_field(std::string& to, std::string_view name, std::string_view value)
{
    to.append(name).append(": ").append(value).append("\r\n");
}

/// Whether a status code comes without a body, whatever the handler says (RFC 9112 section 6.3).
[[nodiscard]] constexpr bool is_bodiless(unsigned status) noexcept
{
    return status == 204 || status == 304;
}

/// The fields that frame a message or are about the connection alone: whoever writes the message sets them.
[[nodiscard]] constexpr bool is_of_the_connection(field name) noexcept
{
    return name == field::content_length || name == field::transfer_encoding || name == field::connection || name == field::keep_alive ||
           name == field::proxy_connection || name == field::trailer || name == field::upgrade;
}

/// Appends the fields that are not about the connection. False if one of them cannot be sent: a line end in a value would be
/// a second field, or a second message.
template<class Message>
[[nodiscard]] bool append_fields(std::string& to, Message const& message)
{
    for (auto const& line : message) {
        if (is_of_the_connection(line.name())) continue;
        std::string_view const name = line.name_string();
        std::string_view const value = line.value();
        if (name.empty() || !all(in::token, name) || !all(in::value, value)) return false;
        append_field(to, name, value);
    }
    return true;
}

/// How a response goes out.
struct response_framing {
    bool keep_alive = true;
    bool tells_keep_alive = false; ///< to an HTTP/1.0 client
    bool is_head = false;          ///< the request's method was HEAD
    std::string_view date;         ///< the Date field, whole
};

/// Replaces `to` by the head of a response. False if a field cannot be sent.
[[nodiscard]] inline bool write_head(std::string& to, response const& r, response_framing const& how)
{
    to.assign("HTTP/1.1 ");
    append_number(to, r.result_int());
    to.append(" ").append(std::string_view(r.reason())).append("\r\n");
    if (!all(in::value, r.reason()) || !append_fields(to, r)) return false;
    if (!is_bodiless(r.result_int())) {
        auto const own = how.is_head && r.body().empty() ? find_field(r, "Content-Length") : std::nullopt;
        to.append("Content-Length: ");
        if (own && all(in::digit, *own)) {
            to.append(*own);
        } else {
            append_number(to, r.body().size());
        }
        to.append("\r\n");
    }
    if (r.find(field::date) == r.end()) to.append(how.date);
    if (!how.keep_alive) to.append("Connection: close\r\n");
    if (how.keep_alive && how.tells_keep_alive) to.append("Connection: keep-alive\r\n");
    to.append("\r\n");
    return true;
}

/// Replaces `to` by the head of a request to `host`. False if something in it cannot be sent.
[[nodiscard]] inline bool write_head(std::string& to, request const& r, std::string_view host)
{
    std::string_view const method = r.method_string();
    std::string_view const target = r.target();
    if (method.empty() || !all(in::token, method) || !parse_target(method, target)) return false;
    to.assign(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    if (r.find(field::host) == r.end()) append_field(to, "Host", host);
    if (!append_fields(to, r)) return false;
    // A request without a body needs no length, unless its method means to have one (RFC 9110 section 8.6).
    if (!r.body().empty() || method == "POST" || method == "PUT" || method == "PATCH") {
        to.append("Content-Length: ");
        append_number(to, r.body().size());
        to.append("\r\n");
    }
    to.append("\r\n");
    return true;
}

} // namespace weir::inline v0::http::detail
