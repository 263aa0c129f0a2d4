// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/pattern.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// The words of SQL that are no names, by their first letter. `o`, `r` and `!` are told apart by what follows.
class sql_word_table {
public:
    consteval sql_word_table()
    {
        constexpr entry all[] = {
            {"and", '&'},     {"or", '&'},       {"xor", '&'},     {"union", 'U'},     {"intersect", 'U'}, {"except", 'U'},
            {"minus", 'U'},   {"select", 'E'},   {"insert", 'E'},  {"update", 'E'},    {"delete", 'E'},    {"drop", 'E'},
            {"create", 'E'},  {"alter", 'E'},    {"exec", 'E'},    {"execute", 'E'},   {"declare", 'E'},   {"truncate", 'E'},
            {"grant", 'E'},   {"revoke", 'E'},   {"merge", 'E'},   {"replace", 'r'},   {"call", 'E'},      {"shutdown", 'E'},
            {"handler", 'E'}, {"load", 'E'},     {"waitfor", 'E'}, {"attach", 'E'},    {"copy", 'E'},      {"having", 'B'},
            {"order", 'o'},   {"group", 'o'},    {"like", '='},    {"rlike", '='},     {"regexp", '='},    {"glob", '='},
            {"between", '='}, {"in", '='},       {"is", '='},      {"ilike", '='},     {"similar", '='},   {"sounds", '='},
            {"div", 'a'},     {"mod", 'a'},      {"not", '!'},     {"null", '1'},      {"true", '1'},      {"false", '1'},
            {"from", 'k'},    {"where", 'k'},    {"into", 'k'},    {"table", 'k'},     {"tables", 'k'},    {"database", 'k'},
            {"limit", 'k'},   {"offset", 'k'},   {"all", 'k'},     {"distinct", 'k'},  {"top", 'k'},       {"as", 'k'},
            {"on", 'k'},      {"join", 'k'},     {"case", 'k'},    {"when", 'k'},      {"then", 'k'},      {"else", 'k'},
            {"end", 'k'},     {"values", 'k'},   {"set", 'k'},     {"by", 'k'},        {"asc", 'k'},       {"desc", 'k'},
            {"outfile", 'k'}, {"dumpfile", 'k'}, {"delay", 'k'},   {"procedure", 'k'},
        };
        std::size_t n = 0;
        for (unsigned letter = 0; letter < 26; ++letter) {
            begin_[letter] = static_cast<std::uint8_t>(n);
            for (entry const& e : all)
                if (e.word[0] == static_cast<char>('a' + letter)) words_[n++] = e;
        }
        begin_[26] = static_cast<std::uint8_t>(n);
    }
    /// `n` if it is a name.
    [[nodiscard]] constexpr char kind_of(std::string_view word) const noexcept
    {
        if (word.empty() || !ascii_letter(word[0])) return 'n';
        auto const letter = static_cast<std::size_t>(ascii_lower(word[0]) - 'a');
        for (std::size_t i = begin_[letter]; i < begin_[letter + 1]; ++i)
            if (same_ignoring_case(words_[i].word, word)) return words_[i].kind;
        return 'n';
    }

private:
    struct entry {
        std::string_view word{};
        char kind = 'n';
    };
    std::array<entry, 96> words_{};
    std::array<std::uint8_t, 27> begin_{};
};
inline constexpr sql_word_table sql_words{};

/// What a text is as a piece of SQL: a letter a token, in the order of the tokens.
/// | letter | token                                                                                     |
/// |--------|-------------------------------------------------------------------------------------------|
/// | `1`    | a number                                                                                  |
/// | `s`    | a string that is closed; `S` one that is open, and closed by the quotation mark of the query |
/// | `n`    | a name; `f` one before a parenthesis; `v` a variable                                      |
/// | `a`    | arithmetic; `=` a comparison; `&` AND, OR and their like                                  |
/// | `U`    | UNION and its like; `E` a verb that begins a statement; `B` ORDER BY, GROUP BY, HAVING; `k` another keyword |
/// | `c`    | a comment at the end; `C` one that is closed; `X` one that MySQL carries out               |
/// | `,` `;` | themselves; `?` what SQL does not have                                                    |
/// Parentheses are left out, a sign before a value with them, and what two values come to is the first.
class sql_shape {
public:
    static constexpr std::size_t most = 96; // tokens: whoever needs more has broken a rule before

