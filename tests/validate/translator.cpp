// SPDX-License-Identifier: BSL-1.0
#include <weir/validate/translator.hpp>

#include <weir/validate/catalogue.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace {

/// Says everything louder, in the one language it has.
class loud final : public weir::translator {
public:
    [[nodiscard]] std::string_view choose(std::string_view) const override { return "en-shouted"; }
    [[nodiscard]] std::string translate(std::string_view language, std::string_view sentence) const override
    {
        return std::string(sentence) + (language == "en-shouted" ? "!" : "");
    }
};

TEST_CASE("translator: a catalogue is one, and so is what somebody writes himself")
{
    constexpr weir::message german[] = {{"expected {0}", "erwartet wird {0}"}};
    std::shared_ptr<weir::translator const> one = std::make_shared<weir::catalogue const>(weir::catalogue("en").add("de", german));
    CHECK(one->choose("de, en;q=0.5") == "de");
    CHECK(one->translate("de", "expected 7") == "erwartet wird 7");
    CHECK(one->translate("fr", "expected 7") == "expected 7");
    one = std::make_shared<loud const>();
    CHECK(one->translate(one->choose("de"), "expected 7") == "expected 7!");
}

} // namespace
