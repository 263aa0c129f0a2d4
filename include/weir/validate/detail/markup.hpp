// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/validate/detail/field_text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace weir::inline v0::detail {

[[nodiscard]] constexpr bool any_of_ignoring_case(std::string_view text, slice<std::string_view> all) noexcept
{
    for (std::string_view const each : all)
        if (same_ignoring_case(text, each)) return true;
    return false;
}

/// The characters that an attribute's value has for a browser that looks for a scheme: references such as `&#x6a;` decoded, blanks and controls left out.
/// The first of them, as a scheme is at the front.
[[nodiscard]] inline std::string scheme_text(std::string_view raw)
{
    std::string text;
    for (std::size_t i = 0; i < raw.size() && text.size() < 32; ++i) {
        unsigned code = static_cast<unsigned char>(raw[i]);
        if (raw[i] == '&' && i + 1 < raw.size()) {
            std::size_t at = i + 1;
            if (raw[at] == '#') {
                ++at;
                bool const hex = at < raw.size() && ascii_lower(raw[at]) == 'x';
                at += hex;
                unsigned value = 0;
                std::size_t const digits = at;
                for (; at < raw.size() && (hex ? ascii_hex(raw[at]) >= 0 : ascii_digit(raw[at])); ++at)
                    if (value < 0x110000) value = value * (hex ? 16 : 10) + static_cast<unsigned>(ascii_hex(raw[at]));
                if (at != digits) {
                    code = value;
                    i = at < raw.size() && raw[at] == ';' ? at : at - 1;
                }
            } else {
                struct reference {
                    std::string_view name;
                    char c;
                };
                for (reference const r : {reference{"colon;", ':'}, {"tab;", '\t'}, {"newline;", '\n'}, {"lpar;", '('}})
                    if (same_ignoring_case(raw.substr(at, r.name.size()), r.name)) {
                        code = static_cast<unsigned char>(r.c);
                        i = at + r.name.size() - 1;
                        break;
                    }
            }
        }
        if (code > ' ' && code < 0x7f) text += ascii_lower(static_cast<char>(code));
    }
    return text;
}
/// A URI whose scheme runs a script, or carries a document that can.
[[nodiscard]] inline bool runs_a_script(std::string_view raw)
{
    std::string const text = scheme_text(raw);
    std::string_view const t = text;
    return t.starts_with("javascript:") || t.starts_with("vbscript:") || t.starts_with("livescript:") || t.starts_with("data:text/html") ||
           t.starts_with("data:image/svg") || t.starts_with("data:text/xml") || t.starts_with("data:application/x");
}

/// Reads a text as a browser reads HTML (WHATWG, "13.2.5 Tokenization", as far as it has to), from one of five states, and finds what makes
/// a browser run something: an element that does, an attribute that is an event's handler, a URI with a scheme that does.
class markup {
public:
    /// `quote`: 0 where the text stands between tags; a blank where it is an attribute's value without quotation marks, else the mark.
    markup(std::string_view text, char quote) : text_(text)
    {
        if (quote != '\0') {
            at_ = quote == ' ' ? text_.find_first_of(" \t\n\f\r/>") : text_.find(quote);
            if (at_ == std::string_view::npos) return;
            if (quote != ' ') ++at_;
            attributes();
        }
        while (!active_ && at_ < text_.size()) {
            at_ = text_.find('<', at_);
            if (at_ == std::string_view::npos) return;
            ++at_;
            tag();
        }
    }
    [[nodiscard]] bool active() const noexcept { return active_; }

private:
    static constexpr bool blank(char c) noexcept
    {
        return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == '\v' || c == '\0';
    }
    [[nodiscard]] bool done() const noexcept { return at_ >= text_.size(); }

