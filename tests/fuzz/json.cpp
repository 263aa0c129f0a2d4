// SPDX-License-Identifier: BSL-1.0
//
// The JSON reader, against Boost.JSON's document of the same text: what is read is what stands there, and it is read exactly if the
// document has the form of the struct, no member twice, and keeps the limits. The first byte says which limits; the rest is the text.
#include "must.hpp"

#include <weir/validate/read_json.hpp>
#include <weir/validate/write_json.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using weir_fuzz::must;
namespace json = boost::json;

namespace {

enum class side { buy, sell };
BOOST_DESCRIBE_ENUM(side, buy, sell)

struct leg {
    std::string symbol;
    std::int8_t count = 0;
    std::optional<double> limit;
    friend bool operator==(leg const&, leg const&) = default;
};
BOOST_DESCRIBE_STRUCT(leg, (), (symbol, count, limit))

struct order {
    std::optional<std::string> id;
    std::optional<std::uint64_t> total;
    std::optional<std::int64_t> change;
    std::optional<double> price;
    std::optional<bool> urgent;
    std::optional<side> way;
    std::optional<std::vector<leg>> legs;
    std::optional<std::array<std::uint16_t, 2>> pair;
    std::optional<std::map<std::string, std::vector<std::int32_t>>> by;
    std::optional<std::vector<bool>> flags;
    friend bool operator==(order const&, order const&) = default;
};
BOOST_DESCRIBE_STRUCT(order, (), (id, total, change, price, urgent, way, legs, pair, by, flags))

// Whether a value of a document is one of a C++ type, and the same as what was read.
bool is(json::value const& v, std::string const& s, bool compare)
{
    return v.is_string() && (!compare || v.get_string() == s);
}
bool is(json::value const& v, bool b, bool compare)
{
    return v.is_bool() && (!compare || v.get_bool() == b);
}
bool is(json::value const& v, side s, bool compare)
{
    bool const buy = v.is_string() && v.get_string() == "buy";
    if (!buy && !(v.is_string() && v.get_string() == "sell")) return false;
    return !compare || buy == (s == side::buy);
}
template<std::integral T>
bool is(json::value const& v, T n, bool compare)
{
    if (!v.is_int64() && !v.is_uint64()) return false;
    auto const wide = v.is_int64() ? static_cast<__int128>(v.get_int64()) : static_cast<__int128>(v.get_uint64());
    if (wide < static_cast<__int128>(std::numeric_limits<T>::min()) || wide > static_cast<__int128>(std::numeric_limits<T>::max()))
        return false;
    return !compare || wide == static_cast<__int128>(n);
}
bool is(json::value const& v, double d, bool compare)
{
    if (!v.is_number()) return false;
    double const parsed = v.to_number<double>();
    double const near = std::isnan(parsed) ? 0 : parsed; // Boost.JSON makes 0 times infinity of `0E400`
    if (!std::isfinite(near)) return false;
    // The document's numbers may be off by the last bits.
    return !compare || std::abs(near - d) <= 1e-12 * std::abs(near) + std::numeric_limits<double>::min();
}
template<class T>
bool is(json::value const& v, std::vector<T> const& list, bool compare)
{
    if (!v.is_array() || (compare && v.get_array().size() != list.size())) return false;
    for (std::size_t i = 0; i < v.get_array().size(); ++i)
        if (!is(v.get_array()[i], compare ? static_cast<T>(list[i]) : T{}, compare)) return false;
    return true;
}
bool is(json::value const& v, std::array<std::uint16_t, 2> const& pair, bool compare)
{
    return v.is_array() && v.get_array().size() == 2 && is(v.get_array()[0], pair[0], compare) && is(v.get_array()[1], pair[1], compare);
}
bool is(json::value const& v, std::map<std::string, std::vector<std::int32_t>> const& map, bool compare)
{
    if (!v.is_object() || (compare && v.get_object().size() != map.size())) return false;
    return std::ranges::all_of(v.get_object(), [&](auto const& member) {
        auto const at = map.find(std::string(std::string_view(member.key())));
        return compare ? at != map.end() && is(member.value(), at->second, true) : is(member.value(), std::vector<std::int32_t>{}, false);
    });
}
template<class T>
bool is(json::value const& v, std::optional<T> const& some, bool compare)
{
    if (v.is_null()) return !compare || !some;
    return (!compare || some) && is(v, some ? *some : T{}, compare);
}
/// Reads members one after the other and counts those that the object has.
struct members {
    json::object const& object;
    bool compare;
    std::size_t found = 0;
    bool good = true;

