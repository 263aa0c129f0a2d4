// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/http/detail/json_answer.hpp>
#include <weir/validate/read_query.hpp>
#include <weir/validate/violation.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Between HTTP and a typed service that is asked by GET: the query of a request is read into a described struct (`read_query`), which the
/// policies and the handler further in see, and the value that comes back up is written as a JSON response (`write_json`), as `json_body`
/// does it.
/// ```cpp
/// struct quote_request { std::string symbol; };
/// BOOST_DESCRIBE_STRUCT(quote_request, (), (symbol))
///
/// weir::pipeline quotes{weir::correlate{}, weir::query_parameters<quote_request>{},       // GET /quotes?symbol=ACME
///                       weir::cached{..., weir::keyed_by(&quote_request::symbol)},
///                       fetch_quote};                                                   // result<quote>(quote_request const&)
/// ```
/// A query that does not fit the struct is refused with `errc::invalid_request`; all faults are reported as `violations`. The outer request
/// is any type with `weir_target`. Thread-safe.
template<class Request>
class query_parameters : public http::detail::json_answer {
public:
    using role = codec;
    using options = query_options;
    using inner_request = Request;
    using reads = reads_request<customisation::target_fn>;
    using reports = facets<violations>;
    static constexpr std::string_view name = "query_parameters";
    struct stats_type {
        std::uint64_t refused = 0;
        std::uint64_t unwritten = 0; ///< values that cannot be written as JSON
        void each(auto&& field) const
        {
            field("refused_total", refused);
            field("unwritten_total", unwritten);
        }
    };

    explicit query_parameters(options const& o = {}) noexcept : ignore_(o.ignore_unknown_parameters)
    {
        static_assert(detail::checked_query<Request>());
    }

    [[nodiscard]] admission<> decode(auto& call, Request& into)
    {
        violations wrong = read_query(target(call.request()), into, settings());
        if (wrong.empty()) [[likely]]
            return admitted;
        refused_.add(1);
        call.report(std::move(wrong));
        return errc::invalid_request;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load(), unwritten()}; }
    [[nodiscard]] options settings() const noexcept { return {ignore_.load()}; }
    /// For calls that come from now on.
    void reconfigure(options const& o) noexcept { ignore_.store(o.ignore_unknown_parameters); }
    void describe(auto&& field) const { field("ignore_unknown_parameters", ignore_.load()); }

private:
    shared::cell<bool> ignore_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
