// SPDX-License-Identifier: BSL-1.0
#include <weir/http/framing.hpp>

#include "framed.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace weir::http;
using namespace std::literals;
using weir_tests::frame;
using weir_tests::framed;
using verdict = framed::verdict;

namespace {

/// Fed whole, byte by byte and in random pieces: one verdict for all.
framed judge(std::string_view stream, framing_limits const& limits = {})
{
    framed const whole = frame(stream, limits);
    CHECK(frame(stream, limits, 1) == whole);
    for (unsigned seed = 2; seed < 6; ++seed) CHECK(frame(stream, limits, seed) == whole);
    return whole;
}

refusal why(std::string_view stream, framing_limits const& limits = {})
{
    framed const f = judge(stream, limits);
    CHECK(f.found == verdict::reject);
    return f.why;
}

std::string with(std::string_view fields, std::string_view body = "")
{
    return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

std::string chunks(std::string_view body)
{
    return with("Transfer-Encoding: chunked\r\n", body);
}

} // namespace

TEST_CASE("framing: a request gives its method, target, version and fields, trimmed")
{
    framing f;
    std::string_view const text = "GET /a?b HTTP/1.1\r\nHost: x\r\nEmpty:\r\nName: \t a value \t\r\n\r\n";
    REQUIRE(f.next(text) == framing::event::head);
    CHECK(f.consumed() == text.size());
    CHECK(f.head().method() == "GET");
    CHECK(f.head().target() == "/a?b");
    CHECK(f.head().version() == 11);
    REQUIRE(f.head().field_count() == 3);
    CHECK(f.head().field_at(1).name == "Empty");
    CHECK(f.head().field_at(1).value.empty());
    CHECK(f.head().field_at(2).value == "a value");
    CHECK(f.head().keep_alive());
    CHECK_FALSE(f.head().has_body());
    CHECK_FALSE(f.idle());
    CHECK(f.next("") == framing::event::end);
    CHECK(f.idle());
}

TEST_CASE("framing: bodies by length and in chunks come out whole")
{
    CHECK(judge(with("Content-Length: 5\r\n", "hello")).body == "hello");
    CHECK(judge(with("Content-Length: 0005\r\n", "hello")).body == "hello");
    CHECK(judge(chunks("5\r\nhello\r\n0006\r\n world\r\n000\r\n\r\n")).body == "hello world");
    CHECK(judge(chunks("A;foo=\"bar \\\" baz\" ; x;y = z\r\n0123456789\r\n0\r\nVary: *\r\n\r\n")).body == "0123456789");
    CHECK(judge(with("transfer-ENCODING: \tChunked \r\n", "1\r\nx\r\n0\r\n\r\n")).body == "x");
}

TEST_CASE("framing: several requests in one stream follow each other")
{
    std::string const one = with("Content-Length: 2\r\n", "ab");
    framed const f = judge(one + "\r\n" + chunks("1\r\nc\r\n0\r\n\r\n") + one + "\r\n\r\n");
    CHECK(f.found == verdict::accept);
    CHECK(f.complete == 3);
    CHECK(f.body == "abcab");
    framed const g = judge(one + "GET\r\n");
    CHECK(g.found == verdict::reject);
    CHECK(g.complete == 1);
    CHECK(judge(one + "GET /").found == verdict::incomplete);
    CHECK(judge(one + "\r").found == verdict::incomplete);
    CHECK(judge("").found == verdict::incomplete);
}

TEST_CASE("framing: every prefix of a good stream is incomplete or ends between requests")
{
    std::string const stream = with("Content-Length: 2\r\n", "ab") + chunks("1;a=\"b\"\r\nc\r\n0\r\nT: v\r\n\r\n");
    for (std::size_t size = 0; size < stream.size(); ++size)
        CHECK(judge(std::string_view(stream).substr(0, size)).found != verdict::reject);
}

TEST_CASE("framing: persistence by version and Connection")
{
    auto const keeps = [](std::string_view text) {
        framing f;
        REQUIRE(f.next(text) == framing::event::head);
        return f.head().keep_alive();
    };
    CHECK(keeps("GET / HTTP/1.1\r\nHost:\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, Close\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
    CHECK(keeps("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"));
    CHECK_FALSE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"));
}

TEST_CASE("framing: 100-continue is expected only with a body and in HTTP/1.1")
{
    auto const expects = [](std::string_view text) {
        framing f;
        REQUIRE(f.next(text) == framing::event::head);
        return f.head().expects_continue();
    };
    CHECK(expects(with("Expect: 100-Continue\r\nContent-Length: 1\r\n")));
    CHECK(expects(with("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n")));
    CHECK_FALSE(expects(with("Expect: 100-continue\r\n")));
    CHECK_FALSE(expects("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"));
}

TEST_CASE("framing: request lines, RFC 9112 section 3")
{
    for (char const* line : {"GET  / HTTP/1.1",
                             " GET / HTTP/1.1",
                             "GET\t/ HTTP/1.1",
                             "GE(T / HTTP/1.1",
                             ": / HTTP/1.1",
                             "GET: / HTTP/1.1",
                             "",
                             "GET",
                             "GET ",
                             "GET /",
                             "GET / ",
                             "GET / HTTP/1.1 ",
                             "GET / HTTP/1.1 x",
                             "GET / http/1.1",
                             "GET / HTTP/11",
                             "GET / HTTP/1.",
                             "GET / HTTP/.1",
                             "GET / HTTP/1.1.1",
                             "GET / HTTP/01.1",
                             "GET / HTTP/+1.1",
                             "GET / HTTP/1,1",
                             "GET / HTTPS/1.1",
                             "GET /a b HTTP/1.1",
                             "GET HTTP/1.1",
                             "GET foo HTTP/1.1",
                             "GET * HTTP/1.1",
                             "GET a:1 HTTP/1.1",
                             "GET /\x80 HTTP/1.1",
                             "G\xc3\xbf / HTTP/1.1",
                             "GET /#f HTTP/1.1",
                             "CONNECT / HTTP/1.1",
                             "PROXY TCP4 1.2.3.4 1.2.3.4 5 6",
                             "GET / HTTP/1.1\r",
                             "GET / HTTP/1.1\rX",
                             "GET\r/ HTTP/1.1"}) {
        CAPTURE(line);
        std::string stream = line;
        stream += "\r\nHost: x\r\n\r\n";
        if (*line == '\0') stream.insert(0, "\r\n\n");
        CHECK(status_of(why(stream)) == 400);
    }
    CHECK(why("GET / HTTP/1.1\nHost: x\n\n") == refusal::bad_version);
    CHECK(why("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n") == refusal::bad_request_line);
    CHECK(why("GET\0 / HTTP/1.1\r\nHost: x\r\n\r\n"s) == refusal::bad_request_line);
    for (char const* version : {"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"}) {
        CHECK(status_of(why("GET / " + std::string(version) + "\r\nHost: x\r\n\r\n")) == 505);
    }
    CHECK(judge("-blargh / HTTP/1.0\r\n\r\n").found == verdict::accept);
    CHECK(judge("OPTIONS * HTTP/1.1\r\nHost: \r\n\r\n").found == verdict::accept);
}

TEST_CASE("framing: field lines, RFC 9112 section 5 and RFC 9110 section 5.5")
{
    for (char const* field : {"Name : v\r\n", "Name\t: v\r\n", ": v\r\n", "Name\r\n", "Na me: v\r\n", "Na(me: v\r\n", "N\xc3\xa4me: v\r\n",
                              "Name: a\rb\r\n", "Name: a\nb\r\n", "Name: a\n", "Name: a\x01\r\n", "Name: a\x07\r\n", "Name: a\x7f\r\n",
                              "\"Name\": v\r\n", "Name: v\r\r\n", "Name: v\r \r\n"}) {
        CAPTURE(field);
        CHECK(why(with(field)) == refusal::bad_field);
    }
    CHECK(why(with("Name: a\0b\r\n"s)) == refusal::bad_field);
    CHECK(why(with("Na\0me: ab\r\n"s)) == refusal::bad_field);
    CHECK(why(with("Name: v\r\n folded\r\n")) == refusal::obsolete_folding);
    CHECK(why(with("Name:\r\n\tfolded\r\n")) == refusal::obsolete_folding);
    CHECK(why("GET / HTTP/1.1\r\n Host: x\r\n\r\n") == refusal::obsolete_folding);
    CHECK(why("GET / HTTP/1.1\r\nHost: x\r\n\rX") == refusal::bad_field);
    CHECK(judge(with("X.Custom|Pipe: caf\xc3\xa9\r\n")).found == verdict::accept);
    CHECK(why(with("Content-Type: a/b\r\ncontent-type: a/b\r\n")) == refusal::repeated_field);
}

TEST_CASE("framing: Host stands once and is an authority, RFC 9112 section 3.2")
{
    auto const get = [](std::string_view fields, std::string_view version = "1.1") {
        return "GET / HTTP/" + std::string(version) + "\r\n" + std::string(fields) + "\r\n";
    };
    CHECK(why(get("")) == refusal::no_host);
    CHECK(why(get("Hosts: x\r\n")) == refusal::no_host);
    CHECK(why(get("Host: x\r\nHost: x\r\n")) == refusal::repeated_field);
    CHECK(why(get("Host: x\r\nhOST: y\r\n", "1.0")) == refusal::repeated_field);
    for (char const* host :
         {"[v1.a@b]", "[v1.a b]", "[v1.a/b:c]", "[v1 .a:b]", "[vg.a]", "[v.a]", "[v1.]", "[v1]", "a b", "a/b",      "user@a",   "a:b",
          "a:1:2",    "http://a", "[::1",       "[::1]x",    "a%4",    "a?b",   "a#b",   "a\\b", "::1", "\xc3\xa4", "a:999999", "<a>"}) {
        CAPTURE(host);
        CHECK(why(get("Host: " + std::string(host) + "\r\n")) == refusal::bad_host);
    }
    for (char const* host : {"", "a", "a:", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "[v1.a:b]", "0.0.0.0=5000", "a%41", "a_b"}) {
        CAPTURE(host);
        CHECK(judge(get("Host: " + std::string(host) + "\r\n")).found == verdict::accept);
    }
    CHECK(judge(get("", "1.0")).found == verdict::accept);
}

TEST_CASE("framing: Content-Length is one number, RFC 9112 section 6.3")
{
    for (char const* length : {"", "-1", "+1", "-0", "1 1", "0_1", "0x1", "1,1", "5, 5", "1.0", "1e3", "\xb2", "a", "1;", "\"1\""}) {
        CAPTURE(length);
        CHECK(why(with("Content-Length: " + std::string(length) + "\r\n", "x")) == refusal::bad_length);
    }
    CHECK(why(with("Content-Length: 1\r\nContent-Length: 1\r\n", "x")) == refusal::repeated_field);
    CHECK(why(with("Content-Length: 1\r\nContent-Length: 2\r\n", "x")) == refusal::repeated_field);
    for (char const* length :
         {"1048577", "18446744073709551615", "18446744073709551616", "18446744073709551617", "99999999999999999999999999"}) {
        CHECK(why(with("Content-Length: " + std::string(length) + "\r\n")) == refusal::body_too_large);
    }
}

TEST_CASE("framing: Transfer-Encoding is chunked and nothing else, RFC 9112 section 6.1")
{
    for (char const* coding :
         {"", "identity", "gzip", "xchunked", "chunkedx", "chunked, gzip", "chunked;q=1", "\"chunked\"", "chunked chunked",
          "\x0b"
          "chunked"}) {
        CAPTURE(coding);
        CHECK(status_of(why(with("Transfer-Encoding: " + std::string(coding) + "\r\n", "0\r\n\r\n"))) == 400);
    }
    CHECK(why(with("Transfer-Encoding: gzip, chunked\r\n")) == refusal::unknown_coding);
    CHECK(why(with("Transfer-Encoding: identity, chunked\r\n")) == refusal::unknown_coding);
    CHECK(why(with("Transfer-Encoding: chunked, chunked\r\n")) == refusal::unknown_coding);
    CHECK(why(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) == refusal::repeated_field);
    CHECK(why(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")) == refusal::length_and_coding);
    CHECK(why(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")) == refusal::length_and_coding);
    CHECK(why("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == refusal::bad_coding);
}

TEST_CASE("framing: chunks, RFC 9112 section 7.1")
{
    for (char const* body : {"\r\n",
                             "-5\r\nhello\r\n",
                             "+5\r\nhello\r\n",
                             " 5\r\nhello\r\n",
                             "5 \r\nhello\r\n",
                             "5\t\r\nhello\r\n",
                             "0x5\r\nhello\r\n",
                             "5_0\r\n",
                             "g\r\n",
                             ";a\r\n",
                             "5\nhello\n",
                             "5\r\nhello0\r\n",
                             "5\r\nhello\n0\r\n\r\n",
                             "5\r\nhello\rX",
                             "5\r\nhello6\r\n",
                             "5\rhello",
                             "5;\r\n",
                             "5;;\r\n",
                             "5; \r\n",
                             "5;a \r\n",
                             "5;a=\r\n",
                             "5;a= \r\n",
                             "5;=b\r\n",
                             "5;a=\"b\r\n",
                             "5;a=\"b\"c\r\n",
                             "5;a\x01\r\n",
                             "5;a=b\rc\r\n",
                             "5;a=b\nc\r\n",
                             "5;a=\"\x7f\"\r\n",
                             "5\n;\r\n",
                             "5 a\r\n",
                             "5;a b\r\n",
                             "fffffffffffffffff\r\n",
                             "10000000000000005\r\n"}) {
        CAPTURE(body);
        CHECK(why(chunks(body)) == refusal::bad_chunk);
    }
    for (char const* body : {"ffffffffffffffff\r\n", "100001\r\n", "fffff\r\n"}) {
        CAPTURE(body);
        framed const f = judge(chunks(body));
        CHECK((f.found == verdict::incomplete) == (f.why == refusal::none));
        if (std::string_view(body) != "fffff\r\n") CHECK(f.why == refusal::body_too_large);
    }
    CHECK(judge(chunks(std::string(40, '0') + "1\r\na\r\n0\r\n\r\n")).body == "a");
    CHECK(why(chunks(std::string(100, '0') + "1\r\n"), {.header_bytes = 64}) == refusal::bad_chunk);
    CHECK(why(chunks("3\r\nabc\r\n3\r\n"), {.body_bytes = 5}) == refusal::body_too_large);
    CHECK(why(chunks("1;" + std::string(70, 'a') + "\r\n"), {.header_bytes = 64}) == refusal::bad_chunk);
}

TEST_CASE("framing: a body may come in any number of small chunks")
{
    std::string body;
    for (int i = 0; i < 20'000; ++i) body += "1\r\na\r\n";
    framed const f = frame(chunks(body + "0\r\n\r\n"), {.header_bytes = 200});
    CHECK(f.found == verdict::accept);
    CHECK(f.body.size() == 20'000);
}

TEST_CASE("framing: trailers may not frame or route, RFC 9110 section 6.5.1")
{
    for (char const* trailer : {"Content-Length: 99", "Transfer-Encoding: chunked", "host: evil"}) {
        CHECK(why(chunks("0\r\n" + std::string(trailer) + "\r\n\r\n")) == refusal::bad_trailer);
    }
    CHECK(why(chunks("0\r\nA: b\r\n c\r\n\r\n")) == refusal::obsolete_folding);
    CHECK(why(chunks("0\r\nA : b\r\n\r\n")) == refusal::bad_field);
    CHECK(why(chunks("0\r\n\n")) == refusal::bad_field);
    CHECK(why(chunks("0\r\nA: b\r\nA: b\r\nA: b\r\n\r\n"), {.fields = 2}) == refusal::too_many_fields);
    CHECK(why(chunks("0\r\nA: " + std::string(100, 'b') + "\r\n\r\n"), {.header_bytes = 80}) == refusal::header_too_large);
    CHECK(judge(chunks("0\r\nVary: *\r\nContent-Type: text/plain\r\n\r\n")).found == verdict::accept);
}

TEST_CASE("framing: what is too long is refused, and just at the limit is not")
{
    std::string const line = "GET /" + std::string(50, 'a') + " HTTP/1.1\r\n";
    std::string const request = line + "Host: x\r\n\r\n";
    CHECK(judge(request, {.line_bytes = line.size()}).found == verdict::accept);
    CHECK(status_of(why(request, {.line_bytes = line.size() - 1})) == 414);
    CHECK(judge(request, {.header_bytes = request.size()}).found == verdict::accept);
    CHECK(status_of(why(request, {.header_bytes = request.size() - 1})) == 431);
    CHECK(judge(with("Name: value\r\n"), {.field_bytes = 13}).found == verdict::accept);
    CHECK(status_of(why(with("Name: value\r\n"), {.field_bytes = 12})) == 431);
    CHECK(judge(with("A: b\r\n"), {.fields = 2}).found == verdict::accept);
    CHECK(status_of(why(with("A: b\r\n"), {.fields = 1})) == 431);
    CHECK(judge(with("Content-Length: 5\r\n", "hello"), {.body_bytes = 5}).found == verdict::accept);
    CHECK(status_of(why(with("Content-Length: 5\r\n", "hello"), {.body_bytes = 4})) == 413);
    CHECK(why("GET /" + std::string(100, 'a'), {.line_bytes = 50}) == refusal::line_too_long);
    CHECK(why(std::string(64, '\r'), {.header_bytes = 64}) == refusal::bad_request_line);
}

TEST_CASE("framing: streams mutated at random have one verdict however they are cut")
{
    std::mt19937 random(20240607);
    std::string const seeds[] = {
        with("Content-Length: 5\r\nName: value\r\n", "hello"), chunks("5;a=\"b\"\r\nhello\r\n0\r\nVary: *\r\n\r\n"),
        "GET http://u@h:1/p?q=%20 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", with("Host: y\r\nTransfer-Encoding: gzip\r\n")};
    std::string_view const bytes = "\r\n\t :;,=\"%0159afGX\x00\x7f\x80-+_/"sv;
    for (int i = 0; i < 3000; ++i) {
        std::string stream = seeds[random() % 4] + seeds[random() % 2];
        for (unsigned n = random() % 4; n > 0; --n) {
            std::size_t const at = random() % stream.size();
            char const c = bytes[random() % bytes.size()];
            switch (random() % 3) {
            case 0: stream[at] = c; break;
            case 1: stream.insert(at, 1, c); break;
            default: stream.erase(at, 1); break;
            }
        }
        CAPTURE(stream);
        framing_limits const limits{.line_bytes = 40, .field_bytes = 60, .header_bytes = 90, .fields = 4, .body_bytes = 8};
        judge(stream, i % 2 == 0 ? limits : framing_limits{});
    }
}

namespace {

/// Feeds responses byte by byte, then the end of the connection; gives the bodies with their statuses, or why they are refused.
std::string responses(std::string_view stream, bool head = false, framing_limits const& limits = {})
{
    framing machine(limits, message_kind::response);
    if (head) machine.expect_no_body();
    std::string kept;
    std::string said;
    auto const take = [&](framing::event e) {
        if (e == framing::event::head) said += std::to_string(machine.head().status()) + std::string(machine.head().reason()) + "(";
        if (e == framing::event::body) said += machine.data();
        if (e == framing::event::end) said += ")";
        if (e == framing::event::refused) said += "!" + std::string(to_string(machine.why()));
        return e;
    };
    for (char c : stream) {
        kept += c;
        for (;;) {
            auto const e = take(machine.next(kept));
            kept.erase(0, machine.consumed());
            if (e == framing::event::refused) return said;
            if (e == framing::event::more) break;
        }
    }
    if (!machine.idle()) take(machine.finish());
    return said;
}

} // namespace

TEST_CASE("framing: responses end by status, method, length, chunks or with the connection, RFC 9112 section 6.3")
{
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 404\r\nContent-Length: 0\r\n\r\n") == "200OK(ab)404()");
    CHECK(responses("HTTP/1.1 100 \r\n\r\nHTTP/1.0 200 A b\r\n\r\nuntil the end") == "100()200A b(until the end)");
    CHECK(responses("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nHTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n") == "204No()304No()");
    CHECK(responses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == "200OK()");
    CHECK(responses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n0\r\nA: b\r\n\r\n") == "200OK(ab)");
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true) == "200OK()");
    CHECK(responses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true) == "200OK()");
}

TEST_CASE("framing: responses that are malformed, cut short or too large are refused")
{
    for (char const* line :
         {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1  200 OK", "HTTP/1.1 600 OK", "HTTP/1.1 099 OK", "HTTP/1.1 2a0 OK",
          "HTTP/2.0 200 OK", "HTTP/1.1200 OK", "HTTP/1.1 200OK", "ICY 200 OK", "", "HTTP/1.1 200 O\x01K"}) {
        CAPTURE(line);
        CHECK(responses(std::string(line) + "\r\nContent-Length: 0\r\n\r\n").starts_with("!"));
    }
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc") == "200OK(abc!the message ends before its end");
    CHECK(responses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na").ends_with("before its end"));
    CHECK(responses("HTTP/1.1 200 OK\r\n").ends_with("before its end"));
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na").starts_with("!"));
    CHECK(responses("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na").starts_with("!"));
    CHECK(responses("HTTP/1.1 200 OK\r\n\r\n123456", false, {.body_bytes = 5}).ends_with("too large"));
}
