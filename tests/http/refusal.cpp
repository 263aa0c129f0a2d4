// SPDX-License-Identifier: BSL-1.0
#include <weir/http/refusal.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string_view>

using weir::http::framing_limits;
using weir::http::refusal;

namespace {

constexpr auto first = static_cast<unsigned>(refusal::none);
constexpr auto last = static_cast<unsigned>(refusal::incomplete);

} // namespace

TEST_CASE("refusal: each has a sentence of its own")
{
    std::set<std::string_view> sentences;
    for (unsigned r = first; r <= last; ++r) {
        std::string_view const sentence = to_string(static_cast<refusal>(r));
        CAPTURE(sentence);
        CHECK(sentence.size() > 10);
        CHECK(sentence.back() != '.'); // it stands within others
        CHECK(sentences.insert(sentence).second);
    }
    CHECK(sentences.size() == last + 1);
    CHECK(to_string(static_cast<refusal>(last + 1)).empty());
}

TEST_CASE("refusal: too long, too large and not understood have their own codes, all else is a bad request")
{
    auto const code = [](refusal r) { return status_of(r); };
    CHECK(code(refusal::line_too_long) == 414);
    CHECK(code(refusal::header_too_large) == 431);
    CHECK(code(refusal::too_many_fields) == 431);
    CHECK(code(refusal::body_too_large) == 413);
    CHECK(code(refusal::unknown_coding) == 501);
    CHECK(code(refusal::unsupported_version) == 505);
    int bad = 0;
    for (unsigned r = first + 1; r <= last; ++r) bad += code(static_cast<refusal>(r)) == 400;
    CHECK(bad == static_cast<int>(last) - 6);
}

TEST_CASE("refusal: the limits that nobody chose are those that RFC 9112 asks for, or more")
{
    constexpr framing_limits usual;
    CHECK(usual.line_bytes >= 8'000); // section 3
    CHECK(usual.field_bytes <= usual.header_bytes);
    CHECK(usual.line_bytes <= usual.header_bytes);
}
