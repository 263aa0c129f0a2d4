// SPDX-License-Identifier: BSL-1.0
//
// Content-Type and Accept-Language: a line of the one, then the other. What is taken apart is put together again, and read the same.
#include "must.hpp"

#include <weir/validate/accept_language.hpp>
#include <weir/validate/content_type.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

using weir_fuzz::must;

namespace {

bool is_token(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), weir::detail::is_token_char);
}

void check_type(std::string_view text)
{
    auto const t = weir::media_type::parse(text);
    bool const any = weir::content_type<"*/*; charset=utf-8", "*/*">::takes(text);
    if (!t) return must(!any || text == "*/*" || text == "*/*; charset=utf-8", "what is no type is not taken");
    must(is_token(t->type) && is_token(t->subtype), "a type is two tokens");
    must(text.find_first_of("\r\n") == std::string_view::npos && text.find('\0') == std::string_view::npos, "a type is one line");
    std::string again = std::string(t->type) + '/' + std::string(t->subtype) + std::string(t->parameters);
    auto const other = weir::media_type::parse(again);
    must(other && other->type == t->type && other->subtype == t->subtype, "a type that is written again is the same");
    std::string upper = again.substr(0, t->type.size() + 1 + t->subtype.size());
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    must(weir::media_type::parse(upper)->is(t->type, t->subtype), "case means nothing");
    if (auto const charset = t->parameter("charset")) {
        must(t->has("CHARSET", *charset), "a parameter has the value that it has");
        bool const known = weir::detail::same_ignoring_case(*charset, "utf-8") || weir::detail::same_ignoring_case(*charset, "us-ascii");
        must(weir::content_type<"*/*">::takes(text) == (known || text == "*/*"), "a charset that nobody named is UTF-8");
    }
}

void check_language(std::string_view field)
{
    static constexpr std::array<std::string_view, 4> there{"en", "de", "pt-BR", "zh-Hant"};
    std::string_view const got = weir::choose_language(field, there, "none");
    must(got == "none" || std::find(there.begin(), there.end(), got) != there.end(), "a language is one of those that are there");
    std::string lower(field);
    std::transform(lower.begin(), lower.end(), lower.begin(), weir::detail::ascii_lower);
    must(weir::choose_language(lower, there, "none") == got, "case means nothing");
    if (got != "none") {
        std::string_view const primary = got.substr(0, 2);
        must(lower.find(primary) != std::string::npos, "a language that nobody asked for is not chosen");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    std::string const type(input.until('\n'));
    check_type(type);
    check_language(input.rest());
    return 0;
}
