// SPDX-License-Identifier: BSL-1.0
//
// The strict reader, against Boost.JSON's document of the same text: what is read is what stands there, and what is refused is no JSON, has a
// member twice, a number out of range, or is beyond a limit. The first byte says which limits; the rest is the text.
#include "must.hpp"

#include <weir/validate/strict_json.hpp>

#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

using weir_fuzz::must;
namespace json = boost::json;

namespace {

/// What of a document the strict reader has a word about.
struct facts {
    std::size_t values = 0, members = 0;
    bool odd_number = false; // one that is no integer of 64 bits with sign

    explicit facts(json::value const& v) { add(v); }

private:
    void add(json::value const& v)
    {
        ++values;
        odd_number = odd_number || v.is_uint64() || v.is_double();
        if (v.is_array())
            for (auto const& each : v.get_array()) add(each);
        if (v.is_object())
            for (auto const& each : v.get_object()) {
                ++members;
                add(each.value());
            }
    }
};

/// How many members the text has, one that stands there twice counted twice: each has a colon.
std::size_t colons_of(std::string_view text)
{
    std::size_t count = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (in_string && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            in_string = !in_string;
        else
            count += !in_string && text[i] == ':';
    }
    return count;
}

void check_same(weir::json_view read, json::value const& v)
{
    using enum weir::json_view::kind;
    switch (read.what()) {
    case null: return must(v.is_null(), "null stands there");
    case boolean: return must(v.is_bool() && v.get_bool() == read.boolean(), "the same boolean stands there");
    case text:
        return must(v.is_string() && std::string_view(v.get_string().data(), v.get_string().size()) == read.text(),
                    "the same text stands there");
    case integer:
        // A minus sign and a zero are a double to one, and an integer to the other.
        return must(v.is_int64() ? v.get_int64() == read.integer() : v.is_double() && v.get_double() == 0 && read.integer() == 0,
                    "the same integer stands there");
    case real: {
        // Boost.JSON's doubles are near, but not where an exponent is large: 0e400 is none to it.
        double const own = *read.number(), size = std::abs(own);
        bool const near = v.is_number() && std::abs(v.to_number<double>() - own) <= 1e-9 * size;
        return must(near || size < 1e-200 || size > 1e200, "the same number stands there");
    }
    case list: {
        must(v.is_array() && v.get_array().size() == read.size(), "as many elements stand there");
        std::size_t i = 0;
        for (weir::json_view each : read) check_same(each, v.get_array()[i++]);
        return must(i == read.size(), "all elements are met");
    }
    case object: {
        must(v.is_object() && v.get_object().size() == read.size(), "as many members stand there");
        std::size_t i = 0;
        for (weir::json_view each : read) {
            auto const* const found = v.get_object().if_contains({each.name().data(), each.name().size()});
            must(found != nullptr, "a member of that name stands there");
            check_same(each, *found);
            check_same(read[each.name()], *found);
            ++i;
        }
        return must(i == read.size(), "all members are met");
    }
    case none: break;
    }
    must(false, "a value is there");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    constexpr weir::strict_json_limits all[] = {{}, {.bytes = 60}, {.levels = 3}, {.values = 8}, {.levels = 64}};
    weir::strict_json_limits const& limits = all[input.number() % std::size(all)];
    std::string_view const text = input.rest();
    weir::strict_json read;
    auto const fault = read.read(text, limits);
    must(bool(read.root()) == (fault == weir::strict_json_fault::none), "there is a value if there is no fault");

    json::parse_options rules;
    rules.max_depth = limits.levels;
    json::error_code failed;
    json::value const document = json::parse({text.data(), text.size()}, failed, {}, rules);
    if (failed == json::error::exponent_overflow) return 0; // which is grammar all the same
    if (fault == weir::strict_json_fault::none) {
        must(!failed, "what is read is JSON");
        must(facts(document).members == colons_of(text), "no member stands there twice");
        check_same(read.root(), document);
        return 0;
    }
    if (failed) return 0;
    using enum weir::strict_json_fault;
    facts const f(document);
    switch (fault) {
    case too_long: must(text.size() > limits.bytes, "it is too long"); break;
    case too_many: must(f.values > limits.values || f.members != colons_of(text), "there are too many values"); break;
    case number: must(f.odd_number || f.members != colons_of(text), "a number is out of range"); break;
    case duplicate_member: must(f.members != colons_of(text), "a member stands there twice"); break;
    default: must(false, "what Boost.JSON reads is refused for a reason");
    }
    return 0;
}
