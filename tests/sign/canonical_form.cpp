// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/canonical_form.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

struct source {
    std::string a, b;
};
struct part_a {
    static bool append(std::string& text, source& s) { return text += s.a + "\n", !s.a.empty(); }
};
struct part_b {
    static bool append(std::string& text, source& s) { return text += s.b + "\n", !s.b.empty(); }
};
struct no_part {};
static_assert(weir::canonical_part<part_a, source> && !weir::canonical_part<no_part, source>);

} // namespace

TEST_CASE("canonical_form: its parts in their order, all of them, and whether each was there")
{
    source s{"1", "2"};
    std::string text = "begin\n";
    CHECK(weir::canonical_form<part_a, part_b, part_a>::append(text, s));
    CHECK(text == "begin\n1\n2\n1\n");
    s.a.clear();
    text.clear();
    CHECK(!weir::canonical_form<part_a, part_b>::append(text, s));
    CHECK(text == "\n2\n");
    text.clear();
    CHECK(weir::canonical_form<>::append(text, s));
    CHECK(text.empty());
}
