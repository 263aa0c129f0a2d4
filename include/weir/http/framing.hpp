// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/chunk.hpp>
#include <weir/http/head.hpp>
#include <weir/http/refusal.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::inline v0::http {

/// Where one HTTP/1.x request ends and the next begins, and what in it must be refused (RFC 9112, fields by RFC 9110): a machine
/// without input or output, fed with bytes in any pieces. Its verdict does not depend on how they were cut. It frames responses
/// by the same rules.
///
/// It is stricter than the RFC asks where leniency is a way to smuggle: a line ends in CRLF only; Transfer-Encoding is exactly
/// `chunked`, once, in HTTP/1.1 only, without Content-Length beside it; Content-Length is one number, once; Host and Content-Type
/// stand once; no folded lines; no Host, Content-Length or Transfer-Encoding in trailers, whose other fields are checked and
/// dropped. One machine serves a connection: after `end` the next request begins. Not thread-safe. Nothing is allocated once
/// the list of fields has grown to what requests have.
class framing {
public:
    /// What `next` found.
    enum class event : std::uint8_t {
        more,    ///< the input ends within the request
        head,    ///< the head is complete: read it, its views point into the input
        body,    ///< `data()` is a piece of the body
        end,     ///< the request is complete
        refused, ///< `why()` says the reason; the machine stays so
    };

    explicit framing(framing_limits const& limits = {}, message_kind kind = message_kind::request)
        : limits_(limits), head_(limits, kind), kind_(kind)
    {
    }
    /// Of responses: the next one answers a HEAD request, so that it has no body whatever its fields say.
    void expect_no_body() noexcept { no_body_ = true; }
    /// Of responses: the other side has ended, behind all input. `end` if that ends the body, else `refused`.
    event finish() noexcept
    {
        if (phase_ != phase::until_end) return refuse(refusal::incomplete);
        begin();
        return event::end;
    }
    /// Of a response, from its head on: its body ends with the connection.
    [[nodiscard]] bool needs_end() const noexcept { return phase_ == phase::until_end; }

    /// Reads on. `input` begins with the bytes that the last call did not consume. Before the next call the caller takes
    /// `consumed()` bytes off its front; a head is consumed as a whole, so until then it must be kept in one piece.
    event next(std::string_view input)
    {
        consumed_ = 0;
        for (;;) {
            event found = event::more;
            switch (phase_) {
            case phase::head: return read_head(input);
            case phase::counted: return read_body(input, phase::done);
            case phase::until_end: return read_until_end(input);
            case phase::chunk_data: return read_body(input.substr(consumed_), phase::chunk_cr);
            case phase::chunk_head: found = read_chunk_head(input.substr(consumed_)); break;
            case phase::chunk_cr: found = read_one(input.substr(consumed_), '\r', phase::chunk_lf); break;
            case phase::chunk_lf: found = read_one(input.substr(consumed_), '\n', phase::chunk_head); break;
            case phase::trailers: return read_trailers(input.substr(consumed_));
            case phase::done: begin(); return event::end;
            case phase::refused: return event::refused;
            }
            if (found != go_on) return found;
        }
    }

    /// How many bytes of its input the last call consumed.
    [[nodiscard]] std::size_t consumed() const noexcept { return consumed_; }
    /// The head, from `event::head` to `event::end`; its views until the input goes.
    [[nodiscard]] message_head const& head() const noexcept { return head_; }
    /// A piece of the body: a view into the input of the last call.
    [[nodiscard]] std::string_view data() const noexcept { return data_; }
    [[nodiscard]] refusal why() const noexcept { return why_; }
    /// Of the message whose head was found: its body may have that many bytes, in place of `framing_limits::body_bytes`. What its
    /// Content-Length says is not looked at again.
    void limit_body(std::uint64_t bytes) noexcept { limits_.body_bytes = bytes; }
    /// Bytes that are known to come of the body, or of its chunk.
    [[nodiscard]] std::uint64_t left() const noexcept { return phase_ == phase::counted || phase_ == phase::chunk_data ? left_ : 0; }
    /// The last request has ended and nothing of another was seen, except empty lines.
    [[nodiscard]] bool idle() const noexcept { return phase_ == phase::head && head_.untouched(); }

private:
    enum class phase : std::uint8_t { head, counted, until_end, chunk_head, chunk_data, chunk_cr, chunk_lf, trailers, done, refused };
    static constexpr event go_on = event::head; // the machine's own word: the next phase has begun

