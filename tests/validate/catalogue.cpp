// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/catalogue.hpp>

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr weir::message german[] = {
    {"a value", "ein Wert"},
    {"a number from {0} to {1}", "eine Zahl von {0} bis {1}"},
    {"at most {0}", "h\xc3\xb6"
                    "chstens {0}"},
    {"at most {0} bytes", "h\xc3\xb6"
                          "chstens {0} Bytes"},
    {"{0}, which is missing", "{t0}; der Wert fehlt"},
    {"query {0}: expected {1}", "Parameter {0}: erwartet wird {t1}"},
    {"{0} of {1}", "{1}: {0}"},
};

TEST_CASE("catalogue: sentences in another language, with their values")
{
    weir::catalogue const c = weir::catalogue("en").add("de", german);
    CHECK(c.translate("de", "a value") == "ein Wert");
    CHECK(c.translate("de", "a number from 1 to 100") == "eine Zahl von 1 bis 100");
    CHECK(c.translate("DE", "at most 5 bytes") == "h\xc3\xb6"
                                                  "chstens 5 Bytes");
    CHECK(c.translate("de", "at most 5") == "h\xc3\xb6"
                                            "chstens 5");
    CHECK(c.translate("de", "a number from 1 to 9, which is missing") == "eine Zahl von 1 bis 9; der Wert fehlt");
    CHECK(c.translate("de", "query limit: expected a number from 1 to 9, which is missing") ==
          "Parameter limit: erwartet wird eine Zahl von 1 bis 9; der Wert fehlt");
    CHECK(c.translate("de", "3 of 5") == "5: 3");
    CHECK(c.translate("de", "something else") == "something else");
    CHECK(c.translate("de", "a number from  to ") == "a number from  to ");
    CHECK(c.translate("fr", "a value") == "a value");
    CHECK(c.translate("en", "a value") == "a value");
}

TEST_CASE("catalogue: the language that is asked for, or the fallback")
{
    weir::catalogue c("en");
    c.add("de", german).add("fr-CA", std::array{weir::message{"a value", "une valeur"}});
    CHECK(c.languages() == std::vector<std::string_view>{"en", "de", "fr-CA"});
    CHECK(c.choose("fr-CA, de;q=0.5") == "fr-CA");
    CHECK(c.choose("de-AT, en") == "de");
    CHECK(c.choose("it") == "en");
    CHECK(c.choose("") == "en");
    c.add("de", std::array{weir::message{"a value", "irgendein Wert"}});
    CHECK(c.translate("de", "a value") == "irgendein Wert");
    CHECK(c.languages().size() == 3);
}

TEST_CASE("catalogue: bad sentences are refused by their id, and none of them is added")
{
    weir::catalogue c;
    auto const refused = [&](weir::message m) {
        CHECK_THROWS_AS(c.add("de", std::array{weir::message{"good", "gut"}, m}), std::invalid_argument);
        CHECK(c.translate("de", "good") == "good");
    };
    refused({"a {1}", "b"});
    refused({"a {0} {0}", "b"});
    refused({"a {0}{1}", "b"});
    refused({"a {t0}", "b"});
    refused({"{0}", "b"});
    refused({"", "b"});
    refused({"a {0}", "{1}"});
    refused({"a", "{0}"});
    CHECK_THROWS_AS(c.add("d e", german), std::invalid_argument);
    CHECK_THROWS_AS(c.add("*", german), std::invalid_argument);
    CHECK_THROWS_AS(weir::catalogue("*"), std::invalid_argument);
    CHECK_THROWS_WITH_AS(c.add("de", std::array{weir::message{"a {0}", "{2}"}}),
                         "a {0}: expected a translation with no other values than the id", std::invalid_argument);
}

TEST_CASE("catalogue: seeded sentences that are made of an id are told in the other order")
{
    std::mt19937_64 draw(4);
    std::array const reversing{weir::message{"the {0} is over {1} and not under {2}", "{2}|{1}|{0}"}};
    weir::catalogue const c = weir::catalogue().add("de", reversing);
    auto const word = [&] {
        std::string text;
        for (auto n = 1 + draw() % 6; n > 0; --n) text += "abc 1{}"[draw() % 7];
        return text;
    };
    for (int round = 0; round < 20'000; ++round) {
        std::string const a = word(), b = word(), d = word();
        if (a.find(" is over ") != std::string::npos || b.find(" and not under ") != std::string::npos) continue;
        REQUIRE(c.translate("de", "the " + a + " is over " + b + " and not under " + d) == d + '|' + b + '|' + a);
    }
}

} // namespace
