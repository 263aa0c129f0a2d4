// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>
#include <weir/http/correlation_id.hpp>
#include <weir/http/detail/same_name.hpp>
#include <weir/http/detail/trace.hpp>
#include <weir/validate/violation.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

struct correlate_options {
    bool required = false;          ///< a request without an id is refused; else it gets one
    bool replace_malformed = false; ///< a malformed id is replaced by a new one; else the request is refused
};

/// Gives each call an id by which its traces are found, `correlation_id`: the field `x-correlation-id` of the request, or a new one.
///
/// An id that came is up to 128 visible ASCII characters, else the request is refused (`errc::invalid_request` and a `violation`). A new
/// one is the trace id of `traceparent` (W3C Trace Context, section 3.2), which is taken from the request, or made where it is missing
/// or malformed, as that standard wants. The response carries the id, too; where the outcome is no response, the id is reported, and the
/// HTTP edge writes it on the problem document. New ids are random, but not secret. Stands outermost. Thread-safe, also `reconfigure`.
class correlate {
public:
    using role = transform;
    using options = correlate_options;
    using provides = facets<correlation_id>;
    using reports = facets<correlation_id, violation>;
    using reads = reads_request<customisation::header_fn>;
    static constexpr std::string_view name = "correlate";
    struct stats_type {
        std::uint64_t made = 0; ///< ids that had not come with the request
        std::uint64_t refused = 0;
        void each(auto&& field) const
        {
            field("made_total", made);
            field("refused_total", refused);
        }
    };

    explicit correlate(options const& o = {}) noexcept : options_(o) {}

    admission<> down(auto& call)
    {
        auto const came = header(call.request(), correlation_id::field);
        http::detail::trace_parent const parent(header(call.request(), "traceparent").value_or(std::string_view{}));
        bool const good = came && is_id(*came);
        if (good) [[likely]] {
            call.set(correlation_id(*came, parent));
            return admitted;
        }
        call.set(correlation_id(parent.text().view().substr(3, 32), parent)); // the trace id
        options const rule = options_.load();
        if (came ? !rule.replace_malformed : rule.required) return refuse(call);
        made_.add();
        return admitted;
    }
    void up(auto& call, auto& outcome)
    {
        using value = typename std::remove_reference_t<decltype(outcome)>::value_type;
        correlation_id const& id = call.template get<correlation_id>();
        if constexpr (customisation::set_header_fn::works_for<value>) {
            if (outcome.has_value()) [[likely]] {
                set_header(*outcome, correlation_id::field, id.key());
                return;
            }
        }
        call.report(id);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const { return {made_.sum(), refused_.sum()}; }
    [[nodiscard]] options settings() const noexcept { return options_.load(); }
    void reconfigure(options const& o) noexcept { options_.store(o); }
    void describe(auto&& field) const
    {
        options const rule = settings();
        field("required", rule.required);
        field("replace_malformed", rule.replace_malformed);
    }

private:
    [[nodiscard]] static bool is_id(std::string_view text) noexcept
    {
        if (text.empty() || text.size() > correlation_id::longest) return false;
        auto from = text.begin();
        for (; text.end() - from >= 8; from += 8)
            if (!http::detail::are_visible(http::detail::load<std::uint64_t>(&*from))) return false;
        for (; from != text.end(); ++from)
            if (*from <= ' ' || *from > '~') return false;
        return true;
    }
    [[gnu::noinline, gnu::cold]] error refuse(auto& call)
    {
        refused_.add();
        call.report(call.template get<correlation_id>());
        call.report(violation{"header", std::string(correlation_id::field),
                              "up to " + std::to_string(correlation_id::longest) + " visible ASCII characters"});
        return errc::invalid_request;
    }

    shared::cell<options> options_;
    detail::counter<shared> made_;
    detail::counter<shared> refused_;
};

} // namespace weir::inline v0
