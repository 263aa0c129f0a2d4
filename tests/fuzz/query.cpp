// SPDX-License-Identifier: BSL-1.0
//
// Query parameters and numbers: `name`, a line end, then a target. `find_query` against a plain reader, `parse_number` against
// arithmetic of 128 bits, and what `paging` makes of both.
#include "must.hpp"

#include <weir/validate/paging.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using weir_fuzz::must;

namespace {

/// Decodes by hand; nothing where a query cannot have that text.
std::optional<std::string> decoded(std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    std::string made;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '#') return {};
        if (text[i] != '%') {
            made += text[i];
            continue;
        }
        unsigned value = 0;
        for (std::size_t k = i + 1; k < i + 3; ++k) {
            auto const at = k < text.size() ? digits.find(text[k]) : std::string_view::npos;
            if (at == std::string_view::npos) return {};
            value = value * 16 + static_cast<unsigned>(at > 15 ? at - 6 : at);
        }
        made += static_cast<char>(value);
        i += 2;
    }
    return made;
}

struct parameter {
    std::string_view name, value;
};
std::vector<parameter> parameters_of(std::string_view target)
{
    std::vector<parameter> all;
    auto const mark = target.find('?');
    if (mark == std::string_view::npos) return all;
    std::size_t from = mark + 1;
    while (from <= target.size()) {
        auto const to = std::min(target.find('&', from), target.size());
        std::string_view const one = target.substr(from, to - from);
        auto const equals = std::min(one.find('='), one.size());
        all.push_back({one.substr(0, equals), one.substr(std::min(equals + 1, one.size()))});
        from = to + 1;
    }
    if (!all.empty() && target.ends_with('&')) all.pop_back();
    if (mark + 1 == target.size()) all.clear();
    return all;
}

weir::query_value plainly(std::string_view target, std::string_view name)
{
    weir::query_value found;
    for (parameter const& p : parameters_of(target)) {
        if (p.name != name && decoded(p.name) != name) continue;
        if (found.state != weir::query_state::absent) return {weir::query_state::repeated, {}};
        auto const value = decoded(p.value);
        found = {value ? weir::query_state::found : weir::query_state::malformed, value.value_or("")};
    }
    return found;
}

template<class T>
void check_number(std::string_view text, T lowest, T highest)
{
    auto const read = weir::parse_number<T>(text, lowest, highest);
    bool const negative = text.starts_with('-');
    std::string_view const digits = text.substr(negative ? 1 : 0);
    bool const decimal = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
    bool const canonical = decimal && (text == "0" || digits.front() != '0');
    if (!canonical) {
        must(!read && read.fault == (text.empty() ? weir::number_fault::empty : weir::number_fault::not_decimal), "it is no number");
        return;
    }
    using wide = __int128;
    constexpr wide far = wide(1) << 100;
    wide value = 0;
    for (char c : digits) value = std::min(far, value * 10 + (c - '0'));
    if (negative) value = -value;
    auto const wanted = value < wide(lowest)    ? weir::number_fault::too_small
                        : value > wide(highest) ? weir::number_fault::too_large
                                                : weir::number_fault::none;
    must(read.fault == wanted, "a number is told from one out of range");
    if (read) must(wide(read.value) == value, "a number has its value");
    if (read) must(std::to_string(read.value) == text, "a number has one text");
}

/// What `paging` sees of a call.
struct one_call {
    struct asked {
        std::string_view target;
        friend std::string_view weir_target(asked const& r) { return r.target; }
    };

    asked of;
    std::optional<weir::page> page{};
    std::string wrong{};

    asked const& request() const { return of; }
    void set(weir::page const& p) { page = p; }
    void report(weir::violation v) { wrong = std::move(v.name); }
};

void check_paging(std::string_view target)
{
    weir::paging policy({.max_limit = 50, .default_limit = 10, .max_offset = 1'000});
    one_call call{.of = {target}};
    bool const taken = policy.admit(call).is_admitted();
    auto const number = [&](std::string_view name, unsigned least, unsigned most, unsigned otherwise) -> std::optional<unsigned> {
        auto const found = plainly(target, name);
        if (found.state == weir::query_state::absent) return otherwise;
        unsigned value = 0;
        auto const [end, failed] = std::from_chars(found.value.data(), found.value.data() + found.value.size(), value);
        bool const good = found && failed == std::errc{} && std::to_string(value) == found.value && value >= least && value <= most;
        return good ? std::optional(value) : std::nullopt;
    };
    auto const limit = number("limit", 1, 50, 10), offset = number("offset", 0, 1'000, 0);
    must(taken == (limit && offset), "a page is taken if both numbers are");
    if (taken) must(call.page == weir::page{*limit, *offset}, "a page is what was asked for");
    if (!taken) must(!call.page && call.wrong == (limit ? "offset" : "limit"), "a refusal names the parameter");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    weir_fuzz::given input(data, size);
    std::string const name(input.until('\n')), target(input.rest());
    for (std::string_view wanted : {std::string_view(name), std::string_view("limit"), std::string_view("offset")}) {
        auto const found = weir::find_query(target, wanted);
        auto const other = plainly(target, wanted);
        must(found.state == other.state, "the readers agree on whether a parameter is there");
        must(found.value == other.value, "the readers agree on its value");
        check_number<std::int64_t>(found.value, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    }
    check_number<std::int64_t>(name, -1'000, 1'000);
    check_number<std::uint64_t>(name, 0, std::numeric_limits<std::uint64_t>::max());
    check_number<std::int8_t>(name, -128, 127);
    check_number<std::uint16_t>(name, 10, 60'000);
    check_paging(target);
    return 0;
}
