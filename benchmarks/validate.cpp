// SPDX-License-Identifier: BSL-1.0
// What validators cost: the rules of a struct beside the same written by hand, a pattern beside a loop and beside std::regex, a JSON text of
// 1 KiB within limits beside Boost.JSON's document, a mask of it, and the detectors of injection on a sentence.
// usage: validate {rules|rules_by_hand|pattern|pattern_by_hand|regex|limits|document|mask|sql|script} CALLS
#include <weir/validate/check_rules.hpp>
#include <weir/validate/injection.hpp>
#include <weir/validate/json_limits.hpp>
#include <weir/validate/mask.hpp>
#include <weir/validate/pattern.hpp>

#include <boost/describe/class.hpp>
#include <boost/json/parse.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct leg {
    std::string venue{};
    std::uint32_t share{};
    friend constexpr auto weir_rules(leg const*)
    {
        return weir::rules{weir::rule<&leg::venue>(weir::one_of{"XETR", "XLON", "XPAR"}), weir::rule<&leg::share>(weir::range{1, 100})};
    }
};
BOOST_DESCRIBE_STRUCT(leg, (), (venue, share))
struct order {
    std::string symbol{}, account{};
    std::int64_t quantity{};
    std::optional<double> limit{};
    std::vector<leg> legs{};
    std::uint32_t from{}, until{};
    friend constexpr auto weir_rules(order const*)
    {
        return weir::rules{weir::rule<&order::symbol>(weir::length{1, 8}),
                           weir::rule<&order::account>(weir::pattern<"[A-Z]{2}\\d{2}[A-Z0-9]{11,30}">),
                           weir::rule<&order::quantity>(weir::range{1, 1'000'000}),
                           weir::rule<&order::limit>(weir::at_least{0.0}),
                           weir::rule<&order::legs>(weir::length{1, 10}),
                           weir::together<&order::from, &order::until>("order", std::less_equal{})};
    }
};
BOOST_DESCRIBE_STRUCT(order, (), (symbol, account, quantity, limit, legs, from, until))

[[gnu::noinline]] bool is_iban_form(std::string_view text)
{
    auto const upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    auto const digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() < 15 || text.size() > 34 || !upper(text[0]) || !upper(text[1]) || !digit(text[2]) || !digit(text[3])) return false;
    for (char const c : text.substr(4))
        if (!upper(c) && !digit(c)) return false;
    return true;
}
std::size_t characters(std::string_view text)
{
    std::size_t n = 0;
    for (char const c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return n;
}
[[gnu::noinline]] bool rules_by_hand(order const& o)
{
    std::size_t const n = characters(o.symbol);
    bool good = n >= 1 && n <= 8 && is_iban_form(o.account) && o.quantity >= 1 && o.quantity <= 1'000'000 && (!o.limit || *o.limit >= 0) &&
                !o.legs.empty() && o.legs.size() <= 10 && o.from <= o.until;
    for (leg const& l : o.legs)
        good = good && (l.venue == "XETR" || l.venue == "XLON" || l.venue == "XPAR") && l.share >= 1 && l.share <= 100;
    return good;
}

std::string document_of_1_kib()
{
    std::string text = R"({"symbol":"ACME","account":"ann","quantity":500,"limit":42.5,"legs":[)";
    while (text.size() < 950) text += R"({"venue":"XETR","share":25,"note":"partly, at the best price"},)";
    return text + R"({"venue":"XLON","share":5}]})";
}

template<class F>
int repeat(long calls, F f)
{
    bool good = true;
    for (long i = 0; i < calls; ++i) {
        asm volatile("" ::: "memory");
        good = f() && good;
    }
    return good ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::fputs("usage: validate {rules|rules_by_hand|pattern|pattern_by_hand|regex|limits|document|mask|sql|script} CALLS\n", stderr);
        return 2;
    }
    std::string_view const way = argv[1];
    long const calls = std::atol(argv[2]);
    std::string const iban = "DE89370400440532013000", text = document_of_1_kib(),
                      sentence = "Please deliver it to Ann O'Reilly, 5 King's Road (near the bridge) -- thanks";
    order const o{"ACME", iban, 500, 42.5, {{"XETR", 50}, {"XLON", 25}, {"XPAR", 25}}, 1, 2};
    if (way == "rules") return repeat(calls, [&] { return weir::check_rules(o).empty(); });
    if (way == "rules_by_hand") return repeat(calls, [&] { return rules_by_hand(o); });
    if (way == "pattern") return repeat(calls, [&] { return weir::pattern<"[A-Z]{2}\\d{2}[A-Z0-9]{11,30}">(iban); });
    if (way == "pattern_by_hand") return repeat(calls, [&] { return is_iban_form(iban); });
    if (way == "regex") {
        std::regex const compiled("[A-Z]{2}\\d{2}[A-Z0-9]{11,30}");
        return repeat(calls, [&] { return std::regex_match(iban, compiled); });
    }
    if (way == "limits") return repeat(calls, [&] { return weir::check_json(text).empty(); });
    if (way == "document") return repeat(calls, [&] { return boost::json::parse(text).is_object(); });
    if (way == "mask") return repeat(calls, [&] { return !weir::common_mask::json(text).empty(); });
    if (way == "sql") return repeat(calls, [&] { return !weir::injection::sql::found(sentence); });
    if (way == "script") return repeat(calls, [&] { return !weir::injection::script::found(sentence); });
    std::fputs("no such way\n", stderr);
    return 2;
}
