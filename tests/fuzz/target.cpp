// SPDX-License-Identifier: BSL-1.0
//
// Request targets: `METHOD target`. What is accepted is put together again from its parts, has no character that it may not have, and
// is split in the same way by each of weir's readers; a target in origin form is accepted exactly if a plain reader says so.
#include "must.hpp"

#include <weir/http/query_key.hpp>
#include <weir/http/target.hpp>

#include <algorithm>
#include <string>
#include <string_view>

using weir_fuzz::must;
namespace http = weir::http;

namespace {

constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
constexpr std::string_view hexadecimal = "0123456789ABCDEFabcdef";

bool has(std::string_view set, char c)
{
    return set.find(c) != std::string_view::npos;
}

/// RFC 3986 sections 3.3 and 3.4, with the marks in a query that browsers send as they are.
bool plainly_an_origin_form(std::string_view text)
{
    bool in_query = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size() || !has(hexadecimal, text[i + 1]) || !has(hexadecimal, text[i + 2])) return false;
            i += 2;
        } else if (c == '?' && !in_query) {
            in_query = true;
        } else if (!has(unreserved, c) && !has("!$&'()*+,;=:@/", c) && !(in_query && has("?[]{}|\\^`", c))) {
            return false;
        }
    }
    return text.starts_with('/');
}

/// Each byte that is not unreserved becomes `%XX`.
std::string encoded(std::string_view text)
{
    std::string made;
    for (char c : text) {
        if (has(unreserved, c)) {
            made += c;
            continue;
        }
        auto const byte = static_cast<unsigned char>(c);
        made += {'%', hexadecimal[byte >> 4], hexadecimal[byte & 15]};
    }
    return made;
}

bool same(http::request_target const& a, http::request_target const& b)
{
    return a.scheme == b.scheme && a.authority == b.authority && a.path == b.path && a.query == b.query;
}

void check_parts(std::string_view text, http::request_target const& parts)
{
    std::string again;
    switch (parts.form) {
    case http::target_form::origin:
        must(parts.scheme.empty() && parts.authority.empty(), "an origin form has no scheme and no authority");
        again = parts.path;
        break;
    case http::target_form::absolute:
        must(!parts.authority.empty() && !parts.authority.starts_with(':'), "an absolute form has a host");
        again = std::string(parts.scheme) + "://";
        // User information is not kept.
        again += text.substr(again.size(), static_cast<std::size_t>(parts.authority.data() - text.data()) - again.size());
        must(again.ends_with("://") || again.ends_with('@'), "what stands before the authority ends in @");
        again += parts.authority;
        if (parts.path.data() >= text.data() && parts.path.data() < text.data() + text.size()) again += parts.path;
        break;
    case http::target_form::authority:
        must(parts.path.empty() && parts.query.empty(), "an authority form has no path");
        again = parts.authority;
        break;
    case http::target_form::asterisk: again = "*"; break;
    }
    if (!parts.query.empty() || text.ends_with('?')) again.append("?").append(parts.query);
    must(again == text, "the parts make the target");
    must(!has(parts.authority, '@') && !has(parts.authority, '/') && !has(parts.authority, '?'), "an authority ends where it ends");
    for (char c : text) must(c > ' ' && c < 0x7f && c != '#', "a target is visible ASCII without a fragment");
    must(same(http::split_target(text), parts), "a target is split again as it was parsed");
}

void check_path(std::string_view path)
{
    if (path.empty()) return;
    must(path.starts_with('/'), "a path begins with a slash");
    std::string joined;
    http::path_segments segments(path);
    while (auto const segment = segments.next()) {
        must(!has(*segment, '/'), "a segment has no slash");
        joined.append("/").append(*segment);
    }
    must(joined == path, "the segments make the path");
    std::string const plain(http::decoded(path).view());
    std::string const code = encoded(plain);
    must(http::decoded(code) == plain, "what is encoded is decoded again");
    must(http::parse_target("GET", "/" + code).has_value(), "what is encoded is a path");
}

/// The first parameter that a plain reader finds, and whether there are more.
void check_query(std::string_view target, std::string_view query)
{
    std::string_view const first = query.substr(0, query.find('&'));
    std::string const name(http::decoded(first.substr(0, first.find('=')), true).view());
    std::size_t count = 0;
    std::string value;
    for (std::string_view rest = query; !rest.empty();) {
        std::string_view const one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        auto const equals = one.find('=');
        if (http::decoded(one.substr(0, equals), true) != std::string_view(name)) continue;
        if (count++ == 0 && equals != std::string_view::npos) value = http::decoded(one.substr(equals + 1), true).view();
    }
    auto const found = http::query(query, name);
    must(found.has_value() == (count > 0), "a parameter that is there is found");
    if (found) must(*found == value, "the first value is the one that is found");
    auto const key = http::detail::only_parameter(target, name);
    must(key == (count == 1 ? std::string_view(value) : std::string_view{}), "a key is the one value, or empty");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    std::string const method(input.until(' '));
    std::string const text(input.rest());
    auto const parts = http::parse_target(method, text);
    if (method != "CONNECT") must(plainly_an_origin_form(text) == (parts && parts->form == http::target_form::origin), "the readers agree");
    if (!parts) return 0;
    must((method == "CONNECT") == (parts->form == http::target_form::authority), "CONNECT alone has an authority form");
    must(method == "OPTIONS" || parts->form != http::target_form::asterisk, "OPTIONS alone has an asterisk");
    check_parts(text, *parts);
    check_path(parts->path);
    check_query(text, parts->query);
    return 0;
}
