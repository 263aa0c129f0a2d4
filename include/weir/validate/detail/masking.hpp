// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/detail/json_text.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// What stands where something is hidden.
inline constexpr std::string_view hidden_text = "***";

/// Names are compared without regard to case, `-` and `_`: `X-Api-Key`, `apiKey` and `api_key` are one. `*` stands for anything. Linear but
/// for several stars, bounded by the product of the lengths.
[[nodiscard]] constexpr bool like_name(std::string_view pattern, std::string_view name) noexcept
{
    auto const skip = [](std::string_view text, std::size_t& at) {
        while (at < text.size() && (text[at] == '-' || text[at] == '_')) ++at;
    };
    std::size_t p = 0, n = 0, star = std::string_view::npos, retry = 0;
    for (;;) {
        skip(pattern, p);
        skip(name, n);
        if (n == name.size()) break;
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            retry = n;
        } else if (p < pattern.size() && ascii_lower(pattern[p]) == ascii_lower(name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star;
            n = ++retry;
        } else
            return false;
    }
    while (p < pattern.size() && (pattern[p] == '*' || pattern[p] == '-' || pattern[p] == '_')) ++p;
    return p == pattern.size();
}

/// Whether digits are a card's: 13 to 19 that pass Luhn's check (ISO/IEC 7812-1).
[[nodiscard]] constexpr bool is_card(std::string_view text) noexcept
{
    std::size_t count = 0;
    int sum = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
        if (!ascii_digit(text[i])) continue;
        int d = text[i] - '0';
        if (count++ % 2 == 1) d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return count >= 13 && count <= 19 && sum % 10 == 0;
}
/// Whether it is an account's number (ISO 13616), without blanks: its check digits are right.
[[nodiscard]] constexpr bool is_iban(std::string_view text) noexcept
{
    if (text.size() < 15 || text.size() > 34) return false;
    if (!ascii_letter(text[0]) || !ascii_letter(text[1]) || !ascii_digit(text[2]) || !ascii_digit(text[3])) return false;
    unsigned rest = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[(i + 4) % text.size()];
        if (ascii_digit(c))
            rest = (rest * 10 + static_cast<unsigned>(c - '0')) % 97;
        else if (ascii_letter(c))
            rest = (rest * 100 + static_cast<unsigned>(ascii_lower(c) - 'a') + 10) % 97;
        else
            return false;
    }
    return rest == 1;
}

/// Only the last characters that are letters or digits; all hidden where that would show more than half.
inline void append_last(std::string& out, std::string_view text, std::size_t shown)
{
    std::string kept;
    std::size_t all = 0;
    for (char const c : text) all += ascii_letter(c) || ascii_digit(c);
    if (all >= 2 * shown)
        for (std::size_t i = text.size(); i-- > 0 && kept.size() < shown;)
            if (ascii_letter(text[i]) || ascii_digit(text[i])) kept.insert(kept.begin(), text[i]);
    (out += hidden_text) += kept;
}

