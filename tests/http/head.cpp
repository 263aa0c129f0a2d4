// SPDX-License-Identifier: BSL-1.0
#include <weir/http/head.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

using namespace weir::http;
using found = message_head::found;

namespace {

constexpr std::string_view get = "GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept:  */* \r\n\r\n";
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

found read(message_head& head, std::string_view text)
{
    head.begin();
    return head.next(text);
}
refusal why(std::string_view text, message_kind kind, framing_limits const& limits = {})
{
    message_head head(limits, kind);
    CHECK(head.next(text) == found::refused);
    return head.why();
}

} // namespace

TEST_CASE("head: a request is the same wherever its bytes are cut, and what comes behind it is not read")
{
    for (std::size_t first = 0; first <= get.size(); ++first) {
        for (std::size_t second : {first, (first + get.size()) / 2}) {
            message_head head{framing_limits{}};
            head.begin();
            for (std::size_t size : {first, second})
                if (size < get.size()) REQUIRE(head.next(get.substr(0, size)) == found::more);
            std::string const whole = std::string(get) + "GARBAGE";
            REQUIRE(head.next(whole) == found::whole);
            CHECK(head.size() == get.size());
            CHECK(head.method() == "GET");
            CHECK(head.target() == "/a?b=c");
            CHECK(head.version() == 11);
            REQUIRE(head.field_count() == 2);
            CHECK(head.field_at(1).name == "Accept");
            CHECK(head.field_at(1).value == "*/*");
        }
    }
}

TEST_CASE("head: it is untouched until a byte of a message has come; empty lines before it are none")
{
    message_head head{framing_limits{}};
    head.begin();
    CHECK(head.untouched());
    CHECK(head.next("\r\n") == found::more);
    CHECK(head.untouched());
    CHECK(head.next("\r\nG") == found::more);
    CHECK_FALSE(head.untouched());
}

TEST_CASE("head: the next message knows nothing of the one before")
{
    message_head head{framing_limits{}};
    REQUIRE(read(head, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n") ==
            found::whole);
    CHECK(head.has_length());
    CHECK(head.content_length() == 7);
    CHECK(head.expects_continue());
    CHECK_FALSE(head.keep_alive());
    REQUIRE(read(head, get) == found::whole);
    CHECK_FALSE(head.has_length());
    CHECK_FALSE(head.has_body());
    CHECK_FALSE(head.expects_continue());
    CHECK(head.keep_alive());
    REQUIRE(read(head, "GET / HTTP/1.1\r\n\r\n") == found::refused);
    CHECK(head.why() == refusal::no_host); // the Host of the one before does not count
}

TEST_CASE("head: a response has a status and a reason, and wants no Host")
{
    message_head head({}, message_kind::response);
    REQUIRE(read(head, ok) == found::whole);
    CHECK(head.status() == 200);
    CHECK(head.reason() == "OK");
    CHECK(head.content_length() == 2);
    REQUIRE(read(head, "HTTP/1.0 404 \r\n\r\n") == found::whole);
    CHECK(head.status() == 404);
    CHECK(head.reason().empty());
    CHECK(head.version() == 10);
    REQUIRE(read(head, "HTTP/1.1 599\r\n\r\n") == found::whole);
    CHECK(head.status() == 599);
    for (char const* line : {"HTTP/1.1 099 No", "HTTP/1.1 600 No", "HTTP/1.1 20 No", "HTTP/1.1 2000 No", "HTTP/1.1 2x0 No",
                             "HTTP/1.1  200 No", "HTTP/1.1-200 No", "http/1.1 200 No", "HTTP/2.0 200 OK", "ICY 200 OK", "GET / HTTP/1.1"}) {
        CAPTURE(line);
        message_head other({}, message_kind::response);
        CHECK(other.next(std::string(line) + "\r\n\r\n") == found::refused);
    }
}

TEST_CASE("head: trailers are read after the body, checked, and not kept")
{
    message_head head{framing_limits{}};
    REQUIRE(read(head, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") == found::whole);
    CHECK(head.chunked());
    CHECK(head.next_trailers("Digest: a") == found::more);
    std::string_view const trailers = "Digest: abc\r\n\r\n";
    REQUIRE(head.next_trailers(trailers) == found::whole);
    CHECK(head.size() == trailers.size());
    REQUIRE(read(head, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") == found::whole);
    CHECK(head.next_trailers("Content-Length: 1\r\n\r\n") == found::refused);
    CHECK(head.why() == refusal::bad_trailer);
}

TEST_CASE("head: limits count what was sent, the line ends included; bytes behind the limit make no difference")
{
    framing_limits limits{.header_bytes = get.size()};
    message_head head{limits};
    head.begin();
    CHECK(head.next(std::string(get) + std::string(1'000, 'x')) == found::whole);
    limits.header_bytes = get.size() - 1;
    CHECK(why(std::string(get) + std::string(1'000, 'x'), message_kind::request, limits) == refusal::header_too_large);
    CHECK(why(get, message_kind::request, {.fields = 1}) == refusal::too_many_fields);
    CHECK(why(get, message_kind::request, {.line_bytes = 10}) == refusal::line_too_long);
    CHECK(why(ok, message_kind::response, {.body_bytes = 1}) == refusal::body_too_large);
}
