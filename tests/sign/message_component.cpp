// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/message_component.hpp>

#include "raw_message.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using weir::message_component;
using weir_tests::raw_request;
using weir_tests::raw_response;

namespace {

constexpr char const* refused = "refused";

template<class M>
std::string line(std::string_view component, M const& m, raw_request const* request = nullptr)
{
    std::string base;
    std::optional<weir::message_view> asked;
    if (request != nullptr) asked.emplace(*request);
    if (!message_component(component).append_line(base, weir::message_view(m), asked ? &*asked : nullptr)) return refused;
    return base;
}

raw_request request(std::string target, raw_request::lines fields = {{"Host", "www.example.com"}})
{
    raw_request r;
    r.method = "POST";
    r.target = std::move(target);
    r.fields = std::move(fields);
    return r;
}

} // namespace

TEST_CASE("message_component: the derived ones of RFC 9421, section 2.2")
{
    raw_request const r = request("/path?param=value");
    CHECK(line("@method", r) == "\"@method\": POST\n");
    CHECK(line("@target-uri", r) == "\"@target-uri\": https://www.example.com/path?param=value\n");
    CHECK(line("@authority", r) == "\"@authority\": www.example.com\n");
    CHECK(line("@scheme", r) == "\"@scheme\": https\n");
    CHECK(line("@request-target", r) == "\"@request-target\": /path?param=value\n");
    CHECK(line("@path", r) == "\"@path\": /path\n");
    CHECK(line("@query", r) == "\"@query\": ?param=value\n");
    CHECK(line("@query", request("/path")) == "\"@query\": ?\n");
    CHECK(line("@query", request("/path?queryString")) == "\"@query\": ?queryString\n");
    CHECK(line("@status", r) == refused);
    raw_response a;
    CHECK(line("@status", a) == "\"@status\": 200\n");
    CHECK(line("@method", a) == refused);
    CHECK(line("@method;req", a, &r) == "\"@method\";req: POST\n");
    CHECK(line("@method;req", a) == refused);
    CHECK(line("@method;req", r, &r) == refused);
}

TEST_CASE("message_component: other forms of targets")
{
    raw_request const absolute = request("HTTP://User@WWW.Example.com:80?x", {{"Host", "other"}});
    CHECK(line("@target-uri", absolute) == "\"@target-uri\": http://www.example.com/?x\n");
    CHECK(line("@authority", absolute) == "\"@authority\": www.example.com\n");
    CHECK(line("@scheme", absolute) == "\"@scheme\": http\n");
    CHECK(line("@path", absolute) == "\"@path\": /\n");
    CHECK(line("@request-target", absolute) == "\"@request-target\": HTTP://User@WWW.Example.com:80?x\n");
    raw_request const asterisk = request("*");
    CHECK(line("@target-uri", asterisk) == "\"@target-uri\": https://www.example.com\n");
    CHECK(line("@request-target", asterisk) == "\"@request-target\": *\n");
    raw_request const tunnel = request("www.example.com:80");
    CHECK(line("@request-target", tunnel) == "\"@request-target\": www.example.com:80\n");
    CHECK(line("@authority", tunnel) == "\"@authority\": www.example.com:80\n");
    CHECK(line("@path", request("/a/../b//c/%2e%2E/;p?")) == "\"@path\": /a/../b//c/%2e%2E/;p\n"); // as it came: nothing is normalised
}

TEST_CASE("message_component: the authority is in lower case and without the default port")
{
    auto const authority = [](std::string host) { return line("@authority", request("/", {{"host", std::move(host)}})); };
    CHECK(authority("WWW.Example.Com:443") == "\"@authority\": www.example.com\n");
    CHECK(authority("www.example.com:80") == "\"@authority\": www.example.com:80\n");
    CHECK(authority("www.example.com:") == "\"@authority\": www.example.com\n");
    CHECK(authority("[2001:DB8::1]") == "\"@authority\": [2001:db8::1]\n");
    CHECK(authority("[2001:DB8::1]:443") == "\"@authority\": [2001:db8::1]\n");
    CHECK(authority("") == refused);
    CHECK(line("@authority", request("/", {})) == refused);
    CHECK(line("@authority", request("/", {{"host", "a"}, {"host", "a"}})) == refused);
}

TEST_CASE("message_component: query parameters are encoded anew, and stand once")
{
    raw_request const r =
        request("/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something&e&x=%zz~");
    CHECK(line("@query-param;name=\"var\"", r) == "\"@query-param\";name=\"var\": this%20is%20a%20big%0Amultiline%20value\n");
    CHECK(line("@query-param;name=\"bar\"", r) == "\"@query-param\";name=\"bar\": with%20plus%20whitespace\n");
    CHECK(line("@query-param;name=\"fa%C3%A7ade%22%3A%20\"", r) == "\"@query-param\";name=\"fa%C3%A7ade%22%3A%20\": something\n");
    CHECK(line("@query-param;name=\"e\"", r) == "\"@query-param\";name=\"e\": \n");
    CHECK(line("@query-param;name=\"x\"", r) == "\"@query-param\";name=\"x\": %25zz%7E\n");
    CHECK(line("@query-param;name=\"absent\"", r) == refused);
    CHECK(line("@query-param;name=\"a\"", request("/?a=1&b=2&a=1")) == refused);
    CHECK(line("@query-param;name=\"a\"", request("/?a=1&%61=2")) == refused);
    CHECK(line("@query-param;name=\"a\"", request("/?a=%ff")) == refused);
}

