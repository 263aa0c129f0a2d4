// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/detail/compiled_pattern.hpp>
#include <weir/validate/detail/field_text.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

/// A word of SQL that is no name. `o`, `r` and `!` are told apart by what follows.
struct sql_word {
    std::string_view word;
    char kind;
};
/// In the order of their first letters.
inline constexpr sql_word sql_words[] = {
    {"and", '&'},      {"alter", 'E'},  {"attach", 'E'},   {"all", 'k'},      {"as", 'k'},        {"asc", 'k'},       {"between", '='},
    {"by", 'k'},       {"create", 'E'}, {"call", 'E'},     {"copy", 'E'},     {"case", 'k'},      {"delete", 'E'},    {"drop", 'E'},
    {"declare", 'E'},  {"div", 'a'},    {"database", 'k'}, {"distinct", 'k'}, {"desc", 'k'},      {"dumpfile", 'k'},  {"delay", 'k'},
    {"except", 'U'},   {"exec", 'E'},   {"execute", 'E'},  {"else", 'k'},     {"end", 'k'},       {"false", '1'},     {"from", 'k'},
    {"grant", 'E'},    {"group", 'o'},  {"glob", '='},     {"handler", 'E'},  {"having", 'B'},    {"intersect", 'U'}, {"insert", 'E'},
    {"in", '='},       {"is", '='},     {"ilike", '='},    {"into", 'k'},     {"join", 'k'},      {"load", 'E'},      {"like", '='},
    {"limit", 'k'},    {"minus", 'U'},  {"merge", 'E'},    {"mod", 'a'},      {"not", '!'},       {"null", '1'},      {"or", '&'},
    {"order", 'o'},    {"offset", 'k'}, {"on", 'k'},       {"outfile", 'k'},  {"procedure", 'k'}, {"revoke", 'E'},    {"replace", 'r'},
    {"rlike", '='},    {"regexp", '='}, {"select", 'E'},   {"shutdown", 'E'}, {"similar", '='},   {"sounds", '='},    {"set", 'k'},
    {"truncate", 'E'}, {"true", '1'},   {"table", 'k'},    {"tables", 'k'},   {"top", 'k'},       {"then", 'k'},      {"union", 'U'},
    {"update", 'E'},   {"values", 'k'}, {"waitfor", 'E'},  {"where", 'k'},    {"when", 'k'},      {"xor", '&'},
};
/// Where the words with a first letter begin.
class sql_word_index {
public:
    consteval sql_word_index()
    {
        for (sql_word const& each : sql_words) ++begin_[static_cast<std::size_t>(each.word[0] - 'a') + 1];
        for (std::size_t letter = 1; letter < 27; ++letter) begin_[letter] = static_cast<std::uint8_t>(begin_[letter] + begin_[letter - 1]);
    }
    /// `n` if it is a name.
    [[nodiscard]] constexpr char kind_of(std::string_view word) const noexcept
    {
        if (word.empty() || !ascii_letter(word[0])) return 'n';
        auto const letter = static_cast<std::size_t>(ascii_lower(word[0]) - 'a');
        for (std::size_t i = begin_[letter]; i < begin_[letter + 1]; ++i)
            if (same_ignoring_case(sql_words[i].word, word)) return sql_words[i].kind;
        return 'n';
    }

private:
    std::uint8_t begin_[27]{};
};
inline constexpr sql_word_index sql_index{};

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
        char kind = sql_index.kind_of(w);
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

/// Shapes that make a query another one, as patterns (see `pattern`) of the letters of a `sql_shape`. The program compiles them when it looks at the first text,
/// in the time of a few texts: to do it here would take the compiler 0.1 s in each file that includes this.
class sql_patterns {
    using p = compiled_pattern;
    static p of(std::string_view text) noexcept { return compile_pattern(text); }

public:
    // Where a number stands.
    p second_select = of(".*UC*k*C*E[kC]*([1svfa]|n[,kc=C;]).*");
    p words_taken_apart = of("[1snv].*C+U"); // by comments
    p condition_on_values = of("[1v]([=a][1nsvf])?C*&C*([1nsv]=|f).*");
    p condition_then_end = of("[1v]([=a][1nsvf])?C*&C*(1([c;&UB].*)?|v[c;&UB].*)");
    p two_conditions = of("[1v]=[1s]C*&C*[1v].*");
    p name_and_condition = of("[ns]C*&C*[1sv]=[1sv].*");
    p second_statement = of(".*;C*E([kvf1sa].*|n[kE=,c;s].*|c?)");
    p query_in_the_query = of("[1nsv].*[=&,a]C*EC*[1fnskva].*");
    p rest_cut_off = of("1[cC]|n?C");
    p columns_counted = of("1C*B[1nf].*");
    // Where a string stands, which the first token ends.
    p quoted_second_select = of("s.*UC*k*C*E.+");
    p quoted_second_statement = of("sC*;C*(E.*|c)");
    p quoted_condition = of("sC*&C*([1v]([=&c;UBaC].*)?|f.*|[ns]=.*|S|E.*)");
    p quoted_comparison = of("sC*=C*([1s]C*&.*|[fvES].*)");
    p quoted_rest_cut_off = of("s[1nsaC]*[cC]");
    p quoted_call = of("sC*aC*([fvE].*|[1n]C*a[fvE].*|[1s]=.*)"); // something called, or compared
    p quoted_columns_counted = of("sC*B.*");
    p quoted_list = of("sC*,.*[Ec].*");

    [[nodiscard]] static sql_patterns const& all() noexcept
    {
        static sql_patterns const made;
        return made;
    }

private:
    sql_patterns() noexcept {} // not constexpr, so that no compiler tries
};

/// Whether tokens of that shape, in a query where a number stands, make it another query. A pattern is tried where the tokens that it is about are there.
[[nodiscard]] inline bool alters_a_query(std::string_view letters) noexcept
{
    auto const has = [&](char c) { return letters.find(c) != std::string_view::npos; };
    sql_patterns const& p = sql_patterns::all();
    bool const verb = has('E');
    if (has('X')) return true; // a comment that is carried out
    if (has('U') && ((verb && p.second_select.matches(letters)) || (has('C') && p.words_taken_apart.matches(letters)))) return true;
    if (has('&') && (p.condition_on_values.matches(letters) || p.condition_then_end.matches(letters) || p.two_conditions.matches(letters) ||
                     p.name_and_condition.matches(letters)))
        return true;
    if (verb && ((has(';') && p.second_statement.matches(letters)) || p.query_in_the_query.matches(letters))) return true;
    return p.rest_cut_off.matches(letters) || (has('B') && p.columns_counted.matches(letters));
}
/// The same where a string stands, which the first token ends.
[[nodiscard]] inline bool alters_a_quoted_query(std::string_view letters) noexcept
{
    auto const has = [&](char c) { return letters.find(c) != std::string_view::npos; };
    sql_patterns const& p = sql_patterns::all();
    if (has('X') || (has('U') && has('E') && p.quoted_second_select.matches(letters))) return true;
    if (has(';') && p.quoted_second_statement.matches(letters)) return true;
    if (has('&') && p.quoted_condition.matches(letters)) return true;
    if (has('=') && p.quoted_comparison.matches(letters)) return true;
    if ((has('c') || has('C')) && p.quoted_rest_cut_off.matches(letters)) return true;
    if (has('a') && p.quoted_call.matches(letters)) return true;
    return (has('B') && p.quoted_columns_counted.matches(letters)) || (has(',') && p.quoted_list.matches(letters));
}

} // namespace weir::inline v0::detail