    /// `quote` is the quotation mark within which the text would stand in a query, or 0; with `dashes` two dashes always begin a comment.
    sql_shape(std::string_view text, char quote, bool dashes) : text_(text), quote_(quote), dashes_(dashes)
    {
        if (quote_ != '\0') at_ = string_end(0, quote_) + 1, letters_ += 's';
        while (at_ < text_.size() && letters_.size() < most) token();
    }
    [[nodiscard]] std::string const& letters() const noexcept { return letters_; }

private:
    [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    [[nodiscard]] char last() const noexcept { return letters_.empty() ? '\0' : letters_.back(); }
    static bool is_value(char c) noexcept { return c == '1' || c == 's' || c == 'n' || c == 'v' || c == 'f'; }
    static bool in_name(char c) noexcept
    {
        return ascii_letter(c) || ascii_digit(c) || c == '_' || c == '$' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
    }
    /// Where the string that begins there ends: the place of its quotation mark, or the end. Doubled ones and those behind a backslash are in it.
    [[nodiscard]] std::size_t string_end(std::size_t from, char mark) const noexcept
    {
        for (std::size_t i = from; i < text_.size(); ++i) {
            if (text_[i] == '\\')
                ++i;
            else if (text_[i] == mark) {
                if (i + 1 >= text_.size() || text_[i + 1] != mark) return i;
                ++i;
            }
        }
        return text_.size();
    }
    void add(char c)
    {
        if (c == 'a' && !is_value(last()) && last() != 's') return; // a sign
        if (is_value(c) && last() == 'a' &&
            letters_.size() > (quote_ == '\0' ? 1u : 2u)) { // the first mark of a quoted text stays in sight
            letters_.pop_back();
            if (c == 'f' || c == 'v') letters_.back() = c;
            return;
        }
        if (c == 's' && last() == 's' && letters_.size() > 1) return;
        letters_ += c;
    }
    void comment(std::size_t end, bool closed)
    {
        std::string_view const inside = text_.substr(at_, end - at_);
        bool const quoted = quote_ != '\0' && inside.find(quote_) != std::string_view::npos;
        if (!closed) add(quoted ? '?' : 'c');
        if (closed) {
            if (inside.size() > 2 && inside[2] == '!') add('X');
            if (inside.substr(2).find("/*") != std::string_view::npos) add('X');
            add('C');
        }
        at_ = end;
    }
    void token()
    {
        char const c = peek();
        if (static_cast<unsigned char>(c) <= ' ' || c == '(' || c == ')') {
            ++at_;
        } else if (c == '\'' || c == '"' || c == '`') {
            std::size_t const end = string_end(at_ + 1, c);
            add(end < text_.size() ? (c == '`' ? 'n' : 's') : c == quote_ ? 'S' : '?');
            at_ = end + 1;
        } else if (c == '/' && peek(1) == '*') {
            std::size_t const end = text_.find("*/", at_ + 2);
            comment(end == std::string_view::npos ? text_.size() : end + 2, end != std::string_view::npos);
        } else if (c == '-' && peek(1) == '-' && (dashes_ || static_cast<unsigned char>(peek(2)) <= ' ')) {
            std::size_t const end = text_.find('\n', at_);
            comment(end == std::string_view::npos ? text_.size() : end, false);
        } else if (c == '#' && quote_ != '\0') {
            comment(text_.size(), false);
        } else if (ascii_digit(c) || (c == '.' && ascii_digit(peek(1)))) {
            number();
        } else if (c == '@') {
            while (peek() == '@') ++at_;
            while (in_name(peek())) ++at_;
            add('v');
        } else if (c == ',' || c == ';') {
            ++at_;
            add(c);
        } else if (in_name(c)) {
            word();
        } else
            sign();
    }
    void number()
    {
        if (peek() == '0' && ascii_lower(peek(1)) == 'x') at_ += 2;
        std::size_t const from = at_;
        while (ascii_digit(peek()) || peek() == '.' || (ascii_hex(peek()) >= 0 && from >= 2 && ascii_lower(text_[from - 1]) == 'x')) ++at_;
        if (ascii_lower(peek()) == 'e' && (ascii_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && ascii_digit(peek(2))))) {
            at_ += 2;
            while (ascii_digit(peek())) ++at_;
        }
        add(in_name(peek()) ? 'n' : '1'); // 90s, 1st, 42abc
        while (in_name(peek())) ++at_;
    }
    void sign()
    {
        char const c = peek();
        std::size_t const from = at_;
        while (at_ < text_.size() && std::string_view("=<>!|&").find(peek()) != std::string_view::npos) ++at_;
        std::string_view const run = text_.substr(from, at_ - from);
        if (run == "||" || run == "&&")
            add(run == "||" && quote_ != '\0' && last() == 's' ? 'a' : '&'); // strings are joined so
        else if (!run.empty())
            add(run.find_first_of("=<>") != std::string_view::npos ? '=' : 'a');
        else {
            ++at_;
            if (c == ':' && peek() == '=') ++at_;
            add(std::string_view("+-*/%^~").find(c) != std::string_view::npos ? (c == '*' && !is_value(last()) ? '1' : 'a') : '?');
        }
    }
    void word()
    {
        std::size_t const from = at_;
        while (in_name(peek())) ++at_;
        std::string_view const w = text_.substr(from, at_ - from);
        std::size_t next = at_;
        while (next < text_.size() && static_cast<unsigned char>(text_[next]) <= ' ') ++next;
        bool const called = next < text_.size() && text_[next] == '(';
        char kind = sql_words.kind_of(w);
        if (kind == 'o' && !next_is("by", next)) kind = 'n'; // ORDER, GROUP
        if (kind == 'r' && called) kind = 'n';               // REPLACE is a function, too
        switch (kind) {
        case '!': break; // NOT
        case 'n': add(called ? 'f' : 'n'); break;
        case 'o': add('B'); break;
        case 'r': add('E'); break;
        default: add(kind);
        }
    }
    [[nodiscard]] bool next_is(std::string_view wanted, std::size_t from) noexcept
    {
        if (!same_ignoring_case(text_.substr(from, wanted.size()), wanted)) return false;
        at_ = from + wanted.size();
        return true;
    }

