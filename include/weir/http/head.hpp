// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/grammar.hpp>
#include <weir/http/refusal.hpp>
#include <weir/http/target.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// What a message is, which says how it begins and what its fields mean.
enum class message_kind : std::uint8_t { request, response };

/// The head of one HTTP/1.x message after the other, read from bytes that come in any pieces: request or status line, and fields,
/// checked by RFC 9112 sections 2 to 6. Without input or output. Each byte is looked at once, however the pieces are cut.
class message_head {
public:
    enum class found : std::uint8_t {
        more,    ///< the input ends within the head
        whole,   ///< the head is complete, `size()` bytes of the input
        refused, ///< `why()` says the reason
    };

    struct field {
        std::string_view name;
        std::string_view value;
    };

    explicit message_head(framing_limits const& limits, message_kind kind = message_kind::request) : limits_(limits), kind_(kind) {}

    /// Forgets the message before, keeps its memory.
    void begin() noexcept { *this = message_head(limits_, kind_, std::move(fields_)); }
    /// Reads on. `input` begins with the first byte of the head, each time again, and has grown since the last call.
    found next(std::string_view input) { return read(input, step_ < step::field); }
    /// Reads on in the trailers behind a chunked body, from their first byte, each time again, as `next` does. The fields of
    /// the head are not kept. Fields that would frame or route the message are refused, the others are checked and dropped.
    found next_trailers(std::string_view input)
    {
        if (!std::exchange(trailers_, true)) {
            step_ = step::field;
            at_ = 0;
            count_ = 0;
        }
        return read(input, false);
    }

    [[nodiscard]] std::size_t size() const noexcept { return at_; }
    [[nodiscard]] refusal why() const noexcept { return why_; }
    /// Nothing was seen yet, except empty lines.
    [[nodiscard]] bool untouched() const noexcept { return step_ == step::request; }

    // Views into the input of the call that found the head to be whole.
    [[nodiscard]] std::string_view method() const noexcept { return text(method_); }
    [[nodiscard]] std::string_view target() const noexcept { return text(target_); }
    [[nodiscard]] std::size_t field_count() const noexcept { return fields_.size(); }
    [[nodiscard]] field field_at(std::size_t i) const noexcept { return {text(fields_[i].name), text(fields_[i].value)}; }

    /// Of a response: 100 to 599.
    [[nodiscard]] unsigned status() const noexcept { return status_; }
    [[nodiscard]] std::string_view reason() const noexcept { return text(reason_); }

    /// 10 or 11.
    [[nodiscard]] unsigned version() const noexcept { return version_; }
    [[nodiscard]] bool chunked() const noexcept { return chunked_; }
    [[nodiscard]] bool has_length() const noexcept { return has_length_; }
    [[nodiscard]] std::uint64_t content_length() const noexcept { return length_; }
    [[nodiscard]] bool has_body() const noexcept { return chunked_ || length_ > 0; }
    /// Whoever sent it means to keep the connection (RFC 9112 section 9.3).
    [[nodiscard]] bool keep_alive() const noexcept { return !closes_ && (version_ == 11 || keeps_); }
    /// The client waits for "100 Continue" before it sends the body (RFC 9110 section 10.1.1).
    [[nodiscard]] bool expects_continue() const noexcept { return expects_ && version_ == 11 && has_body(); }
    /// The client expects what nobody here knows: 417 answers it (RFC 9110 section 15.5.18).
    [[nodiscard]] bool expects_unknown() const noexcept { return expects_unknown_ && version_ == 11; }

private:
    struct span {
        std::uint32_t at = 0;
        std::uint32_t size = 0;
    };
    struct line {
        span name;
        span value;
    };
    /// What the next byte belongs to.
    enum class step : std::uint8_t {
        request,
        request_lf,
        method,
        target,
        version,
        status,
        version_lf,
        field,
        name,
        blanks,
        value,
        value_lf,
        last_lf,
        whole
    };

    message_head(framing_limits const& limits, message_kind kind, std::vector<line>&& memory) noexcept
        : limits_(limits), kind_(kind), fields_(std::move(memory))
    {
        fields_.clear();
    }

    found read(std::string_view input, bool in_start_line);
    bool read_start_line(char const*& p, char const* end);
    bool read_fields(char const*& p, char const* end);
    bool end_field(char const* end_of_value);
    bool check_trailer(std::string_view name);
    bool check_field(std::string_view name, std::string_view value);
    bool check_coding(std::string_view value);
    bool check_length(std::string_view value);
    bool check_version(std::string_view version);
    bool check_status(span whole);
    bool check_whole();

