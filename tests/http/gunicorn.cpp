// SPDX-License-Identifier: BSL-1.0
//
// Every request of the gunicorn project's own tests. Its two folders are gunicorn's verdicts, the RFC's differ: the tables say
// where and why. Without the files the tests report that they were skipped.
#include "gunicorn.hpp"
#include "framed.hpp"
#include "vectors.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace weir::http;
using weir_tests::frame;
using weir_tests::framed;
using namespace weir_tests::gunicorn;

TEST_CASE("gunicorn: what its folder `invalid` has is never accepted")
{
    auto const files = weir_tests::vectors("gunicorn-http/invalid");
    if (files.empty()) MESSAGE("skipped: no vectors here, set WEIR_VECTORS");
    for (auto const& [name, text] : files) {
        CAPTURE(name);
        std::string const stream = weir_tests::unescape(text);
        auto const limits = beyond_limits.find(name);
        for (unsigned cut = 0; cut < 6; ++cut) {
            framed const f = frame(stream, limits == beyond_limits.end() ? framing_limits{} : limits->second, cut);
            CHECK((f.found == framed::verdict::accept) == (name == stands_in_both));
        }
    }
}

TEST_CASE("gunicorn: what its folder `valid` has is accepted, unless RFC 9112 wants it refused")
{
    auto const files = weir_tests::vectors("gunicorn-http/valid");
    if (files.empty()) MESSAGE("skipped: no vectors here, set WEIR_VECTORS");
    for (auto const& [name, text] : files) {
        CAPTURE(name);
        std::string const stream = weir_tests::unescape(text);
        auto const refused = refused_though_valid.find(name);
        for (unsigned cut = 0; cut < 6; ++cut) {
            framed const f = frame(stream, {.line_bytes = 20'000, .fields = 200}, cut);
            CHECK((f.found == framed::verdict::accept) == (refused == refused_though_valid.end()));
        }
    }
}