TEST_CASE("message_component: fields as in RFC 9421, section 2.1")
{
    raw_request const r = request("/", {{"Host", "www.example.com"},
                                        {"X-OWS-Header", "   Leading and trailing whitespace.\t "},
                                        {"X-Obs-Fold-Header", " Obsolete \r\n    line folding."},
                                        {"Cache-Control", "max-age=60"},
                                        {"Cache-Control", "    must-revalidate"},
                                        {"Example-Dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c)"},
                                        {"X-Empty-Header", ""},
                                        {"X-Latin", "caf\xe9"}});
    CHECK(line("host", r) == "\"host\": www.example.com\n");
    CHECK(line("x-ows-header", r) == "\"x-ows-header\": Leading and trailing whitespace.\n");
    CHECK(line("x-obs-fold-header", r) == "\"x-obs-fold-header\": Obsolete line folding.\n");
    CHECK(line("cache-control", r) == "\"cache-control\": max-age=60, must-revalidate\n");
    CHECK(line("x-empty-header", r) == "\"x-empty-header\": \n");
    CHECK(line("example-dict", r) == "\"example-dict\": a=1,    b=2;x=1;y=2,   c=(a   b   c)\n");
    CHECK(line("example-dict;sf", r) == "\"example-dict\";sf: a=1, b=2;x=1;y=2, c=(a b c)\n");
    CHECK(line("example-dict;key=\"a\"", r) == "\"example-dict\";key=\"a\": 1\n");
    CHECK(line("example-dict;key=\"b\"", r) == "\"example-dict\";key=\"b\": 2;x=1;y=2\n");
    CHECK(line("example-dict;key=\"c\"", r) == "\"example-dict\";key=\"c\": (a b c)\n");
    CHECK(line("example-dict;key=\"d\"", r) == refused);
    CHECK(line("x-ows-header;sf", r) == refused);
    CHECK(line("x-absent", r) == refused);
    CHECK(line("x-latin", r) == refused);
    CHECK(line("x-latin;bs", r) == "\"x-latin\";bs: :Y2Fm6Q==:\n");
}

TEST_CASE("message_component: lines as bytes, so that a comma inside is not one between")
{
    raw_request const two = request("/", {{"Example-Header", "value, with, lots"}, {"Example-Header", "of, commas"}});
    raw_request const one = request("/", {{"Example-Header", "value, with, lots, of, commas"}});
    CHECK(line("example-header", two) == line("example-header", one));
    CHECK(line("example-header;bs", two) == "\"example-header\";bs: :dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:\n");
    CHECK(line("example-header;bs", one) == "\"example-header\";bs: :dmFsdWUsIHdpdGgsIGxvdHMsIG9mLCBjb21tYXM=:\n");
}

TEST_CASE("message_component: trailers are no headers")
{
    raw_request r = request("/");
    r.trailers = {{"Expires", "Wed, 9 Nov 2022 07:28:00 GMT"}};
    CHECK(line("expires;tr", r) == "\"expires\";tr: Wed, 9 Nov 2022 07:28:00 GMT\n");
    CHECK(line("expires", r) == refused);
    CHECK(line("host;tr", r) == refused);
}

TEST_CASE("message_component: a value never makes a line of its own")
{
    for (char const* const value : {"1\n\"@method\": DELETE", "1\r\n\"@method\": DELETE", "a\rb", "a\x7f"}) {
        CHECK(line("x-a", request("/", {{"x-a", value}})) == refused);
    }
    CHECK(line("@path", request("/\n\"@method\": DELETE")) == refused);
    CHECK(line("@authority", request("/", {{"host", "a\nb"}})) == refused);
}

TEST_CASE("message_component: what is none is refused")
{
    for (char const* const text :
         {"", "@unknown", "@signature-params", "Content-Type", "a b", "@method;sf", "@query-param", "@method;name=\"x\"", "x;unknown",
          "x;sf=?0", "x;bs;sf", "x;bs;key=\"a\"", "x;key=a", "@status;req", "x;req;req", "x;sf=1", "\"x", "@path;bs"}) {
        CHECK_THROWS_AS_MESSAGE(message_component{text}, std::invalid_argument, text);
    }
    CHECK(message_component("x;req;sf").same_as(message_component("\"x\";sf;req")));
    CHECK(message_component("x;req;sf").identifier() == "\"x\";req;sf");
    CHECK(!message_component("x").same_as(message_component("x;req")));
    CHECK(message_component("x;sf").covers(message_component("x")));
    CHECK(message_component("x;bs").covers(message_component("x")));
    CHECK(!message_component("x;key=\"a\"").covers(message_component("x")));
    CHECK(!message_component("x;tr").covers(message_component("x")));
    CHECK(!message_component("x;req").covers(message_component("x")));
    CHECK(!message_component("@query-param;name=\"a\"").covers(message_component("@query")));
}
