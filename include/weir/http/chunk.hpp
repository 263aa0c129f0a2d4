// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/grammar.hpp>

#include <cstddef>
#include <cstdint>

namespace weir::inline v0::http {

/// The line in front of a chunk, `chunk-size [ chunk-ext ] CRLF` (RFC 9112 section 7.1), told byte by byte: a size in
/// hexadecimal digits that fits 64 bits, and nothing else; extensions `;name` or `;name=value` with blanks around ";" and "=" only, no
/// bare CR or LF. Extensions are checked, counted and dropped.
class chunk_head {
public:
    enum class found : std::uint8_t {
        more, ///< the line goes on
        size, ///< the line is complete; the next byte begins another
        bad,  ///< the line is malformed
    };

    constexpr found next(char c) noexcept
    {
        using detail::in;
        using detail::is;
        using detail::is_blank;
        if (step_ > step::size && step_ < step::lf) ++extension_bytes_;
        switch (step_) {
        case step::start:
            size_ = digits_ = 0;
            step_ = step::size;
            [[fallthrough]];
        case step::size:
            if (is(in::hex, c)) {
                if (++digits_ > 16) ++extension_bytes_; // zeros in front: right, but of no use
                if (size_ >> 60 != 0) return found::bad;
                size_ = size_ * 16 + detail::hex_value(c);
                return found::more;
            }
            return digits_ == 0 ? found::bad : ended(c, step::blanks);
        case step::blanks:
            if (is_blank(c)) return found::more;
            return c == ';' ? go(step::before_name) : found::bad;
        case step::before_name:
            if (is_blank(c)) return found::more;
            return is(in::token, c) ? go(step::name) : found::bad;
        case step::name:
            if (is(in::token, c)) return found::more;
            return c == '=' ? go(step::before_value) : ended(c, step::before_equals);
        case step::before_equals:
            if (is_blank(c)) return found::more;
            return c == '=' ? go(step::before_value) : c == ';' ? go(step::before_name) : found::bad;
        case step::before_value:
            if (is_blank(c)) return found::more;
            return c == '"' ? go(step::quoted) : is(in::token, c) ? go(step::value) : found::bad;
        case step::value: return is(in::token, c) ? found::more : ended(c, step::blanks);
        case step::quoted:
            if (!is(in::quotable, c)) return found::bad;
            return c == '"' ? go(step::after_quoted) : c == '\\' ? go(step::escaped) : found::more;
        case step::escaped: return is(in::quotable, c) ? go(step::quoted) : found::bad;
        case step::after_quoted: return ended(c, step::blanks);
        case step::lf: step_ = step::start; return c == '\n' ? found::size : found::bad;
        }
        return found::bad;
    }

    /// The length of the chunk's data, in bytes, once it was found.
    [[nodiscard]] constexpr std::uint64_t size() const noexcept { return size_; }
    /// The bytes of all lines so far that say no size: whoever reads has to set a bound to them.
    [[nodiscard]] constexpr std::size_t extension_bytes() const noexcept { return extension_bytes_; }

private:
    /// What the next byte belongs to; between `size` and `lf` it is an extension.
    enum class step : std::uint8_t {
        start,
        size,
        blanks,
        before_name,
        name,
        before_equals,
        before_value,
        value,
        quoted,
        escaped,
        after_quoted,
        lf
    };

    constexpr found go(step to) noexcept
    {
        step_ = to;
        return found::more;
    }
    /// A size, a name or a value ended with `c`.
    constexpr found ended(char c, step after_blank) noexcept
    {
        if (c == '\r') return go(step::lf);
        if (c == ';') return go(step::before_name);
        return detail::is_blank(c) ? go(after_blank) : found::bad;
    }

    std::uint64_t size_ = 0;
    std::size_t extension_bytes_ = 0;
    unsigned digits_ = 0;
    step step_ = step::start;
};

} // namespace weir::inline v0::http