    template<class T>
    members& optional(char const* name, std::optional<T> const& some)
    {
        auto const* const v = object.if_contains(name);
        found += v != nullptr;
        good = good && (v != nullptr ? is(*v, some, compare) : !compare || !some);
        return *this;
    }
    template<class T>
    members& required(char const* name, T const& value)
    {
        auto const* const v = object.if_contains(name);
        found += v != nullptr;
        good = good && v != nullptr && is(*v, value, compare);
        return *this;
    }
    bool all(bool others) const { return good && (others || found == object.size()); }
};
bool is(json::value const& v, leg const& l, bool compare)
{
    if (!v.is_object()) return false;
    return members{v.get_object(), compare}.required("symbol", l.symbol).required("count", l.count).optional("limit", l.limit).all(false);
}
bool is(json::value const& v, order const& o, bool compare)
{
    if (!v.is_object()) return false;
    members m{v.get_object(), compare};
    m.optional("id", o.id).optional("total", o.total).optional("change", o.change).optional("price", o.price).optional("urgent", o.urgent);
    m.optional("way", o.way).optional("legs", o.legs).optional("pair", o.pair).optional("by", o.by).optional("flags", o.flags);
    return m.all(false);
}

std::size_t values_of(json::value const& v)
{
    std::size_t count = 1;
    if (v.is_array())
        for (auto const& each : v.get_array()) count += values_of(each);
    if (v.is_object())
        for (auto const& each : v.get_object()) count += values_of(each.value());
    return count;
}
std::size_t members_of(json::value const& v)
{
    std::size_t count = 0;
    if (v.is_array())
        for (auto const& each : v.get_array()) count += members_of(each);
    if (v.is_object())
        for (auto const& each : v.get_object()) count += 1 + members_of(each.value());
    return count;
}
/// How many members a document's text has, those that stand there twice counted twice: it is JSON, so each has a colon.
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

void check(std::string_view text, weir::json_options const& options)
{
    order o;
    weir::violations const wrong = weir::read_json(text, o, options);
    must(wrong.list.size() <= weir::violations::most, "faults are bounded");
    for (weir::violation const& v : wrong.list) {
        must(v.where == "body" && !v.expected.empty(), "a fault says what was expected");
        must(v.name.empty() || v.name.starts_with('/'), "a fault is told by a pointer");
    }

    json::parse_options rules;
    rules.max_depth = options.levels;
    json::error_code failed;
    json::value const document = json::parse({text.data(), text.size()}, failed, {}, rules);
    bool const good = !failed && text.size() <= options.bytes && values_of(document) <= options.values &&
                      colons_of(text) == members_of(document) && is(document, o, false);
    must(wrong.empty() == good, "a text is read if it is a document of that form");
    if (!good) return;
    must(is(document, o, true), "what is read stands in the document");

    std::string again;
    must(weir::write_json(o, again).has_value(), "what was read can be written");
    order other;
    must(weir::read_json(again, other, {}).empty(), "what was written can be read");
    must(other == o, "it is the same again");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    constexpr weir::json_options options[] = {
        {}, {.bytes = 100}, {.levels = 3}, {.values = 12}, {.bytes = 200, .levels = 4, .values = 30}, {.levels = 1}};
    unsigned const choice = input.number();
    std::string const text(input.rest());
    check(text, options[choice % std::size(options)]);

    // With unknown members passed over, all that was taken is taken.
    order strict, lenient;
    bool const taken = weir::read_json(text, strict, {}).empty();
    if (taken) must(weir::read_json(text, lenient, {.ignore_unknown_members = true}).empty(), "to be lenient takes no less");
    if (taken) must(strict == lenient, "to be lenient reads the same");
    return 0;
}
