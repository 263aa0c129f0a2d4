// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/validate/violation.hpp>

#include <string>
#include <string_view>

namespace weir::inline v0 {

/// Refuses a request that lacks one of these headers, or has nothing but spaces and tabs in it: `require_headers<"x-correlation-id">{}`.
///
/// The first one that is missing is reported as a `violation`, with `errc::invalid_request`. Stateless, so it takes no room in a
/// pipeline; a request that passes costs the look-ups of its headers. Which headers is in the type: there is nothing to reconfigure. What
/// stands in a header is for other policies to judge.
template<fixed_string... Names>
class require_headers {
    static_assert(sizeof...(Names) > 0 && (!Names.view().empty() && ...), "weir::require_headers wants the names of headers");

public:
    using role = gate;
    using reads = reads_request<customisation::header_fn>;
    using reports = facets<violation>;
    static constexpr std::string_view name = "require_headers";

    [[nodiscard]] admission<> admit(auto& call) const
    {
        std::string_view missing;
        if ((is_there(call.request(), missing, Names.view()) && ...)) [[likely]]
            return admitted;
        call.report(violation{"header", std::string(missing), "a value"});
        return errc::invalid_request;
    }
    void describe(auto&& field) const
    {
        std::string names;
        ((names += names.empty() ? "" : ", ", names += Names.view()), ...);
        field("headers", std::string_view(names));
    }

private:
    static bool is_there(auto const& request, std::string_view& missing, std::string_view wanted)
    {
        auto const value = header(request, wanted);
        if (value && value->find_first_not_of(" \t") != std::string_view::npos) return true;
        missing = wanted;
        return false;
    }
};

} // namespace weir::inline v0