/// Appends the character at `at` as a line of a log can have it, and goes behind it: controls (of Unicode, too), which would begin another
/// line or steer a terminal, the marks that turn the direction of writing round, and bytes that are no UTF-8 are written as `\x0a`, byte by
/// byte.
inline void append_visible(std::string& out, std::string_view text, std::size_t& at)
{
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    std::size_t const sequence = byte(0) < 0x80 ? 1 : utf8_sequence(text.substr(at));
    bool const unseen = sequence == 0 || byte(0) < 0x20 || byte(0) == 0x7f || (byte(0) == 0xc2 && byte(1) < 0xa0);
    bool const turns = sequence == 3 && byte(0) == 0xe2 &&
                       ((byte(1) == 0x80 && byte(2) >= 0xa8 && byte(2) <= 0xae) || (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
    for (std::size_t const end = at + (sequence == 0 ? 1 : sequence); at < end; ++at) {
        if (!unseen && !turns) {
            out += text[at];
            continue;
        }
        out += "\\x";
        out += "0123456789abcdef"[byte(0) >> 4];
        out += "0123456789abcdef"[byte(0) & 15];
    }
}

/// How long a token at the front is (`header.payload.signature`, RFC 7515), 0 if there is none.
[[nodiscard]] constexpr std::size_t token_length(std::string_view text) noexcept
{
    if (!text.starts_with("eyJ")) return 0;
    std::size_t dots = 0, i = 0;
    for (; i < text.size(); ++i) {
        if (text[i] == '.')
            ++dots;
        else if (!ascii_letter(text[i]) && !ascii_digit(text[i]) && text[i] != '-' && text[i] != '_')
            break;
    }
    return dots >= 2 ? i : 0;
}
/// How long a credential at the front is, `Bearer ...` or `Basic ...`, without its scheme; 0 if there is none.
[[nodiscard]] constexpr std::size_t credential_at(std::string_view text, std::size_t& scheme) noexcept
{
    for (std::string_view const name : {"bearer ", "basic ", "bearer%20", "basic%20", "bearer+", "basic+"}) {
        if (!same_ignoring_case(text.substr(0, name.size()), name)) continue;
        std::size_t i = name.size();
        while (i < text.size() && text[i] == ' ') ++i;
        scheme = i;
        while (i < text.size() && static_cast<unsigned char>(text[i]) > ' ' && text[i] != '"' && text[i] != ',') ++i;
        return i - scheme >= 8 ? i - scheme : 0; // a word behind it in a sentence is shorter
    }
    return 0;
}

/// Appends a text that nobody has named: what looks like a card, an account, a token or a credential is hidden, all of the former two but
/// the last four. One pass, and one more of at most 64 bytes at each beginning of a word.
inline void append_masked_text(std::string& out, std::string_view text)
{
    auto const in_word = [](char c) { return ascii_letter(c) || ascii_digit(c); };
    for (std::size_t i = 0; i < text.size();) {
        bool const begins = in_word(text[i]) && (i == 0 || !in_word(text[i - 1]));
        if (!begins) {
            append_visible(out, text, i);
            continue;
        }
        std::string_view const rest = text.substr(i);
        std::size_t scheme = 0;
        bool const as_credential = ascii_lower(rest[0]) == 'b', as_number = ascii_digit(rest[0]);
        bool const as_account =
            rest.size() > 4 && ascii_letter(rest[0]) && ascii_letter(rest[1]) && ascii_digit(rest[2]) && ascii_digit(rest[3]);
        if (std::size_t const n = token_length(rest); n != 0) {
            out += hidden_text;
            i += n;
            continue;
        }
        if (std::size_t const n = as_credential ? credential_at(rest, scheme) : 0; n != 0) {
            (out += rest.substr(0, scheme)) += hidden_text;
            i += scheme + n;
            continue;
        }
        // The word, and words behind it with a blank or a dash between, as cards and accounts are written in groups.
        std::string plain;
        std::size_t end = 0, hidden = 0;
        while ((as_number || as_account) && end < rest.size() && plain.size() <= 34) {
            char const c = rest[end];
            bool const between = (c == ' ' || c == '-' || c == '+') && end + 1 < rest.size() && in_word(rest[end + 1]);
            if (!in_word(c) && !between) break;
            ++end;
            if (between) continue;
            plain += c;
            bool const ends = end == rest.size() || !in_word(rest[end]);
            if (!ends || plain.size() < 13) continue;
            if (as_account ? is_iban(plain) : plain.find_first_not_of("0123456789") == std::string::npos && is_card(plain)) hidden = end;
        }
        if (hidden != 0) {
            append_last(out, rest.substr(0, hidden), 4);
            i += hidden;
            continue;
        }
        while (i < text.size() && in_word(text[i])) out += text[i++];
    }
}

} // namespace weir::inline v0::detail
