// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0::http {

/// How much of a request is taken. What is longer is refused.
struct framing_limits {
    std::size_t line_bytes = 16'384;      ///< the request line, CRLF included (RFC 9112 section 3 wants 8,000 at least)
    std::size_t field_bytes = 16'384;     ///< one field line, CRLF included
    std::size_t header_bytes = 32'768;    ///< request line and fields together; also the trailers; also all chunk extensions of a body
    std::size_t fields = 100;             ///< field lines; also trailer lines
    std::uint64_t body_bytes = 1'048'576; ///< the body without its chunk framing
};

/// Why a request was refused.
enum class refusal : std::uint8_t {
    none,
    bad_request_line,
    bad_target,
    bad_version,
    unsupported_version,
    line_too_long,
    bad_field,
    obsolete_folding,
    header_too_large,
    too_many_fields,
    bad_host,
    no_host,
    bad_length,
    bad_coding,
    unknown_coding,
    length_and_coding,
    repeated_field,
    body_too_large,
    bad_chunk,
    bad_trailer,
    incomplete,
};

/// The status code that answers a refusal: 400, 413, 414, 431, 501 or 505.
[[nodiscard]] constexpr unsigned status_of(refusal r) noexcept
{
    switch (r) {
    case refusal::line_too_long: return 414;
    case refusal::header_too_large:
    case refusal::too_many_fields: return 431;
    case refusal::body_too_large: return 413;
    case refusal::unknown_coding: return 501;
    case refusal::unsupported_version: return 505;
    default: return 400;
    }
}

/// One sentence for whoever sent the request.
[[nodiscard]] constexpr std::string_view to_string(refusal r) noexcept
{
    switch (r) {
    case refusal::none: return "the request is well formed";
    case refusal::bad_request_line: return "the first line is not a method, a target and a version with one space between";
    case refusal::bad_target: return "the request target is malformed, or of a form that the method may not have";
    case refusal::bad_version: return "the version is malformed";
    case refusal::unsupported_version: return "the version is neither HTTP/1.1 nor HTTP/1.0";
    case refusal::line_too_long: return "the request line is too long";
    case refusal::bad_field: return "a header field has a character that it may not have, or its line does not end in CRLF";
    case refusal::obsolete_folding: return "a header field is folded over several lines";
    case refusal::header_too_large: return "the header is too large";
    case refusal::too_many_fields: return "the header has too many fields";
    case refusal::bad_host: return "the Host field is malformed";
    case refusal::no_host: return "the Host field is missing";
    case refusal::bad_length: return "the Content-Length field is malformed";
    case refusal::bad_coding: return "the Transfer-Encoding field does not end in chunked, or stands in an HTTP/1.0 request";
    case refusal::unknown_coding: return "the only transfer coding that is understood is chunked";
    case refusal::length_and_coding: return "Content-Length and Transfer-Encoding stand in one request";
    case refusal::repeated_field: return "a field that may stand once stands twice";
    case refusal::body_too_large: return "the body is too large";
    case refusal::bad_chunk: return "the framing of a chunk is malformed";
    case refusal::bad_trailer: return "a trailer has a field that frames or routes the message";
    case refusal::incomplete: return "the message ends before its end";
    }
    return "";
}

} // namespace weir::inline v0::http
