// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/accepted_types.hpp>
#include <weir/validate/detail/json_scan.hpp>
#include <weir/validate/violation.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct json_limits_options {
    std::size_t bytes = 1'048'576;   ///< the longest text
    std::size_t levels = 32;         ///< arrays and objects inside each other; from 1 to 64
    std::size_t values = 10'000;     ///< values in the whole text, arrays and objects counted
    std::size_t members = 1'000;     ///< of one object
    std::size_t elements = 10'000;   ///< of one array
    std::size_t text_bytes = 65'536; ///< of one string or name, as it stands in the text
    bool exact_numbers = true; ///< integers from -(2^53 - 1) to 2^53 - 1, and nothing beyond a double: whoever reads them reads the same
    bool unique_names = true;  ///< each member of an object once

    friend bool operator==(json_limits_options const&, json_limits_options const&) = default;
};

/// Throws `std::invalid_argument` that names the member that is out of its range.
inline json_limits_options const& checked(json_limits_options const& o)
{
    expect(o.bytes >= 1, "json_limits.bytes", "at least 1");
    expect(o.levels >= 1 && o.levels <= detail::json_scan_limits::most_levels, "json_limits.levels", "from 1 to 64");
    expect(o.values >= 1, "json_limits.values", "at least 1");
    expect(o.members >= 1, "json_limits.members", "at least 1");
    expect(o.elements >= 1, "json_limits.elements", "at least 1");
    expect(o.text_bytes >= 1, "json_limits.text_bytes", "at least 1");
    return o;
}

namespace detail {

[[gnu::cold]] inline std::string expected_of(json_fault fault, std::size_t at, json_limits_options const& o)
{
    std::string const here = ", unlike at byte " + std::to_string(at);
    switch (fault) {
    case json_fault::none: break;
    case json_fault::syntax: return "a JSON document in UTF-8 (RFC 8259), without its fault at byte " + std::to_string(at);
    case json_fault::incomplete: return at == 0 ? "a JSON document" : "a JSON document that is complete";
    case json_fault::trailing: return "one JSON document, and nothing after byte " + std::to_string(at);
    case json_fault::too_deep: return "at most " + std::to_string(o.levels) + " arrays and objects inside each other" + here;
    case json_fault::too_many_values: return "at most " + std::to_string(o.values) + " values" + here;
    case json_fault::too_many_members: return "at most " + std::to_string(o.members) + " members of an object" + here;
    case json_fault::too_many_elements: return "at most " + std::to_string(o.elements) + " elements of an array" + here;
    case json_fault::text_too_long: return "at most " + std::to_string(o.text_bytes) + " bytes of a string" + here;
    case json_fault::number_too_large: return "numbers within the range of a floating-point number" + here;
    case json_fault::number_not_exact: return "whole numbers from -9007199254740991 to 9007199254740991" + here;
    case json_fault::repeated_name: return "objects with each member once, unlike the one that ends at byte " + std::to_string(at);
    }
    return {};
}

} // namespace detail

/// Whether a text is JSON within these limits, without reading it into anything: for what is only passed on. The first fault ends it.
///
/// One pass; memory: eight bytes a member of the objects that are open. It calls itself at no time. Options out of range throw
/// `std::invalid_argument`. Thread-safe.
[[nodiscard]] inline violations check_json(std::string_view text, json_limits_options const& o = {})
{
    checked(o);
    violations found;
    if (text.size() > o.bytes) [[unlikely]] {
        found.add({"body", {}, "at most " + std::to_string(o.bytes) + " bytes"});
        return found;
    }
    detail::json_no_visitor nobody;
    detail::json_scanner scanner(text,
                                 {.levels = o.levels,
                                  .values = o.values,
                                  .members = o.members,
                                  .elements = o.elements,
                                  .text_bytes = o.text_bytes,
                                  .exact_numbers = o.exact_numbers,
                                  .unique_names = o.unique_names},
                                 nobody);
    auto const fault = scanner.run();
    if (fault != detail::json_fault::none) [[unlikely]]
        found.add({"body", {}, detail::expected_of(fault, scanner.at(), o)});
    return found;
}

/// Judges a JSON body that is only passed on, as by a gateway: it is well formed and within these limits, and two readers further in read
/// the same (RFC 7493, I-JSON): `json_limits{{.levels = 8, .members = 50}}`. What is not is refused with `errc::invalid_request`, one that
/// is too long with `errc::payload_too_large`, both with `violations`. One that is encoded (Content-Encoding) cannot be judged and is
/// refused with `errc::unsupported_media_type`. No body passes: whether there has to be one is for `content_type` and the handler.
///
/// What `json_body` reads needs no second look: its reader has limits of its own (`json_options`). Costs a pass of about a byte a
/// nanosecond; see `check_json`. Thread-safe.
class json_limits {
public:
    using role = gate;
    using options = json_limits_options;
    using reads = reads_request<customisation::header_fn, customisation::body_fn>;
    using reports = facets<violations, accepted_types>;
    static constexpr std::string_view name = "json_limits";
    struct stats_type {
        std::uint64_t refused = 0;
        void each(auto&& field) const { field("refused_total", refused); }
    };

    explicit json_limits(options const& o = {}) : settings_(checked(o)) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        std::string_view const text = body(call.request());
        if (text.empty()) return admitted;
        auto const [coding, several] = single_header(call.request(), "content-encoding");
        if (several || coding.value_or("identity") != "identity") [[unlikely]]
            return encoded(call);
        options const o = settings_.load();
        violations wrong = check_json(text, o);
        if (wrong.empty()) [[likely]]
            return admitted;
        refused_.add(1);
        call.report(std::move(wrong));
        return text.size() > o.bytes ? errc::payload_too_large : errc::invalid_request;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load()}; }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other limits for calls that come from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("bytes", o.bytes);
        field("levels", o.levels);
        field("values", o.values);
        field("members", o.members);
        field("elements", o.elements);
        field("text_bytes", o.text_bytes);
        field("exact_numbers", o.exact_numbers);
        field("unique_names", o.unique_names);
    }

private:
    [[gnu::noinline, gnu::cold]] errc encoded(auto& call)
    {
        refused_.add(1);
        violations wrong;
        wrong.add({"header", "content-encoding", "none"});
        call.report(std::move(wrong));
        call.report(accepted_types{"Accept-Encoding", "identity"});
        return errc::unsupported_media_type;
    }

    live<options> settings_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