    bool bad(refusal why) noexcept
    {
        why_ = why;
        return false;
    }
    bool once(bool& seen) noexcept { return !std::exchange(seen, true) || bad(refusal::repeated_field); }
    [[nodiscard]] std::uint32_t offset(char const* p) const noexcept { return static_cast<std::uint32_t>(p - base_); }
    [[nodiscard]] span since_mark(char const* p) const noexcept { return {mark_, offset(p) - mark_}; }
    [[nodiscard]] std::string_view text(span s) const noexcept { return {base_ + s.at, s.size}; }

    framing_limits limits_;
    message_kind kind_;
    std::vector<line> fields_;
    char const* base_ = nullptr; // where the input begins
    std::size_t at_ = 0;         // how much of it was read
    std::size_t count_ = 0;
    std::uint64_t length_ = 0;
    std::uint32_t line_ = 0; // where the line begins
    std::uint32_t mark_ = 0; // where the token begins
    span method_, target_, reason_, name_;
    std::uint16_t status_ = 0;
    std::uint8_t version_ = 11;
    step step_ = step::request;
    refusal why_ = refusal::none;
    bool trailers_ = false, chunked_ = false, has_length_ = false, has_host_ = false, has_type_ = false;
    bool keeps_ = false, closes_ = false, expects_ = false, expects_unknown_ = false;
};

inline message_head::found message_head::read(std::string_view input, bool in_start_line)
{
    // Never past the limit, so that bytes behind it make no difference.
    input = input.substr(0, limits_.header_bytes);
    base_ = input.data();
    char const* p = base_ + at_;
    char const* const end = base_ + input.size();
    if (in_start_line && !read_start_line(p, end)) return found::refused;
    if (step_ >= step::field && !read_fields(p, end)) return found::refused;
    at_ = offset(p);
    if (step_ == step::whole) return trailers_ || check_whole() ? found::whole : found::refused;
    if (at_ < limits_.header_bytes) return found::more;
    bad(refusal::header_too_large);
    return found::refused;
}

/// Leaves with `step::field` behind the line, else at the end of the input.
inline bool message_head::read_start_line(char const*& p, char const* end)
{
    while (p != end) {
        switch (step_) {
        case step::request: // an empty line before the request line is ignored, RFC 9112 section 2.2
            line_ = mark_ = offset(p);
            if (kind_ == message_kind::response) {
                step_ = step::status;
            } else if (*p == '\r') {
                step_ = step::request_lf;
                ++p;
            } else {
                step_ = step::method;
            }
            continue;
        case step::request_lf:
            if (*p++ != '\n') return bad(refusal::bad_request_line);
            step_ = step::request;
            continue;
        case step::method: p = detail::skip(detail::in::token, p, end); break;
        case step::target: // any visible character: which of them, the target's own parser says
            while (p != end && *p > ' ' && *p < 0x7f) ++p;
            break;
        case step::version:
            while (p != end && *p > ' ' && *p < 0x7f) ++p;
            break;
        case step::status: p = detail::skip(detail::in::value, p, end); break;
        default: break;
        }
        if (offset(p) - line_ >= limits_.line_bytes) return bad(refusal::line_too_long);
        if (p == end) return true;
        char const c = *p++;
        switch (step_) {
        case step::method:
            method_ = since_mark(p - 1);
            if (c != ' ' || method_.size == 0) return bad(refusal::bad_request_line);
            step_ = step::target;
            break;
        case step::target:
            target_ = since_mark(p - 1);
            if (c != ' ' || !parse_target(method(), target())) return bad(refusal::bad_target);
            step_ = step::version;
            break;
        case step::version:
            if (c != '\r') return bad(refusal::bad_version);
            if (!check_version(text(since_mark(p - 1)))) return false;
            step_ = step::version_lf;
            break;
        case step::status:
            if (c != '\r' || !check_status(since_mark(p - 1))) return bad(refusal::bad_request_line);
            step_ = step::version_lf;
            break;
        default: // version_lf
            if (c != '\n') return bad(refusal::bad_request_line);
            step_ = step::field;
            return true;
        }
        mark_ = offset(p);
    }
    return true;
}

/// Leaves with `step::whole` behind the empty line, else at the end of the input.
inline bool message_head::read_fields(char const*& p, char const* end)
{
    while (p != end) {
        switch (step_) {
        case step::field:
            line_ = mark_ = offset(p);
            if (*p == '\r') {
                step_ = step::last_lf;
                ++p;
                continue;
            }
            if (detail::is_blank(*p)) return bad(refusal::obsolete_folding);
            step_ = step::name;
            [[fallthrough]];
        case step::name: p = detail::skip(detail::in::token, p, end); break;
        case step::blanks:
            while (p != end && detail::is_blank(*p)) ++p;
            break;
        case step::value: p = detail::skip(detail::in::value, p, end); break;
        default: break;
        }
        if (offset(p) - line_ >= limits_.field_bytes) return bad(refusal::header_too_large);
        if (p == end) return true;
        switch (step_) {
        case step::name:
            name_ = since_mark(p);
            if (*p++ != ':' || name_.size == 0) return bad(refusal::bad_field);
            step_ = step::blanks;
            break;
        case step::blanks:
            mark_ = offset(p);
            step_ = step::value;
            break;
        case step::value:
            if (*p != '\r') return bad(refusal::bad_field);
            if (!end_field(p++)) return false;
            step_ = step::value_lf;
            break;
        case step::value_lf:
            if (*p++ != '\n') return bad(refusal::bad_field);
            step_ = step::field;
            break;
        default: // last_lf
            if (*p++ != '\n') return bad(refusal::bad_field);
            step_ = step::whole;
            return true;
        }
    }
    return true;
}

