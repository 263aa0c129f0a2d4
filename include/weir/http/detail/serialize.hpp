// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/grammar.hpp>
#include <weir/http/message.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0::http::detail {

inline void append_number(std::string& to, std::uint64_t number)
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
           name == field::proxy_connection || name == field::te || name == field::trailer || name == field::upgrade;
}

/// Whether the Connection fields of a message name that field as one of the connection (RFC 9110 section 7.6.1).
template<class Message>
[[nodiscard]] bool is_named_by_connection(Message const& message, std::string_view name)
{
    std::string lower_case(name);
    for (char& c : lower_case) c = lower(c);
    for (auto const& line : message)
        if (line.name() == field::connection && has_element(line.value(), lower_case)) return true;
    return false;
}

/// What the fields of a message are, found while they are written.
struct written_fields {
    bool good = true; ///< all can be sent: a line end in a value would be a second field, or a second message
    bool date = false;
    bool server = false;
};

/// Appends the fields that are not about the connection.
template<class Message>
[[nodiscard]] written_fields append_fields(std::string& to, Message const& message)
{
    written_fields found;
    bool options = false; // a Connection field stands there, and may name others
    for (auto const& line : message) options = options || line.name() == field::connection;
    for (auto const& line : message) {
        field const known = line.name();
        if (is_of_the_connection(known)) continue;
        std::string_view const name = line.name_string();
        std::string_view const value = line.value();
        if (options && is_named_by_connection(message, name)) continue;
        if (name.empty() || !all(in::token, name) || !all(in::value, value)) return {.good = false};
        found.date = found.date || known == field::date;
        found.server = found.server || known == field::server;
        append_field(to, name, value);
    }
    return found;
}

/// How a response goes out.
struct response_framing {
    /// How the body's end is told.
    enum class body : std::uint8_t {
        whole,   ///< it is in the response: its length
        counted, ///< it comes in pieces, `length` bytes in all
        chunked,
        until_end, ///< of the connection
    };
    bool keep_alive = true;
    bool tells_keep_alive = false; ///< to an HTTP/1.0 client
    bool is_head = false;          ///< the request's method was HEAD
    body ends = body::whole;
    std::uint64_t length = 0;
    std::string_view date = {};   ///< the Date field, whole
    std::string_view server = {}; ///< the Server field, whole, or nothing
};

/// Appends what tells the body's end.
inline void append_framing(std::string& to, response const& r, response_framing const& how)
{
    using body = response_framing::body;
    if (how.ends == body::until_end) return;
    if (how.ends == body::chunked) {
        // Of an answer to HEAD it would only say that a GET had a body without a length (RFC 9110 section 9.3.2).
        if (!how.is_head) to.append("Transfer-Encoding: chunked\r\n");
        return;
    }
    auto const own = how.is_head && how.ends == body::whole && r.body().empty() ? find_field(r, "Content-Length") : std::nullopt;
    to.append("Content-Length: ");
    if (own && !own->empty() && all(in::digit, *own)) {
        to.append(*own);
    } else {
        append_number(to, how.ends == body::counted ? how.length : r.body().size());
    }
    to.append("\r\n");
}

/// Replaces `to` by the head of a response. False if a field cannot be sent.
[[nodiscard]] inline bool write_head(std::string& to, response const& r, response_framing const& how)
{
    to.assign("HTTP/1.1 ");
    append_number(to, r.result_int());
    to.append(" ").append(std::string_view(r.reason())).append("\r\n");
    if (!all(in::value, r.reason())) return false;
    written_fields const own = append_fields(to, r);
    if (!own.good) return false;
    if (!is_bodiless(r.result_int())) append_framing(to, r, how);
    if (!own.date) to.append(how.date);
    if (!own.server) to.append(how.server);
    if (!how.keep_alive) to.append("Connection: close\r\n");
    if (how.keep_alive && how.tells_keep_alive) to.append("Connection: keep-alive\r\n");
    to.append("\r\n");
    return true;
}

/// How a request goes out.
struct request_framing {
    enum class body : std::uint8_t {
        whole,   ///< it is in the request: its length
        counted, ///< it comes in pieces, `length` bytes in all
        chunked,
    };
    body ends = body::whole;
    std::uint64_t length = 0;
};

/// Replaces `to` by the head of a request to `host`. False if something in it cannot be sent.
[[nodiscard]] inline bool write_head(std::string& to, request const& r, std::string_view host, request_framing const& how = {})
{
    using body = request_framing::body;
    std::string_view const method = r.method_string();
    std::string_view const target = r.target();
    if (method.empty() || !all(in::token, method) || !parse_target(method, target)) return false;
    to.assign(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    if (r.find(field::host) == r.end()) {
        if (!is_authority(host)) return false;
        append_field(to, "Host", host);
    }
    if (!append_fields(to, r).good) return false;
    // A request without a body needs no length, unless its method means to have one (RFC 9110 section 8.6).
    if (how.ends == body::chunked) {
        to.append("Transfer-Encoding: chunked\r\n");
    } else if (how.ends == body::counted || !r.body().empty() || method == "POST" || method == "PUT" || method == "PATCH") {
        to.append("Content-Length: ");
        append_number(to, how.ends == body::counted ? how.length : r.body().size());
        to.append("\r\n");
    }
    to.append("\r\n");
    return true;
}

} // namespace weir::inline v0::http::detail
