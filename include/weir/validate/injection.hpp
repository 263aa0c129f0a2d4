// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/detail/markup.hpp>
#include <weir/validate/detail/sql_shape.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// Detectors of texts that are made to be taken for something else: a query, a page, a path, a header. Each reads the text as whoever might be fooled
/// reads it, token by token, from the states in which it might begin, and judges the shape of what comes of it; none looks for words.
///
/// **They are no firewall.** They miss attacks that are written for them, and take some innocent texts for attacks; how many of a set they do is in
/// `tests/validate/injection.cpp`. What keeps data from being taken for code is where it is used: bound parameters, escaped output, paths that are resolved and
/// compared. These are for what stands before code that cannot be mended today, and for telling that somebody tries.
namespace weir::inline v0::injection {

/// A text that would make another query of one that it is put into, as a number, or within quotation marks.
///
/// Linear in the text: at most six passes. At most 96 tokens are looked at.
struct sql {
    static constexpr std::string_view name = "sql";
    static constexpr std::string_view expected = "a text that no database takes for a part of a query";
    [[nodiscard]] static bool found(std::string_view text)
    {
        bool const dashes = text.find("--") != std::string_view::npos;
        for (char const quote : {'\0', '\'', '"'}) {
            if (quote != '\0' && text.find(quote) == std::string_view::npos) continue;
            for (int ansi = 0; ansi <= (dashes ? 1 : 0); ++ansi) {
                detail::sql_shape const shape(text, quote, ansi == 1);
                if (quote == '\0' ? detail::alters_a_query(shape.letters()) : detail::alters_a_quoted_query(shape.letters())) return true;
            }
        }
        return false;
    }
};

/// A text that makes a browser run something if it is put into a page: between tags, or as an attribute's value, with or without quotation marks.
///
/// Linear in the text: at most five passes.
struct script {
    static constexpr std::string_view name = "script";
    static constexpr std::string_view expected = "a text that no browser takes for a part of a page that runs something";
    [[nodiscard]] static bool found(std::string_view text)
    {
        if (detail::runs_a_script(text)) return true;
        if (text.find_first_of("<=") == std::string_view::npos) return false;
        for (char const state : {'\0', ' ', '\'', '"', '`'})
            if (detail::markup(text, state).active()) return true;
        return false;
    }
};

/// A text that leads out of a folder: a segment `..`, also with parameters behind it, encoded once more, or in an encoding that is too long; a drive, a
/// share or a scheme at its front; a NUL. Linear in the text.
struct path {
    static constexpr std::string_view name = "path";
    static constexpr std::string_view expected = "a text that leads to no other folder";
    [[nodiscard]] static bool found(std::string_view text)
    {
        std::string const plain = decoded(text);
        std::string_view rest = plain;
        if (rest.find('\0') != std::string_view::npos) return true;
        if (rest.starts_with("\\\\") || detail::same_ignoring_case(rest.substr(0, 5), "file:")) return true;
        if (rest.size() > 2 && detail::ascii_letter(rest[0]) && rest[1] == ':' && (rest[2] == '\\' || rest[2] == '/')) return true;
        bool const whole = rest == "..";
        while (!whole) {
            std::size_t const end = rest.find_first_of("/\\");
            std::string_view const segment = rest.substr(0, end);
            bool const leads =
                end != std::string_view::npos || segment.size() != rest.size() || plain.find_first_of("/\\") != std::string::npos;
            if (leads && is_up(segment)) return true;
            if (end == std::string_view::npos) return false;
            rest.remove_prefix(end + 1);
        }
        return true;
    }

private:
    /// `..`, or `..;name=value`, which some servers take for it.
    static constexpr bool is_up(std::string_view segment) noexcept { return segment.substr(0, segment.find(';')) == ".."; }
    /// Decoded twice more, with the forms of a dot and of slashes that lax decoders take.
    static std::string decoded(std::string_view text)
    {
        std::string made(text);
        for (int turn = 0; turn < 2; ++turn) {
            std::string next;
            for (std::size_t i = 0; i < made.size(); ++i) {
                int const high = i + 2 < made.size() ? detail::ascii_hex(made[i + 1]) : -1,
                          low = i + 2 < made.size() ? detail::ascii_hex(made[i + 2]) : -1;
                if (made[i] == '%' && high >= 0 && low >= 0) {
                    next += static_cast<char>(high * 16 + low);
                    i += 2;
                } else
                    next += made[i];
            }
            made.swap(next);
        }
        std::string plain;
        for (std::size_t i = 0; i < made.size(); ++i) {
            auto const byte = static_cast<unsigned char>(made[i]);
            if ((byte == 0xc0 || byte == 0xc1) && i + 1 < made.size()) { // two bytes for what has one
                plain += static_cast<char>(((byte & 1) << 6) | (static_cast<unsigned char>(made[++i]) & 0x3f));
            } else if (byte == 0xe0 && i + 2 < made.size() && static_cast<unsigned char>(made[i + 1]) == 0x80) {
                plain += static_cast<char>(static_cast<unsigned char>(made[i + 2]) & 0x3f);
                i += 2;
            } else
                plain += made[i];
        }
        return plain;
    }
};

/// A text that begins another header, or ends the head, if it is put into one: a line end and what follows it as a field or an empty line, a NUL; the same
/// in characters whose last byte is a line end, for who cuts them down to it. Linear in the text.
struct header_splitting {
    static constexpr std::string_view name = "header_splitting";
    static constexpr std::string_view expected = "a text that stays in its line of a header";
    [[nodiscard]] static bool found(std::string_view text)
    {
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::size_t const length = line_end(text.substr(i));
            if (text[i] == '\0') return true;
            if (length == 0) continue;
            std::string_view rest = text.substr(i + length);
            if (std::size_t const second = line_end(rest); second != 0) {
                rest.remove_prefix(second);
                if (line_end(rest) != 0 || text[i] != '\r') return true; // an empty line
            }
            std::string_view const field = detail::take_token(rest);
            detail::skip_blanks(rest);
            if (!field.empty() && (rest.starts_with(':') || rest.starts_with('/'))) return true;
        }
        return false;
    }

private:
    /// How long the line end at the front is; 0 if there is none.
    static std::size_t line_end(std::string_view text) noexcept
    {
        if (text.starts_with('\r') || text.starts_with('\n')) return 1;
        if (text.starts_with("\xe5\x98\x8a") || text.starts_with("\xe5\x98\x8d")) return 3; // U+560A, U+560D
        if (text.starts_with("\xc4\x8a") || text.starts_with("\xc4\x8d")) return 2;         // U+010A, U+010D
        return 0;
    }
};

} // namespace weir::inline v0::injection
