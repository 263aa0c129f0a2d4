// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/slice.hpp>
#include <weir/core/options.hpp>
#include <weir/validate/accept_language.hpp>
#include <weir/validate/detail/field_text.hpp>
#include <weir/validate/translator.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// A sentence in weir's English, and in another language: see `catalogue`.
struct message {
    std::string_view id;
    std::string_view text;
};

/// Sentences in other languages. A message's id is the English sentence itself, as gettext has it, with `{0}`, `{1}`, ... where it has values; the
/// translation says where they go. `{t0}` puts a value that is itself translated:
/// ```cpp
/// constexpr weir::message german[] = {
///     {"a number from {0} to {1}", "eine Zahl von {0} bis {1}"},
///     {"{0}, which is missing", "{t0}; der Wert fehlt"},
///     {"query {0}: expected {1}", "Parameter {0}: erwartet wird {t1}"},
/// };
/// auto const messages = std::make_shared<weir::catalogue const>(weir::catalogue("en").add("de", german));
/// http::edge(svc, {.messages = messages});             // its problem documents are in the language that the client asks for
/// ```
/// So whatever writes a sentence needs to know nothing of languages, and one that nobody has translated yet is told in English. `read_catalogue`
/// adds the sentences of a JSON file.
///
/// A sentence is looked for among the ids without values, then among those that end in text of their own, then among the others; in each those with the
/// most text of their own first. Values are what stands
/// between the parts of an id, the shortest first. Costs a binary search, and a search a part of each id with values. Filled first, then read: reading is
/// thread-safe. Keeps its own copies.
class catalogue final : public translator {
public:
    static constexpr std::size_t most_values = 10;

    /// `fallback` is the language of the ids, and of who asks for one that is not there.
    explicit catalogue(std::string_view fallback = "en") : fallback_(fallback)
    {
        expect(detail::is_language_range(fallback) && fallback != "*", "catalogue.fallback", "a language tag such as en");
    }

    /// Adds sentences of a language, such as `de` or `pt-BR`; one that is there already is replaced. Throws `std::invalid_argument` that names the id if
    /// its values are not `{0}`, `{1}`, ... in this order, if two stand side by side, or if its translation has one that the id has not.
    catalogue& add(std::string_view language, detail::slice<message> messages) &
    {
        expect(detail::is_language_range(language) && language != "*", "catalogue.language", "a language tag such as de-CH");
        for (message const& m : messages) check(m);
        book& into = of(language);
        for (message const& m : messages) {
            bool const plain = parts_of(m.id).size() == 1;
            auto& list = plain ? into.plain : into.with_values;
            auto found = std::find_if(list.begin(), list.end(), [&](entry const& e) { return e.id == m.id; });
            if (found == list.end())
                list.push_back({std::string(m.id), std::string(m.text)});
            else
                found->text = m.text;
        }
        sort(into.plain, by_id);
        sort(into.with_values, by_text);
        return *this;
    }
    catalogue&& add(std::string_view language, detail::slice<message> messages) && { return std::move(add(language, messages)); }

    /// The languages that are there, the fallback first.
    [[nodiscard]] std::vector<std::string_view> languages() const
    {
        std::vector<std::string_view> all{fallback_};
        for (book const& b : books_)
            if (b.language != fallback_) all.push_back(b.language);
        return all;
    }
    /// The language for an Accept-Language field: see `choose_language`.
    [[nodiscard]] std::string_view choose(std::string_view accept_language) const override
    {
        return choose_language(accept_language, languages(), fallback_);
    }
    /// The sentence in that language, or as it is.
    [[nodiscard]] std::string translate(std::string_view language, std::string_view sentence) const override
    {
        for (book const& b : books_)
            if (detail::same_ignoring_case(b.language, language)) return translate(b, sentence, 0);
        return std::string(sentence);
    }

private:
    struct entry {
        std::string id, text;
    };
    struct book {
        std::string language;
        std::vector<entry> plain, with_values;
    };
    using values = std::array<std::string_view, most_values>;

    book& of(std::string_view language)
    {
        for (book& b : books_)
            if (detail::same_ignoring_case(b.language, language)) return b;
        return books_.emplace_back(book{std::string(language), {}, {}});
    }

