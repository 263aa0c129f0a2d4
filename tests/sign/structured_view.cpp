// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/detail/structured_parts.hpp>
#include <weir/sign/structured_parse.hpp>
#include <weir/sign/structured_view.hpp>
#include <weir/sign/structured_write.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sf = weir::sf;

TEST_CASE("structured view: a field is its parts, in their order, as they stand")
{
    constexpr std::string_view text = R"(sig1=("@method"  "a\"b";req);created=17;nonce="x", flag;q=1.5, n=:aGk=:)";
    std::vector<sf::part> parts;
    REQUIRE(!sf::scan_dictionary(text, parts));
    REQUIRE(parts.size() == 9);
    CHECK((parts[0].of == sf::level::member && parts[0].what == sf::kind::inner_list && parts[0].key == "sig1"));
    CHECK((parts[1].of == sf::level::element && parts[1].text == "@method" && parts[1].key == "\"@method\""));
    CHECK((parts[2].key == R"("a\"b";req)" && parts[2].has_escapes && sf::plain_text(parts[2]) == "a\"b"));
    CHECK((parts[3].of == sf::level::parameter && parts[3].what == sf::kind::boolean && parts[3].number == 1));
    CHECK((parts[4].of == sf::level::list_parameter && parts[4].key == "created" && parts[4].number == 17));
    CHECK((parts[5].of == sf::level::list_parameter && parts[5].text == "x"));
    CHECK((parts[6].of == sf::level::member && parts[6].key == "flag" && parts[6].what == sf::kind::boolean));
    CHECK((parts[7].of == sf::level::parameter && parts[7].what == sf::kind::decimal && parts[7].number == 1500));
    CHECK((parts[8].what == sf::kind::bytes && parts[8].text == "aGk="));
    for (sf::part const& p : parts) {
        CHECK((p.key.empty() || (p.key.data() >= text.data() && p.key.data() + p.key.size() <= text.data() + text.size())));
        CHECK((p.text.empty() || (p.text.data() >= text.data() && p.text.data() + p.text.size() <= text.data() + text.size())));
    }
}

TEST_CASE("structured view: the first fault is told, and what is appended stands behind what was there")
{
    std::vector<sf::part> parts;
    REQUIRE(!sf::scan_item("a", parts));
    REQUIRE(!sf::scan_list("b, c", parts));
    CHECK(parts.size() == 3);
    CHECK(parts[2].text == "c");
    auto const found = sf::scan_list("b, (c", parts);
    REQUIRE(found);
    CHECK(to_string(*found) == "character 5: expected a space or a closing parenthesis");
    CHECK(sf::scan_dictionary("a=1, a=2", parts, {.refuse_duplicate_keys = true}) == sf::fault{6, "each key once"});
    CHECK(sf::scan_item("a;b;b", parts, {.refuse_duplicate_keys = true}) == sf::fault{5, "each parameter once"});
    CHECK(sf::scan_item("aa", parts, {.max_bytes = 1}) == sf::fault{0, "a field that is not so long"});
}

TEST_CASE("structured view: the text written from parts is that written from values, for random fields")
{
    constexpr std::array<std::string_view, 34> pieces{"a",           "b",        "a=",  "b=",  "c=",    "(",         ")",
                                                      " ",           ";a",       ";b",  ";a=", ";b=",   ", ",        ", ",
                                                      "1",           "-0",       "007", "1.5", "2.50",  "?0",        "?1",
                                                      ":aGk=:",      "tok",      "*",   "@5",  "\"x\"", "\"a\\\"\"", "\"\"",
                                                      "%\"%c3%bc\"", "%\"%41\"", "\t",  "-1",  "x/y:z", "\"(\""};
    std::mt19937 random(7);
    unsigned read = 0;
    for (int i = 0; i < 200'000; ++i) {
        std::string text;
        for (std::size_t k = random() % 9 + 1; k != 0; --k) text += pieces[random() % pieces.size()];
        std::vector<sf::part> parts;
        std::string out;
        bool const good = !sf::scan_dictionary(text, parts);
        auto const values = sf::parse_dictionary(text);
        if (good) sf::detail::append_dictionary(out, parts);
        if (good != values.has_value() || (good && sf::write(*values) != out)) FAIL(i, ": dictionary ", text, " -> ", out);
        read += good;
        parts.clear();
        out.clear();
        bool const good_list = !sf::scan_list(text, parts);
        auto const list = sf::parse_list(text);
        if (good_list) sf::detail::append_list(out, parts);
        if (good_list != list.has_value() || (good_list && sf::write(*list) != out)) FAIL(i, ": list ", text, " -> ", out);
    }
    CHECK(read > 1'000);
}
