// SPDX-License-Identifier: BSL-1.0
//
// The values of header fields, against readers that go by one character: names compared without regard to case, lists, authorities,
// correlation ids and traceparents. Four lines: two names, a list or an authority, then ids.
#include "must.hpp"

#include <weir/http/correlate.hpp>
#include <weir/http/grammar.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

using weir_fuzz::must;
namespace http = weir::http;

namespace {

char small(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
std::string small(std::string_view text)
{
    std::string made(text);
    std::ranges::transform(made, made.begin(), [](char c) { return small(c); });
    return made;
}

void check_names(std::string_view a, std::string_view b)
{
    std::string const lower = small(b);
    must(http::detail::equals(a, lower) == (small(a) == lower), "names are compared without regard to case");
    must(http::detail::same_name(a, b) == (small(a) == lower), "eight characters at a time compare as one at a time does");
    std::string flipped(a);
    for (std::size_t i = 0; i < flipped.size() && i < b.size(); ++i) {
        // Not letters only: the bit of the case, whatever the character is.
        if ((b[i] & 1) != 0) flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    }
    must(http::detail::same_name(a, flipped) == (small(a) == small(flipped)), "the case of letters alone is ignored");
}

void check_list(std::string_view list, std::string_view name)
{
    std::string const wanted = small(name);
    bool found = false;
    std::string element;
    for (char c : std::string(list) + ",") {
        if (c != ',') {
            element += c;
            continue;
        }
        auto const from = element.find_first_not_of(" \t"), to = element.find_last_not_of(" \t");
        found = found || small(from == std::string::npos ? std::string() : element.substr(from, to - from + 1)) == wanted;
        element.clear();
    }
    must(http::detail::has_element(list, wanted) == found, "an element of a list is found");
}

void check_authority(std::string_view text)
{
    bool const with_port = http::detail::is_authority(text, true);
    bool const good = http::detail::is_authority(text);
    must(good || !with_port, "an authority with a port is one");
    if (!good) return;
    for (char c : text) must(c > ' ' && c < 0x7f && std::string_view("/?#@\\\"<>").find(c) == std::string_view::npos, "it is a host");
    auto const bracket = text.rfind(']');
    std::string_view const behind = bracket == std::string_view::npos ? text : text.substr(bracket);
    auto const colon = behind.find(':');
    must(colon == behind.rfind(':'), "a host has one port at most");
    std::string_view const port = colon == std::string_view::npos ? std::string_view{} : behind.substr(colon + 1);
    must(port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos, "a port is a number");
    must(with_port == (!port.empty() && colon + text.size() - behind.size() > 0), "a port is told");
}

/// What `correlate` sees of a call.
struct one_call {
    struct asked {
        std::optional<std::string_view> id, parent;
        friend std::optional<std::string_view> weir_header(asked const& r, std::string_view name)
        {
            return name == "traceparent" ? r.parent : name == weir::correlation_id::field ? r.id : std::nullopt;
        }
    };

    asked of;
    weir::correlation_id id{};
    std::optional<weir::violation> wrong{};

    asked const& request() const { return of; }
    void set(weir::correlation_id const& i) { id = i; }
    template<class Facet>
    weir::correlation_id const& get() const
    {
        return id;
    }
    void report(weir::correlation_id const&) {}
    void report(weir::violation v) { wrong = std::move(v); }
};

bool is_hex(std::string_view text)
{
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_zero(std::string_view text)
{
    return text.find_first_not_of('0') == std::string_view::npos;
}
/// W3C Trace Context, section 3.2, and of later versions what section 4.3 says.
bool is_parent(std::string_view t)
{
    if (t.size() < 55 || t[2] != '-' || t[35] != '-' || t[52] != '-') return false;
    if (!is_hex(t.substr(0, 2)) || !is_hex(t.substr(3, 32)) || !is_hex(t.substr(36, 16)) || !is_hex(t.substr(53, 2))) return false;
    if (is_zero(t.substr(3, 32)) || is_zero(t.substr(36, 16)) || t.starts_with("ff")) return false;
    return t.size() == 55 || (!t.starts_with("00") && t[55] == '-');
}

void check_ids(std::string_view id, std::string_view parent)
{
    weir::correlate policy;
    one_call call{.of = {.id = id, .parent = parent}};
    bool const good = !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; });
    auto const found = policy.down(call);
    must(found.is_admitted() == good, "an id is taken if it is one");
    must(call.wrong.has_value() == !good, "a refusal is explained");
    std::string const sent = call.id.traceparent();
    must(is_parent(sent) && sent.size() == 55 && sent.starts_with("00-"), "what is sent on is a traceparent of version 00");
    if (is_parent(parent)) must(sent.substr(2) == parent.substr(2, 53), "a good traceparent is kept");
    must(std::string(call.id.traceparent()) == sent, "it is written the same each time");
    must(call.id.key() == (good ? id : std::string_view(sent).substr(3, 32)), "the id is the one that came, or the trace's");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    std::string const a(input.until('\n')), b(input.until('\n')), list(input.until('\n')), id(input.until('\n')), parent(input.rest());
    check_names(a, b);
    check_list(list, a);
    check_authority(list);
    check_authority(a);
    check_ids(id, parent);
    return 0;
}