    void begin() noexcept
    {
        head_.begin();
        chunk_ = {};
        body_ = 0;
        no_body_ = false;
        phase_ = phase::head;
    }
    event refuse(refusal why) noexcept
    {
        why_ = why;
        phase_ = phase::refused;
        return event::refused;
    }

    event read_head(std::string_view input)
    {
        auto const found = head_.next(input);
        if (found == message_head::found::more) return event::more;
        if (found == message_head::found::refused) return refuse(head_.why());
        consumed_ = head_.size();
        left_ = head_.content_length();
        phase_ = body_phase();
        return event::head;
    }
    /// RFC 9112 section 6.3.
    [[nodiscard]] phase body_phase() const noexcept
    {
        if (kind_ == message_kind::response && (no_body_ || head_.status() < 200 || head_.status() == 204 || head_.status() == 304)) {
            return phase::done;
        }
        if (head_.chunked()) return phase::chunk_head;
        if (head_.has_length()) return left_ > 0 ? phase::counted : phase::done;
        return kind_ == message_kind::request ? phase::done : phase::until_end;
    }
    event read_until_end(std::string_view input) noexcept
    {
        if (input.empty()) return event::more;
        if (input.size() > limits_.body_bytes - body_) return refuse(refusal::body_too_large);
        data_ = input;
        consumed_ = input.size();
        body_ += input.size();
        return event::body;
    }
    event read_body(std::string_view input, phase behind) noexcept
    {
        if (input.empty()) return event::more;
        data_ = input.substr(0, left_ < input.size() ? static_cast<std::size_t>(left_) : input.size());
        consumed_ += data_.size();
        left_ -= data_.size();
        if (left_ == 0) phase_ = behind;
        return event::body;
    }
    event read_chunk_head(std::string_view input) noexcept
    {
        for (char c : input) {
            ++consumed_;
            auto const found = chunk_.next(c);
            if (found == chunk_head::found::more && chunk_.extension_bytes() <= limits_.header_bytes) continue;
            if (found != chunk_head::found::size) return refuse(refusal::bad_chunk);
            left_ = chunk_.size();
            if (left_ > limits_.body_bytes - body_) return refuse(refusal::body_too_large);
            body_ += left_;
            phase_ = left_ == 0 ? phase::trailers : phase::chunk_data;
            return go_on;
        }
        return event::more;
    }
    event read_one(std::string_view input, char wanted, phase behind) noexcept
    {
        if (input.empty()) return event::more;
        if (input.front() != wanted) return refuse(refusal::bad_chunk);
        ++consumed_;
        phase_ = behind;
        return go_on;
    }
    event read_trailers(std::string_view input)
    {
        auto const found = head_.next_trailers(input);
        if (found == message_head::found::more) return event::more;
        if (found == message_head::found::refused) return refuse(head_.why());
        consumed_ += head_.size();
        begin();
        return event::end;
    }

    framing_limits limits_;
    message_head head_;
    chunk_head chunk_;
    std::string_view data_;
    std::size_t consumed_ = 0;
    std::uint64_t body_ = 0; // bytes of all chunks so far
    std::uint64_t left_ = 0; // bytes of the body or the chunk to come
    message_kind kind_;
    bool no_body_ = false;
    phase phase_ = phase::head;
    refusal why_ = refusal::none;
};

} // namespace weir::inline v0::http
