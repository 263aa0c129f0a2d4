// SPDX-License-Identifier: BSL-1.0
//
// Patterns, parameters, JSON within limits, detectors of injection, and masks: a first byte says which, the rest is theirs.
#include "must.hpp"

#include <weir/validate/json_limits.hpp>
#include <weir/validate/mask.hpp>
#include <weir/validate/parameters.hpp>
#include <weir/validate/reject_injection.hpp>

#include <boost/describe/class.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

using weir_fuzz::must;

namespace {

void check_pattern(std::string_view pattern, std::string_view text)
{
    auto const one = weir::detail::compile_pattern(pattern);
    if (one.fault != weir::detail::pattern_fault::none) {
        must(one.fault_at <= pattern.size(), "a fault lies in its pattern");
        return;
    }
    bool const matches = one.matches(text);
    std::string const group = "(" + std::string(pattern) + ")";
    auto const same = [&](std::string const& other, bool wanted, char const* what) {
        auto const compiled = weir::detail::compile_pattern(other);
        if (compiled.fault == weir::detail::pattern_fault::too_long) return;
        must(compiled.fault == weir::detail::pattern_fault::none, "a pattern can be a part of another");
        must(compiled.matches(text) == wanted, what);
    };
    same(group, matches, "a group is what it holds");
    same(group + "{1}", matches, "once is once");
    same(group + "|" + group, matches, "either of the same is the same");
    same(group + "?", matches || text.empty(), "an option is it, or nothing");
    if (matches) same(group + "*", true, "many times is once, too");
    if (matches) same(group + "{1,3}", true, "up to three times is once, too");
    if (!text.empty()) same(group + "{0}", false, "no times is nothing");
    auto const twice = weir::detail::compile_pattern(group + group);
    if (matches && twice.fault == weir::detail::pattern_fault::none)
        must(twice.matches(std::string(text) + std::string(text)), "twice matches what is there twice");
}

struct asked {
    std::string account{};
    std::optional<std::uint32_t> depth{};
    std::int16_t id{};
    bool full{};
    double rate{};

    friend constexpr auto weir_rules(asked const*)
    {
        return weir::rules{weir::rule<&asked::account>(weir::length{1, 8}), weir::rule<&asked::depth>(weir::range{1, 50})};
    }
};
BOOST_DESCRIBE_STRUCT(asked, (), (account, depth, id, full, rate))

/// What a policy sees of a call.
struct one_call {
    struct sent {
        std::string_view target, body, type;
        friend std::string_view weir_target(sent const& r) { return r.target; }
        friend std::string_view weir_body(sent const& r) { return r.body; }
        friend std::optional<std::string_view> weir_header(sent const& r, std::string_view) { return r.type; }
    };
    sent of;
    asked read{};
    std::optional<weir::violations> wrong{};
    std::optional<weir::violation> found{};

    sent const& request() const { return of; }
    void set(asked const& a) { read = a; }
    void report(weir::violations v) { wrong = std::move(v); }
    void report(weir::violation v) { found = std::move(v); }
};

void check_parameters(std::string_view target)
{
    weir::parameters<asked, weir::in_path<"/accounts/{account}/{id}">> policy;
    one_call call{.of = {target, {}, {}}};
    bool const taken = policy.admit(call).is_admitted();
    if (!taken)
        return must(!call.wrong || (!call.wrong->empty() && call.wrong->list.size() <= weir::violations::most), "a refusal says why");
    asked const& a = call.read;
    must(!a.account.empty() && a.account.size() <= 32 && (!a.depth || (*a.depth >= 1 && *a.depth <= 50)), "what is read keeps the rules");
    must(weir::check_rules(a).empty(), "what is read keeps the rules when it is asked again");
}

void check_json(std::string_view text)
{
    boost::system::error_code fault;
    boost::json::parse_options rules;
    rules.max_depth = 32;
    boost::json::parse({text.data(), text.size()}, fault, {}, rules);
    weir::json_limits_options const lax{
        .bytes = 1 << 20, .members = 1 << 20, .text_bytes = 1 << 20, .exact_numbers = false, .unique_names = false};
    bool const good = weir::check_json(text, lax).empty();
    // Boost.JSON takes no number whose exponent is beyond an int; RFC 8259 has no bound.
    must(good == !fault || (good && fault == boost::json::error::exponent_overflow), "two parsers agree on what JSON is");
    if (!weir::check_json(text).empty()) return;
    must(good, "what keeps the limits is JSON");
}

using house = weir::mask<weir::hide<"password", "*token*">, weir::show_last<4, "iban">>;

bool is_one_line(std::string_view text)
{
    char before = 0;
    for (char const c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (before == '\xc2' && static_cast<unsigned char>(c) < 0xa0)) return false;
        before = c;
    }
    return true;
}

void check_mask(std::string_view text)
{
    must(is_one_line(house::text(text)), "a text is one line");
    must(is_one_line(house::target(text)), "a target is one line");
    must(is_one_line(house::value("iban", text)) && house::value("iban", text).size() <= 7, "the last four are shown, no more");
    must(house::value("a-token", text) == "***", "what is hidden is hidden");
    must(weir::detail::like_name("*", text) && weir::detail::like_name(std::string(text) + "*", text), "a star is anything");
    bool const good = weir::check_json(text, {.bytes = 1 << 20,
                                              .levels = 64,
                                              .values = 1 << 20,
                                              .members = 1 << 20,
                                              .text_bytes = 1 << 20,
                                              .exact_numbers = false,
                                              .unique_names = false})
                          .empty();
    std::string const shown = house::json(text);
    if (!good) return must(shown.starts_with("*** ("), "what is no JSON is not shown");
    must(weir::check_json(shown, {.bytes = 1 << 22,
                                  .levels = 64,
                                  .values = 1 << 20,
                                  .members = 1 << 20,
                                  .text_bytes = 1 << 22,
                                  .exact_numbers = false,
                                  .unique_names = false})
             .empty(),
         "what is shown of JSON is JSON");
    must(is_one_line(shown), "a JSON text is one line");
    must(!house::json(shown).starts_with("*** ("), "what is masked is JSON for the next mask");
}

void check_injection(std::string_view text, bool in_body)
{
    weir::reject_injection<weir::injection::sql, weir::injection::script, weir::injection::path, weir::injection::header_splitting> policy;
    one_call call{.of = {in_body ? std::string_view("/x") : text, in_body ? text : std::string_view{}, "application/json"}};
    bool const taken = policy.admit(call).is_admitted();
    must(taken == !call.found, "a refusal says why");
    for (char const quote : {'\0', '\'', '"'})
        must(weir::detail::sql_shape(text, quote, true).letters().size() <= weir::detail::sql_shape::most + 2,
             "so many tokens are looked at");
    for (char const state : {'\0', ' ', '\'', '"', '`'}) static_cast<void>(weir::detail::markup(text, state).active());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    switch (input.number() % 6) {
    case 0: {
        std::string_view const pattern = input.until('\n');
        check_pattern(pattern, input.rest());
        break;
    }
    case 1: check_parameters(input.rest()); break;
    case 2: check_json(input.rest()); break;
    case 3: check_mask(input.rest()); break;
    case 4: check_injection(input.rest(), false); break;
    default: check_injection(input.rest(), true);
    }
    return 0;
}