    void tag()
    {
        if (done()) return;
        if (text_[at_] == '!' || text_[at_] == '?' || text_[at_] == '%') return declaration();
        bool const closing = text_[at_] == '/';
        if (closing) ++at_;
        if (done() || !ascii_letter(text_[at_])) return;
        std::size_t const from = at_;
        while (!done() && !blank(text_[at_]) && text_[at_] != '/' && text_[at_] != '>') ++at_;
        std::string name;
        for (char const c : text_.substr(from, at_ - from))
            if (c != '\0') name += c;
        if (auto const colon = name.rfind(':'); colon != std::string::npos) name.erase(0, colon + 1);
        if (closing) {
            at_ = std::min(text_.find('>', at_), text_.size());
            return;
        }
        // What loads, runs or styles a document by being there.
        static constexpr std::array<std::string_view, 22> elements{
            "script", "iframe", "frame", "frameset", "object", "embed",   "applet", "svg",    "math",    "base",     "link",
            "meta",   "style",  "form",  "xml",      "xss",    "isindex", "layer",  "ilayer", "bgsound", "noscript", "template"};
        if (any_of_ignoring_case(name, elements)) active_ = true;
        attributes();
    }
    void declaration()
    {
        std::string_view const rest = text_.substr(at_);
        if (rest.starts_with("!--")) {
            std::size_t const end = text_.find("-->", at_ + 1);
            std::string_view const inside = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
            active_ = inside.find('`') != std::string_view::npos || inside.find("[if") != std::string_view::npos; // old browsers run these
            at_ = end == std::string_view::npos ? text_.size() : end + 3;
        } else if (rest.starts_with("![CDATA[")) {
            ++at_;
        } else {
            active_ = same_ignoring_case(rest.substr(0, 8), "!doctype") || same_ignoring_case(rest.substr(0, 7), "!entity") ||
                      same_ignoring_case(rest.substr(0, 7), "?import") || same_ignoring_case(rest.substr(0, 4), "?xml");
            at_ = std::min(text_.find('>', at_), text_.size());
        }
    }
    void attributes()
    {
        while (!done() && !active_) {
            while (!done() && (blank(text_[at_]) || text_[at_] == '/')) ++at_;
            if (done()) return;
            if (text_[at_] == '>') {
                ++at_;
                return;
            }
            std::size_t const from = at_++; // a name may begin with "="
            while (!done() && !blank(text_[at_]) && text_[at_] != '/' && text_[at_] != '>' && text_[at_] != '=') ++at_;
            std::string_view const name = text_.substr(from, at_ - from);
            while (!done() && blank(text_[at_])) ++at_;
            bool const has_value = !done() && text_[at_] == '=';
            if (has_value) judge(name, value());
        }
    }
    std::string_view value()
    {
        ++at_;
        while (!done() && blank(text_[at_])) ++at_;
        if (done()) return {};
        char const mark = text_[at_];
        if (mark == '"' || mark == '\'' || mark == '`') {
            std::size_t const end = std::min(text_.find(mark, at_ + 1), text_.size());
            std::string_view const inside = text_.substr(at_ + 1, end - at_ - 1);
            at_ = end + 1;
            return inside;
        }
        std::size_t const from = at_;
        while (!done() && !blank(text_[at_]) && text_[at_] != '>') ++at_;
        return text_.substr(from, at_ - from);
    }
    void judge(std::string_view raw_name, std::string_view raw_value)
    {
        std::string name;
        for (char const c : raw_name)
            if (c != '\0') name += ascii_lower(c);
        bool letters = name.size() > 4;
        for (char const c : name) letters = letters && ascii_letter(c);
        if (letters && name.starts_with("on")) active_ = true; // every event, those of tomorrow, too
        static constexpr std::array<std::string_view, 14> uris{"href",   "src",        "action", "formaction", "xlink:href",
                                                               "data",   "background", "poster", "code",       "codebase",
                                                               "lowsrc", "dynsrc",     "to",     "values"};
        if (any_of_ignoring_case(name, uris) && runs_a_script(raw_value)) active_ = true;
        if (name == "srcdoc" || name == "datasrc" || name == "dataformatas" || name == "folder") active_ = true;
        if (name == "style") {
            std::string_view const v = raw_value;
            for (std::string_view const part : {"expression", "url(", "behavior", "-moz-binding", "@import", "\\"})
                for (std::size_t i = 0; i + part.size() <= v.size(); ++i)
                    if (same_ignoring_case(v.substr(i, part.size()), part)) active_ = true;
        }
        if (name.starts_with("xmlns") || name == "attributename") active_ = true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    bool active_ = false;
};

} // namespace weir::inline v0::detail