    std::string_view text_;
    char quote_;
    bool dashes_;
    std::size_t at_ = 0;
    std::string letters_;
};

/// Whether tokens of that shape, in a query where a number stands, make it another query. A pattern is tried where the tokens that it is about are there.
[[nodiscard]] inline bool alters_a_query(std::string_view letters) noexcept
{
    auto const has = [&](char c) { return letters.find(c) != std::string_view::npos; };
    bool const verb = has('E');
    if (has('X')) return true;                                                             // a comment that is carried out
    if (has('U') && ((verb && pattern<".*UC*k*C*E[kC]*([1svfa]|n[,kc=C;]).*">(letters)) || // a second SELECT
                     (has('C') && pattern<"[1snv].*C+U">(letters))))                       // words taken apart by comments
        return true;
    if (has('&') && (pattern<"[1v]([=a][1nsvf])?C*&C*([1nsv]=|f).*">(letters) || // a condition that is always true
                     pattern<"[1v]([=a][1nsvf])?C*&C*(1([c;&UB].*)?|v[c;&UB].*)">(letters) || pattern<"[1v]=[1s]C*&C*[1v].*">(letters) ||
                     pattern<"[ns]C*&C*[1sv]=[1sv].*">(letters)))
        return true;
    if (verb && ((has(';') && pattern<".*;C*E([kvf1sa].*|n[kE=,c;s].*|c?)">(letters)) || // a second statement
                 pattern<"[1nsv].*[=&,a]C*EC*[1fnskva].*">(letters)))                    // a query in the query
        return true;
    return pattern<"1[cC]|n?C">(letters) ||               // the rest of the query cut off
           (has('B') && pattern<"1C*B[1nf].*">(letters)); // columns counted
}
/// The same where a string stands, which the first token ends.
[[nodiscard]] inline bool alters_a_quoted_query(std::string_view letters) noexcept
{
    auto const has = [&](char c) { return letters.find(c) != std::string_view::npos; };
    bool const verb = has('E');
    if (has('X') || (has('U') && verb && pattern<"s.*UC*k*C*E.+">(letters))) return true;
    if (has(';') && pattern<"sC*;C*(E.*|c)">(letters)) return true;
    if (has('&') && pattern<"sC*&C*([1v]([=&c;UBaC].*)?|f.*|[ns]=.*|S|E.*)">(letters)) return true; // a condition
    if (has('=') && pattern<"sC*=C*([1s]C*&.*|[fvES].*)">(letters)) return true;
    if ((has('c') || has('C')) && pattern<"s[1nsaC]*[cC]">(letters)) return true;            // the rest cut off
    if (has('a') && pattern<"sC*aC*([fvE].*|[1n]C*a[fvE].*|[1s]=.*)">(letters)) return true; // something called, or compared
    return (has('B') && pattern<"sC*B.*">(letters)) || (has(',') && pattern<"sC*,.*[Ec].*">(letters));
}

} // namespace weir::inline v0::detail