inline bool message_head::end_field(char const* end_of_value)
{
    span value = since_mark(end_of_value);
    while (value.size > 0 && detail::is_blank(base_[value.at + value.size - 1])) --value.size;
    if (count_++ == limits_.fields) return bad(refusal::too_many_fields);
    if (trailers_) return check_trailer(text(name_));
    fields_.push_back({name_, value});
    return check_field(text(name_), text(value));
}

inline bool message_head::check_trailer(std::string_view name)
{
    using detail::equals;
    bool const frames = equals(name, "content-length") || equals(name, "transfer-encoding") || equals(name, "host");
    return !frames || bad(refusal::bad_trailer);
}

/// What of the fields frames the message, or decides about the connection. Most names fail by their length alone.
inline bool message_head::check_field(std::string_view name, std::string_view value)
{
    using detail::equals;
    switch (name.size()) {
    case 4: return !equals(name, "host") || (once(has_host_) && (detail::is_authority(value) || bad(refusal::bad_host)));
    case 6:
        if (!equals(name, "expect")) return true;
        expects_ = expects_ || detail::has_element(value, "100-continue");
        expects_unknown_ = expects_unknown_ || !equals(value, "100-continue");
        return true;
    case 10:
        if (!equals(name, "connection")) return true;
        closes_ = closes_ || detail::has_element(value, "close");
        keeps_ = keeps_ || detail::has_element(value, "keep-alive");
        return true;
    case 12: return !equals(name, "content-type") || once(has_type_);
    case 14: return !equals(name, "content-length") || (once(has_length_) && check_length(value));
    case 17: return !equals(name, "transfer-encoding") || (once(chunked_) && check_coding(value));
    default: return true;
    }
}

inline bool message_head::check_coding(std::string_view value)
{
    if (version_ == 10) return bad(refusal::bad_coding); // RFC 9112 section 6.1: the framing of such a message is faulty
    if (detail::equals(value, "chunked")) return true;
    auto const last = detail::trim(value.substr(value.rfind(',') + 1));
    return bad(detail::equals(last, "chunked") ? refusal::unknown_coding : refusal::bad_coding);
}

inline bool message_head::check_length(std::string_view value)
{
    if (value.empty() || !detail::all(detail::in::digit, value)) return bad(refusal::bad_length);
    for (char c : value) {
        // What does not fit is beyond every limit.
        if (length_ > (std::numeric_limits<std::uint64_t>::max() - 9) / 10) return bad(refusal::body_too_large);
        length_ = length_ * 10 + static_cast<unsigned>(c - '0');
    }
    return true;
}

inline bool message_head::check_version(std::string_view version)
{
    using detail::in;
    if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') return bad(refusal::bad_version);
    if (!detail::is(in::digit, version[5]) || !detail::is(in::digit, version[7])) return bad(refusal::bad_version);
    if (version[5] != '1' || version[7] > '1') return bad(refusal::unsupported_version);
    version_ = version[7] == '1' ? 11 : 10;
    return true;
}

/// `HTTP/1.1 200 OK`; the last blank may be missing where there is no reason (RFC 9112 section 4).
inline bool message_head::check_status(span whole)
{
    using detail::in;
    std::string_view const t = text(whole);
    if (t.size() < 12 || t[8] != ' ' || !check_version(t.substr(0, 8)) || (t.size() > 12 && t[12] != ' ')) return false;
    if (t[9] < '1' || t[9] > '5' || !detail::is(in::digit, t[10]) || !detail::is(in::digit, t[11])) return false;
    status_ = static_cast<std::uint16_t>((t[9] - '0') * 100 + (t[10] - '0') * 10 + (t[11] - '0'));
    if (t.size() > 13) reason_ = {whole.at + 13, whole.size - 13};
    return true;
}

inline bool message_head::check_whole()
{
    if (!has_host_ && version_ == 11 && kind_ == message_kind::request) return bad(refusal::no_host);
    if (chunked_ && has_length_) return bad(refusal::length_and_coding);
    return length_ <= limits_.body_bytes || bad(refusal::body_too_large);
}

} // namespace weir::inline v0::http
