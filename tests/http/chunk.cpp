// SPDX-License-Identifier: BSL-1.0
#include <weir/http/chunk.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace {

using weir::http::chunk_head;
using found = chunk_head::found;

struct read {
    found what = found::more;
    std::uint64_t size = 0;
    std::size_t bytes = 0;
    std::size_t extension = 0;
};
/// Until the line ends, or cannot be one.
read feed(chunk_head& head, std::string_view text)
{
    read r;
    for (char c : text) {
        r.what = head.next(c);
        ++r.bytes;
        if (r.what != found::more) break;
    }
    r.size = head.size();
    r.extension = head.extension_bytes();
    return r;
}
read feed(std::string_view text)
{
    chunk_head head;
    return feed(head, text);
}

/// The same grammar written down another way: the size of a line, if it is one. RFC 9112 section 7.1, with the section's own narrowings.
std::optional<std::uint64_t> by_grammar(std::string_view s)
{
    auto const take_while = [&](auto is) {
        std::size_t n = 0;
        while (n < s.size() && is(s[n])) ++n;
        std::string_view const taken = s.substr(0, n);
        s.remove_prefix(n);
        return taken;
    };
    auto const take = [&](char c) {
        if (s.empty() || s[0] != c) return false;
        s.remove_prefix(1);
        return true;
    };
    auto const blank = [](char c) { return c == ' ' || c == '\t'; };
    auto const token = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    std::string_view digits = take_while([](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
    if (digits.empty()) return std::nullopt;
    while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
    if (digits.size() > 16) return std::nullopt;
    std::uint64_t const size = std::stoull(std::string(digits), nullptr, 16);
    for (;;) {
        if (s == "\r\n") return size;
        take_while(blank);
        if (!take(';')) return std::nullopt;
        take_while(blank);
        if (take_while(token).empty()) return std::nullopt;
        std::string_view const after_name = s;
        take_while(blank);
        if (!take('=')) {
            s = after_name;
            continue;
        }
        take_while(blank);
        if (take('"')) {
            for (;;) {
                if (s.empty()) return std::nullopt;
                char c = s[0];
                s.remove_prefix(1);
                if (c == '"') break;
                if (c == '\\') {
                    if (s.empty()) return std::nullopt;
                    c = s[0];
                    s.remove_prefix(1);
                }
                auto const u = static_cast<unsigned char>(c);
                if (u != '\t' && (u < 0x20 || u == 0x7f)) return std::nullopt;
            }
        } else if (take_while(token).empty())
            return std::nullopt;
    }
}

} // namespace

TEST_CASE("chunk: a size in hexadecimal digits of either case, ended by CRLF")
{
    CHECK(feed("0\r\n").size == 0);
    CHECK(feed("0\r\n").what == found::size);
    CHECK(feed("1aF\r\n").size == 0x1af);
    CHECK(feed("00000000000000000000000000000010\r\n").size == 16);
    CHECK(feed("ffffffffffffffff\r\n").size == ~std::uint64_t{0});
    CHECK(feed("10000000000000000\r\n").what == found::bad); // 2^64
    CHECK(feed("1\r\nrest").bytes == 3);                     // the next byte is not the line's
}

TEST_CASE("chunk: a line is cut anywhere, and another follows it")
{
    chunk_head head;
    CHECK(head.next('1') == found::more);
    CHECK(head.next('0') == found::more);
    CHECK(head.next('\r') == found::more);
    CHECK(head.next('\n') == found::size);
    CHECK(head.size() == 16);
    CHECK(feed(head, "3;last\r\n").what == found::size);
    CHECK(head.size() == 3);
}

TEST_CASE("chunk: what says no size is counted over all lines, so that it can be bounded")
{
    chunk_head head;
    CHECK(feed(head, "3\r\n").extension == 0);
    std::size_t const one = feed(head, "3;ab=\"c d\"\r\n").extension;
    CHECK(one >= 8);
    CHECK(feed(head, "3;ab=\"c d\"\r\n").extension == 2 * one);
    CHECK(feed(head, std::string(16, '0') + "\r\n").extension == 2 * one);
    CHECK(feed(head, std::string(40, '0') + "\r\n").extension == 2 * one + 24); // zeros without end are no way around it
}

TEST_CASE("chunk: random lines are judged as the grammar has them")
{
    std::mt19937 random(7);
    std::string_view const pieces[]{"0",    "5", "a",  "F",    ";",  "=",  " ",    "\t",   "\"", "\\",
                                    "\\\"", "x", "z-", "\r\n", "\r", "\n", "\x7f", "\x80", "(",  "g"};
    int good = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string line = random() % 8 != 0 ? "5" : "";
        if (random() % 2 != 0) line += ";a";
        for (auto n = random() % 7; n > 0; --n) line += pieces[random() % std::size(pieces)];
        if (random() % 4 != 0) line += "\r\n";
        read const r = feed(line);
        std::string_view const judged = std::string_view(line).substr(0, r.bytes);
        CAPTURE(line);
        if (r.what == found::size) {
            auto const expected = by_grammar(judged);
            REQUIRE(expected.has_value());
            REQUIRE(r.size == *expected);
            ++good;
        } else if (by_grammar(line).has_value()) {
            FAIL_CHECK("the grammar has it");
        }
    }
    CHECK(good > 10'000);
}