    // Both are of one type, so that one sort is made of them.
    using order = bool(entry const&, entry const&);
    static bool by_id(entry const& a, entry const& b) { return a.id < b.id; }
    static bool by_text(entry const& a, entry const& b)
    {
        bool const a_ends = ends_in_value(a.id), b_ends = ends_in_value(b.id);
        auto const a_text = own_text(a.id), b_text = own_text(b.id);
        return a_ends != b_ends ? b_ends : a_text != b_text ? a_text > b_text : a.id < b.id;
    }
    static void sort(std::vector<entry>& list, order* less) { std::sort(list.begin(), list.end(), less); }

    /// Takes what stands before the next hole off the front; `hole` is its number, or -1 at the end.
    static std::string_view take_part(std::string_view& rest, int& hole, bool& translated)
    {
        for (std::size_t i = 0; i < rest.size(); ++i) {
            std::size_t const digit = rest.substr(i).starts_with("{t") ? i + 2 : i + 1;
            if (rest[i] != '{' || digit + 1 >= rest.size() || !detail::ascii_digit(rest[digit]) || rest[digit + 1] != '}') continue;
            std::string_view const part = rest.substr(0, i);
            hole = rest[digit] - '0';
            translated = digit == i + 2;
            rest.remove_prefix(digit + 2);
            return part;
        }
        hole = -1;
        return std::exchange(rest, std::string_view{});
    }
    /// The text around the holes: one part more than there are.
    static std::vector<std::string_view> parts_of(std::string_view id)
    {
        std::vector<std::string_view> parts;
        bool translated = false;
        for (int hole = 0; hole >= 0;) parts.push_back(take_part(id, hole, translated));
        return parts;
    }
    static std::size_t own_text(std::string_view id)
    {
        std::size_t n = 0;
        for (std::string_view const part : parts_of(id)) n += part.size();
        return n;
    }
    static bool ends_in_value(std::string_view id) { return parts_of(id).back().empty(); }
    static void check(message const& m)
    {
        std::string_view rest = m.id;
        int wanted = 0, hole = 0;
        bool translated = false;
        for (;; ++wanted) {
            std::string_view const part = take_part(rest, hole, translated);
            if (hole < 0) break;
            expect(hole == wanted && !translated && (wanted == 0 || !part.empty()), m.id,
                   "values {0}, {1}, ... in this order, with text between");
        }
        expect(own_text(m.id) > 0, m.id, "an id with some text");
        rest = m.text;
        for (hole = 0; hole >= 0;) {
            take_part(rest, hole, translated);
            expect(hole < wanted, m.id, "a translation with no other values than the id");
        }
    }
    /// Whether the sentence is that id with values.
    static bool match(std::string_view id, std::string_view sentence, values& found)
    {
        int hole = 0;
        bool translated = false;
        std::string_view const begin = take_part(id, hole, translated);
        if (!sentence.starts_with(begin)) return false;
        sentence.remove_prefix(begin.size());
        while (hole >= 0) {
            auto const at = static_cast<std::size_t>(hole);
            std::string_view const part = take_part(id, hole, translated);
            if (hole < 0) { // the last value ends where the id's end begins
                if (sentence.size() <= part.size() || !sentence.ends_with(part)) return false;
                found[at] = sentence.substr(0, sentence.size() - part.size());
                return true;
            }
            auto const end = sentence.find(part, 1);
            if (end == std::string_view::npos) return false;
            found[at] = sentence.substr(0, end);
            sentence.remove_prefix(end + part.size());
        }
        return sentence.empty();
    }
    static std::string translate(book const& b, std::string_view sentence, int depth)
    {
        auto const at =
            std::lower_bound(b.plain.begin(), b.plain.end(), sentence, [](entry const& e, std::string_view s) { return e.id < s; });
        if (at != b.plain.end() && at->id == sentence) return at->text;
        for (entry const& e : b.with_values) {
            values found;
            if (!match(e.id, sentence, found)) continue;
            std::string made;
            std::string_view rest = e.text;
            bool translated = false;
            for (int hole = 0;;) {
                made += take_part(rest, hole, translated);
                if (hole < 0) return made;
                std::string_view const value = found[static_cast<std::size_t>(hole)];
                if (translated && depth < 4)
                    made += translate(b, value, depth + 1);
                else
                    made += value;
            }
        }
        return std::string(sentence);
    }

    std::string fallback_;
    std::vector<book> books_;
};

} // namespace weir::inline v0
