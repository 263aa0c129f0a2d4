// SPDX-License-Identifier: BSL-1.0
#include <weir/http/grammar.hpp>

#include <doctest/doctest.h>

#include <cctype>
#include <string>
#include <string_view>

namespace {

using weir::http::detail::in;
namespace d = weir::http::detail;

bool one_of(unsigned c, std::string_view characters)
{
    return c < 0x80 && c != 0 && characters.find(static_cast<char>(c)) != std::string_view::npos;
}
bool alphanumeric(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

TEST_CASE("grammar: each class has the bytes of its RFC's rule and no others")
{
    for (unsigned c = 0; c < 256; ++c) {
        CAPTURE(c);
        auto const is = [c](in kind) { return d::is(kind, static_cast<char>(c)); };
        bool const unreserved = alphanumeric(c) || one_of(c, "-._~");
        bool const sub_delimiter = one_of(c, "!$&'()*+,;=");
        bool const visible = c > 0x20 && c < 0x7f;
        CHECK(is(in::token) == (visible && !one_of(c, "\"(),/:;<=>?@[\\]{}")));
        CHECK(is(in::value) == (visible || c == ' ' || c == '\t' || c >= 0x80));
        CHECK(is(in::quotable) == is(in::value));
        CHECK(is(in::host) == (unreserved || sub_delimiter));
        CHECK(is(in::path) == (unreserved || sub_delimiter || one_of(c, ":@/")));
        CHECK(is(in::query) == (is(in::path) || one_of(c, "?[]{}|\\^`")));
        CHECK(is(in::digit) == (c >= '0' && c <= '9'));
        CHECK(is(in::hex) == (c < 0x80 && std::isxdigit(static_cast<int>(c)) != 0));
    }
}

TEST_CASE("grammar: digits have their values, names no case")
{
    std::string_view const digits = "0123456789abcdef";
    for (unsigned i = 0; i < 16; ++i) {
        CHECK(d::hex_value(digits[i]) == i);
        CHECK(d::hex_value(static_cast<char>(std::toupper(digits[i]))) == i);
    }
    CHECK(d::equals("Content-LENGTH", "content-length"));
    CHECK_FALSE(d::equals("content-lengt", "content-length"));
    CHECK_FALSE(d::equals("content_length", "content-length"));
    CHECK_FALSE(d::equals("\xe4", "\xc4")); // ASCII only
    for (int c = 0; c < 256; ++c) {
        char const folded = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
        CHECK(d::lower(static_cast<char>(c)) == folded);
    }
}

TEST_CASE("grammar: lists are cut at commas, blanks and empty elements ignored")
{
    CHECK(d::trim(" \t a b\t ") == "a b");
    CHECK(d::trim(" \t ").empty());
    CHECK(d::has_element("close", "close"));
    CHECK(d::has_element("keep-alive ,\tClose", "close"));
    CHECK(d::has_element(",, close,", "close"));
    CHECK_FALSE(d::has_element("closed, enclose", "close"));
    CHECK_FALSE(d::has_element("clo,se", "close"));
    CHECK_FALSE(d::has_element("", "close"));
}

TEST_CASE("grammar: what is encoded is a percent sign and two digits")
{
    CHECK(d::all_or_encoded(in::path, "/a%2Fb%00"));
    CHECK(d::all_or_encoded(in::path, ""));
    for (char const* bad : {"%", "%4", "/a%4", "%g0", "%0g", "% 4", "a b", "%%41"}) {
        CAPTURE(bad);
        CHECK_FALSE(d::all_or_encoded(in::path, bad));
    }
}

TEST_CASE("grammar: an authority is a host, and a port if it is wanted")
{
    for (char const* good : {"", "a", "a.b-c_d", "127.0.0.1", "[::1]", "[2001:db8::7.8.9.10]", "[v1.x:y]", "a%20b"}) {
        CAPTURE(good);
        CHECK(d::is_authority(good));
        CHECK(d::is_authority(std::string(good) + ":80"));
        CHECK(d::is_authority(std::string(good) + ":"));
        CHECK_FALSE(d::is_authority(good, true));
        CHECK(d::is_authority(std::string(good) + ":80", true) == (*good != '\0'));
        CHECK_FALSE(d::is_authority(std::string(good) + ":", true));
    }
    for (char const* bad : {"a b", "a/b", "user@a", "[::1", "::1", "[]", "[g::1]", "[v1:x]", "[v.x]", "[v1.]", "[v1.a/b]", "[1.2.3.4]",
                            "a:port", "a:80:80", "a:123456", "[::1]x"}) {
        CAPTURE(bad);
        CHECK_FALSE(d::is_authority(bad));
    }
}
