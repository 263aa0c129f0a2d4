// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/accept_language.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

namespace {

constexpr std::array<std::string_view, 5> there{"en", "de", "fr", "pt-BR", "zh-Hant"};

constexpr std::string_view chosen(std::string_view field)
{
    return weir::choose_language(field, there, "en");
}
static_assert(chosen("de") == "de");

TEST_CASE("accept_language: the first by quality that is there, shortened until it is")
{
    CHECK(chosen("") == "en");
    CHECK(chosen("*") == "en");
    CHECK(chosen("de-CH") == "de");
    CHECK(chosen("DE-de-1996") == "de");
    CHECK(chosen("it, fr;q=0.5, de;q=0.8") == "de");
    CHECK(chosen("fr ; q=0.5 , de;q=0.50") == "fr");
    CHECK(chosen("zh-Hant-CN-x-private1-private2") == "zh-Hant"); // RFC 4647 section 3.4
    CHECK(chosen("zh-Hant-x") == "zh-Hant");
    CHECK(chosen("zh") == "en");
    CHECK(chosen("pt-br") == "pt-BR");
    CHECK(chosen("pt") == "en");
    CHECK(chosen("it, *;q=0.9, fr;q=0.1") == "fr");
}

TEST_CASE("accept_language: quality 0 is never chosen")
{
    CHECK(chosen("de;q=0, fr;q=0.1") == "fr");
    CHECK(chosen("de;q=0") == "en");
    CHECK(chosen("de-CH, de;q=0, fr;q=0.2") == "fr");
    CHECK(chosen("de;q=0.000, fr") == "fr");
}

TEST_CASE("accept_language: what is malformed is passed over")
{
    for (std::string_view wrong : {"de;q=2", "de;q=1.5", "de;q=0.1234", "de;q=", "de;x=1", "d e", "de_DE", "toolonglanguage", "de--CH",
                                   "1de", "de;q=.5", "de;q=-1", ";q=1", ",,", "-", "\xc3\xa4"}) {
        CHECK_MESSAGE(chosen(wrong) == "en", wrong);
        std::string const more = std::string(wrong) + ", fr";
        CHECK_MESSAGE(chosen(more) == "fr", more);
    }
    std::string many;
    for (int i = 0; i < 32; ++i) many += "it,";
    CHECK(chosen(many + "fr") == "en");
    CHECK(chosen(std::string(100'000, ',') + "fr") == "fr");
}

} // namespace
