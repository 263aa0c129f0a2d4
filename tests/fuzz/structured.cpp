// SPDX-License-Identifier: BSL-1.0
//
// Structured fields: what is read is written in one way, and that is read as the same value. The first byte says which of the three types.
#include "must.hpp"

#include <weir/sign/content_digest.hpp>
#include <weir/sign/structured_parse.hpp>
#include <weir/sign/structured_write.hpp>

#include <optional>
#include <string>
#include <string_view>

using weir_fuzz::must;
namespace sf = weir::sf;

namespace {

template<class Parse>
void check(std::string_view text, Parse parse)
{
    auto const value = parse(text, sf::parse_options{});
    auto const strict =
        parse(text, sf::parse_options{.max_bytes = 512, .max_members = 8, .max_parameters = 2, .refuse_duplicate_keys = true});
    if (!value) {
        must(value.error().at <= text.size(), "a fault is within the text");
        must(!value.error().expected.empty(), "a fault says what was expected");
        must(strict.has_error(), "what is refused is refused by narrower limits, too");
        return;
    }
    must(strict.has_error() || *strict == *value, "narrower limits read the same, or nothing");
    std::optional<std::string> const text_of_value = sf::write(*value);
    must(text_of_value.has_value(), "what was read has a text");
    auto const again = parse(*text_of_value, sf::parse_options{});
    must(again.has_value() && *again == *value, "the canonical text is read as the same value");
    must(sf::write(*again) == text_of_value, "a value has one text");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    unsigned const type = input.number() % 4;
    std::string_view const text = input.rest();
    if (type == 0) check(text, sf::parse_item);
    if (type == 1) check(text, sf::parse_list);
    if (type == 2) check(text, sf::parse_dictionary);
    if (type == 3)
        must(weir::check_content_digest(text, "a body that no digest here is of") != weir::digest_verdict::right, "no digest is guessed");
    return 0;
}
