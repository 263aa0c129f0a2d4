// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/refusal.hpp>
#include <weir/http/target.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir_fuzz {

/// A request as it was read.
struct message {
    std::string method, target;
    unsigned version = 0;
    std::vector<std::pair<std::string, std::string>> fields{};
    std::string body{};
    friend bool operator==(message const&, message const&) = default;
};

/// Reads requests from a stream that is there as a whole, one rule after the other, each as RFC 9112 and `http::framing` state it: the
/// other opinion that the machine is compared with. What is not complete and right is nothing.
class plain_reader {
public:
    plain_reader(std::string_view stream, weir::http::framing_limits const& limits) : rest_(stream), limits_(limits) {}

    /// The next request; nothing if what comes next is none, or not all of it is there.
    std::optional<message> next()
    {
        message m;
        std::string_view const begin = rest_;
        while (rest_.starts_with("\r\n")) rest_.remove_prefix(2);
        auto const first = line(limits_.line_bytes);
        if (!first || !read_request_line(*first, m)) return {};
        if (!read_fields(m.fields) || begin.size() - rest_.size() > limits_.header_bytes) return {};
        std::uint64_t length = 0;
        if (!check_fields(m, length)) return {};
        if (count(m, "transfer-encoding") == 1 ? !read_chunks(m.body) : !take(length, m.body)) return {};
        return m;
    }

private:
    using text = std::string_view;

    static std::string small(text t)
    {
        std::string made(t);
        for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return made;
    }
    static bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
    static bool is_token(text t)
    {
        return !t.empty() && std::ranges::all_of(t, [](char c) {
            return is_letter_or_digit(c) || (c != '\0' && text("!#$%&'*+-.^_`|~").find(c) != text::npos);
        });
    }
    static bool is_blank(char c) { return c == ' ' || c == '\t'; }
    static bool is_printable(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }
    static std::size_t count(message const& m, text name)
    {
        return static_cast<std::size_t>(std::ranges::count(m.fields, name, [](auto const& f) { return small(f.first); }));
    }
    static text value_of(message const& m, text name)
    {
        return std::ranges::find(m.fields, name, [](auto const& f) { return small(f.first); })->second;
    }

    /// What stands before the next CRLF.
    std::optional<text> line(std::size_t most)
    {
        auto const end = rest_.find("\r\n");
        if (end == text::npos || end + 2 > most) return {};
        text const found = rest_.substr(0, end);
        rest_.remove_prefix(end + 2);
        return found;
    }
    bool take(std::uint64_t size, std::string& into)
    {
        if (size > rest_.size()) return false;
        into += rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }

    static bool read_request_line(text line, message& m)
    {
        auto const first = line.find(' '), last = line.rfind(' ');
        if (first == last) return false; // none, or one only
        m.method = line.substr(0, first);
        m.target = line.substr(first + 1, last - first - 1);
        text const version = line.substr(last + 1);
        m.version = version == "HTTP/1.1" ? 11 : 10;
        return is_token(m.method) && weir::http::parse_target(m.method, m.target) && (m.version == 11 || version == "HTTP/1.0");
    }
    bool read_fields(std::vector<std::pair<std::string, std::string>>& into)
    {
        for (;;) {
            auto const one = line(limits_.field_bytes);
            if (!one) return false;
            if (one->empty()) return into.size() <= limits_.fields;
            auto const colon = one->find(':');
            if (colon == text::npos || !is_token(one->substr(0, colon))) return false;
            text value = one->substr(colon + 1);
            if (!std::ranges::all_of(value, is_printable)) return false;
            while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
            while (!value.empty() && is_blank(value.back())) value.remove_suffix(1);
            into.emplace_back(one->substr(0, colon), value);
        }
    }
    bool check_fields(message const& m, std::uint64_t& length) const
    {
        auto const hosts = count(m, "host"), lengths = count(m, "content-length"), codings = count(m, "transfer-encoding");
        if (hosts > 1 || (hosts == 0 && m.version == 11) || lengths + codings > 1 || count(m, "content-type") > 1) return false;
        if (hosts == 1 && !weir::http::detail::is_authority(value_of(m, "host"))) return false;
        if (codings == 1) return m.version == 11 && small(value_of(m, "transfer-encoding")) == "chunked";
        if (lengths == 0) return true;
        text digits = value_of(m, "content-length");
        if (digits.empty() || digits.find_first_not_of("0123456789") != text::npos) return false;
        while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
        if (digits.size() > 18) return false; // beyond every limit here
        for (char c : digits) length = length * 10 + static_cast<unsigned>(c - '0');
        return length <= limits_.body_bytes;
    }

    static bool skip_blanks(text& t)
    {
        while (!t.empty() && is_blank(t.front())) t.remove_prefix(1);
        return true;
    }
    static bool skip_token(text& t)
    {
        std::size_t size = 0;
        while (size < t.size() && is_token(t.substr(size, 1))) ++size;
        t.remove_prefix(size);
        return size > 0;
    }
    static bool skip_quoted(text& t)
    {
        for (std::size_t i = 1; i < t.size(); ++i) {
            if (t[i] == '"') {
                t.remove_prefix(i + 1);
                return true;
            }
            if (t[i] == '\\') ++i;
            if (i == t.size() || !is_printable(t[i])) return false;
        }
        return false;
    }
    /// `*( BWS ";" BWS name [ BWS "=" BWS value ] )`
    static bool is_extension(text t)
    {
        while (!t.empty()) {
            skip_blanks(t);
            if (!t.starts_with(';')) return false;
            t.remove_prefix(1);
            skip_blanks(t);
            if (!skip_token(t)) return false;
            text behind = t;
            skip_blanks(behind);
            if (!behind.starts_with('=')) continue;
            behind.remove_prefix(1);
            skip_blanks(behind);
            if (!(behind.starts_with('"') ? skip_quoted(behind) : skip_token(behind))) return false;
            t = behind;
        }
        return true;
    }
    bool read_chunks(std::string& body)
    {
        for (std::size_t superfluous = 0;;) {
            auto const head = line(rest_.size());
            if (!head) return false;
            text const digits = head->substr(0, head->find_first_not_of("0123456789abcdefABCDEF"));
            superfluous += head->size() - digits.size() + (digits.size() > 16 ? digits.size() - 16 : 0);
            if (digits.empty() || !is_extension(head->substr(digits.size())) || superfluous > limits_.header_bytes) return false;
            std::uint64_t size = 0;
            for (char c : digits) {
                if (size >> 60 != 0) return false;
                size = size * 16 + static_cast<unsigned>(text("0123456789abcdef").find(small({&c, 1})));
            }
            if (size == 0) break;
            if (size > limits_.body_bytes - body.size() || !take(size, body) || !rest_.starts_with("\r\n")) return false;
            rest_.remove_prefix(2);
        }
        message trailers;
        std::size_t const before = rest_.size();
        if (!read_fields(trailers.fields) || before - rest_.size() > limits_.header_bytes) return false;
        return count(trailers, "host") + count(trailers, "content-length") + count(trailers, "transfer-encoding") == 0;
    }

    text rest_;
    weir::http::framing_limits limits_;
};

} // namespace weir_fuzz
