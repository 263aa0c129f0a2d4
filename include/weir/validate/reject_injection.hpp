// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/detail/json_scan.hpp>
#include <weir/validate/injection.hpp>
#include <weir/validate/media_type.hpp>
#include <weir/validate/violation.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

struct reject_injection_options {
    bool body = true;                   ///< look into bodies, too: JSON, forms and plain text
    std::size_t body_bytes = 1'048'576; ///< of a body that is longer only so much is looked at
};

namespace detail {

/// Decodes what is encoded rightly, leaves the rest, and takes a plus for the space of a form.
inline void decode_form(std::string_view raw, std::string& into)
{
    into.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        int const high = i + 2 < raw.size() ? ascii_hex(raw[i + 1]) : -1, low = i + 2 < raw.size() ? ascii_hex(raw[i + 2]) : -1;
        if (raw[i] == '%' && high >= 0 && low >= 0) {
            into += static_cast<char>(high * 16 + low);
            i += 2;
        } else
            into += raw[i] == '+' ? ' ' : raw[i];
    }
}

/// The strings and names of a JSON text, each decoded.
template<class F>
struct json_texts {
    void name(std::string_view raw) { text(raw); }
    void text(std::string_view raw)
    {
        if (raw.find('\\') == std::string_view::npos) return look(raw);
        scratch.clear();
        append_unescaped(scratch, raw);
        look(scratch);
    }
    static void scalar(std::string_view) noexcept {}
    static void open(char, std::size_t) noexcept {}
    static void close(std::size_t) noexcept {}

    F look;
    std::string scratch{};
};

} // namespace detail

/// Refuses a request with a text that is made to be taken for something else, in its path, its query, or its body (JSON, a form, plain
/// text, or one that does not say what it is), by the detectors of `injection`: `reject_injection<injection::sql, injection::script>{}`.
/// `errc::invalid_request`, and a `violation` with the detector's sentence, which tells nothing of what was sent.
///
/// **It is no firewall and makes nothing safe**: see `injection` for what it can do. It belongs in front of code that cannot be mended
/// today. Texts that people write are refused with it now and then: opt such routes out (`without<made_from<reject_injection>>`), or count
/// first what would be refused (`shadow`). Rates on weir's own sets of text-book attacks and of what people type into forms, with which the
/// detectors were made, and a test of them in `tests/validate/injection.cpp`: of 86 queries 82 are found, of 60 scripts 59, of 20 paths 20;
/// of 156 innocent texts 1 is taken for a query, none for a script, 2 for a path.
///
/// Values are looked at decoded, and decoded once more where they are encoded twice. Header splitting is looked for in the path and the
/// query only: a body may have lines. Costs a few passes over each text, and more where a text looks like an attack
/// (`benchmarks/validate.cpp`). Thread-safe.
template<class... Detectors>
class reject_injection {
    static_assert(sizeof...(Detectors) > 0, "weir::reject_injection wants detectors, such as weir::injection::sql");

public:
    using role = gate;
    using options = reject_injection_options;
    using reads = reads_request<customisation::target_fn>;
    using reports = facets<violation>;
    static constexpr std::string_view name = "reject_injection";
    struct stats_type {
        std::uint64_t refused = 0;
        void each(auto&& field) const { field("refused_total", refused); }
    };

    explicit reject_injection(options const& o = {}) noexcept : body_(o.body), body_bytes_(o.body_bytes) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        auto const& request = call.request();
        finding found = in_target(target(request));
        if constexpr (can_read_body<std::remove_cvref_t<decltype(request)>>)
            if (found.expected.empty() && body_.load() && !body(request).empty())
                found = in_body(body(request).substr(0, body_bytes_.load()), single_header(request, "content-type"));
        if (found.expected.empty()) [[likely]]
            return admitted;
        refused_.add(1);
        call.report(violation{found.where, {}, std::string(found.expected)});
        return errc::invalid_request;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load()}; }
    [[nodiscard]] options settings() const noexcept { return {body_.load(), body_bytes_.load()}; }
    /// For calls that come from now on.
    void reconfigure(options const& o) noexcept
    {
        body_bytes_.store(o.body_bytes);
        body_.store(o.body);
    }
    void describe(auto&& field) const
    {
        std::string names;
        ((names += names.empty() ? "" : ", ", names += Detectors::name), ...);
        field("detectors", std::string_view(names));
        field("body", body_.load());
        field("body_bytes", body_bytes_.load());
    }

