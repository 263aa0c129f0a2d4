// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/message.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

/// The status code that answers an error.
[[nodiscard]] constexpr status status_of(errc e) noexcept
{
    switch (e) {
    case errc::rate_limited: return status::too_many_requests;
    case errc::circuit_open:
    case errc::bulkhead_full:
    case errc::overloaded:
    case errc::unavailable:
    case errc::cancelled: return status::service_unavailable;
    case errc::deadline_exceeded: return status::gateway_timeout;
    case errc::upstream_failed: return status::bad_gateway;
    case errc::not_found: return status::not_found;
    case errc::invalid_request: return status::bad_request;
    case errc::unauthenticated:
    case errc::replayed: return status::unauthorized;
    case errc::forbidden: return status::forbidden;
    case errc::payload_too_large: return status::payload_too_large;
    case errc::unsupported_media_type: return status::unsupported_media_type;
    case errc::method_not_allowed: return status::method_not_allowed;
    case errc::conflict: return status::conflict;
    case errc::key_reused: return status::unprocessable_entity;
    default: return status::internal_server_error; // the handler's own failures say nothing to the outside
    }
}

/// One sentence for whoever made the request; nothing of the inside.
[[nodiscard]] constexpr std::string_view detail_of(errc e) noexcept
{
    switch (e) {
    case errc::rate_limited: return "the limit of requests is used up";
    case errc::circuit_open:
    case errc::unavailable: return "the service behind this one is not available now";
    case errc::bulkhead_full:
    case errc::overloaded: return "the service is busy";
    case errc::deadline_exceeded: return "the request took too long";
    case errc::cancelled: return "the request was given up";
    case errc::upstream_failed: return "the service behind this one failed";
    case errc::not_found: return "there is no such thing";
    case errc::invalid_request: return "the request does not meet the rules of its route";
    case errc::unauthenticated: return "the request does not prove who makes it";
    case errc::replayed: return "the signed request was seen before, or is too old to tell";
    case errc::forbidden: return "who makes the request may not make it";
    case errc::payload_too_large: return "the body is too large";
    case errc::unsupported_media_type: return "the body is not of a type that the route takes";
    case errc::method_not_allowed: return "the route does not take this method";
    case errc::conflict: return "the same request is being answered now";
    case errc::key_reused: return "the idempotency key was used before, for another request";
    default: return "the service failed";
    }
}

/// What a problem document says besides the error. Views are read at once and not kept.
struct problem_details {
    std::string_view detail = {};   ///< a sentence about this occurrence; the error's own if empty
    std::string_view title = {};    ///< of the status in another language; its reason phrase if empty
    std::string_view policy = {};   ///< member `policy`: the name of the policy that refused; left out if empty
    std::string_view instance = {}; ///< member `instance`: a URI reference that names this occurrence; left out if empty
    std::string_view type_base =
        {}; ///< `type` is this and the error's name, such as `https://bank.example/problems/`; `about:blank` if empty
    std::string_view challenge = "Signature"; ///< WWW-Authenticate of a 401 (RFC 9110 section 15.5.2)
    std::string_view allow = {};              ///< Allow of a 405 (RFC 9110 section 15.5.6)
};

namespace detail {

inline void append_json(std::string& to, std::string_view text)
{
    to += '"';
    for (char c : text) {
        if (c == '"' || c == '\\') {
            to += '\\';
            to += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            constexpr std::string_view digits = "0123456789abcdef";
            to += "\\u00";
            to += digits[static_cast<unsigned char>(c) >> 4];
            to += digits[c & 15];
        } else {
            to += c;
        }
    }
    to += '"';
}

/// Whole seconds, rounded up, never negative.
[[nodiscard]] constexpr std::int64_t whole_seconds(duration d) noexcept
{
    return std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::seconds>(d).count());
}

inline response make_problem(status code, std::string_view name, std::string_view sentence, problem_details const& more)
{
    std::string text = "{\"type\":";
    append_json(text, more.type_base.empty() ? "about:blank" : std::string(more.type_base) + std::string(name));
    text += ",\"title\":";
    append_json(text, more.title.empty() ? std::string_view(obsolete_reason(code)) : more.title);
    text += ",\"status\":" + std::to_string(static_cast<unsigned>(code)) + ",\"detail\":";
    append_json(text, more.detail.empty() ? sentence : more.detail);
    text += ",\"code\":";
    append_json(text, name);
    auto const member = [&](std::string_view key, std::string_view value) {
        if (value.empty()) return;
        text += ",\"";
        text += key;
        text += "\":";
        append_json(text, value);
    };
    member("policy", more.policy);
    member("instance", more.instance);
    text += '}';
    response made(code, std::move(text), "application/problem+json");
    if (code == status::unauthorized) made.set(field::www_authenticate, more.challenge);
    if (code == status::method_not_allowed) made.set(field::allow, more.allow);
    return made;
}

} // namespace detail

/// The problem document (RFC 9457) of an error: `type`, `title`, `status`, `detail` and `code`, the name of the `errc`. If the error says
/// when to come back, `Retry-After` says it too, in whole seconds rounded up (RFC 9110 section 10.2.3); where no wait helps, as the call
/// costs more than the limit has at any time, it is left out.
[[nodiscard]] inline response problem(error const& e, problem_details const& more = {})
{
    response made = detail::make_problem(status_of(e.kind()), to_string(e.kind()), detail_of(e.kind()), more);
    if (e.retry_after().count() > 0 && e.retry_after() != duration::max())
        made.set(field::retry_after, std::to_string(detail::whole_seconds(e.retry_after())));
    return made;
}

/// A problem document for a status that no `errc` stands for: `http::problem(http::status::not_acceptable, {.detail = "..."})`.
[[nodiscard]] inline response problem(status code, problem_details const& more = {})
{
    return detail::make_problem(code, "http", std::string_view(obsolete_reason(code)), more);
}

/// What answers an outcome: its response, or the problem document of its error.
[[nodiscard]] inline response answer(result<response> outcome, problem_details const& more = {})
{
    return outcome ? std::move(*outcome) : problem(outcome.error(), more);
}

} // namespace weir::inline v0::http