private:
    struct finding {
        std::string_view where{}, expected{};
    };
    template<class Request>
    static constexpr bool can_read_body = customisation::body_fn::works_for<Request>&& customisation::header_fn::works_for<Request>;

    /// What is expected instead of the text; empty if nothing is found in it.
    static std::string_view judge(std::string_view text, bool in_body)
    {
        std::string_view expected;
        auto const ask = [&]<class D>(std::type_identity<D>) {
            if (in_body && std::is_same_v<D, injection::header_splitting>) return false;
            if (!D::found(text)) return false;
            expected = D::expected;
            return true;
        };
        static_cast<void>((ask(std::type_identity<Detectors>{}) || ...));
        return expected;
    }
    /// The text as it came, decoded, and decoded twice.
    static std::string_view judge_encoded(std::string_view raw, std::string& once, std::string& twice, bool in_body)
    {
        detail::decode_form(raw, once);
        if (std::string_view const expected = judge(once, in_body); !expected.empty()) return expected;
        if (once.find('%') == std::string::npos) return {};
        detail::decode_form(once, twice);
        return twice == once ? std::string_view{} : judge(twice, in_body);
    }
    /// Names and values with `&` and `=` between.
    static std::string_view judge_form(std::string_view rest, bool in_body)
    {
        std::string once, twice;
        while (!rest.empty()) {
            std::string_view const pair = rest.substr(0, rest.find('&'));
            rest.remove_prefix(pair.size() == rest.size() ? rest.size() : pair.size() + 1);
            auto const equals = pair.find('=');
            std::string_view expected = judge_encoded(pair.substr(0, equals), once, twice, in_body);
            if (expected.empty() && equals != std::string_view::npos)
                expected = judge_encoded(pair.substr(equals + 1), once, twice, in_body);
            if (!expected.empty()) return expected;
        }
        return {};
    }
    static finding in_target(std::string_view asked)
    {
        auto const mark = asked.find('?');
        std::string_view const path = asked.substr(0, mark);
        std::string once, twice;
        if (std::string_view const expected = judge_encoded(path, once, twice, false); !expected.empty()) return {"path", expected};
        for (std::string_view rest = path; !rest.empty();) { // each segment by itself
            std::string_view const segment = rest.substr(0, rest.find('/'));
            rest.remove_prefix(segment.size() == rest.size() ? rest.size() : segment.size() + 1);
            if (std::string_view const expected = judge_encoded(segment, once, twice, false); !expected.empty()) return {"path", expected};
        }
        if (mark == std::string_view::npos) return {};
        return {"query", judge_form(asked.substr(mark + 1), false)};
    }
    /// A body that does not say what it is may be read as anything: it is looked at as JSON, or else as a form and as a text.
    static finding in_body(std::string_view text, single_field const& content_type)
    {
        auto const type = content_type.repeated ? std::nullopt : media_type::parse(content_type.value.value_or(std::string_view{}));
        if (!type) {
            std::string_view expected;
            if (judge_json(text, expected) || !expected.empty()) return {"body", expected};
            expected = judge_form(text, true);
            return {"body", expected.empty() ? judge(text, true) : expected};
        }
        if (type->is("application", "x-www-form-urlencoded")) return {"body", judge_form(text, true)};
        if (detail::same_ignoring_case(type->type, "text")) return {"body", judge(text, true)};
        constexpr media_type plain{"application", "json"}, suffixed{"application", "*+json"};
        if (!plain.takes(*type) && !suffixed.takes(*type)) return {};
        std::string_view expected;
        static_cast<void>(judge_json(text, expected)); // what is no JSON is for others to refuse
        return {"body", expected};
    }
    /// Whether it is JSON; what of it comes before it is none is judged even so.
    static bool judge_json(std::string_view text, std::string_view& expected)
    {
        auto const look = [&](std::string_view one) {
            if (expected.empty()) expected = judge(one, true);
        };
        detail::json_texts<decltype(look)> texts{look};
        return detail::json_scanner(text, {}, texts).run() == detail::json_fault::none;
    }

    shared::cell<bool> body_;
    shared::cell<std::size_t> body_bytes_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
