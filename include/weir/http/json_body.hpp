// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/live.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/http/detail/json_answer.hpp>
#include <weir/validate/accepted_types.hpp>
#include <weir/validate/content_type.hpp>
#include <weir/validate/media_type.hpp>
#include <weir/validate/read_json.hpp>
#include <weir/validate/violation.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// Whether a Content-Type is `application/json`, or a type with the suffix `+json` (RFC 6839 section 3.1), and its charset, if it names
/// one, UTF-8.
[[nodiscard]] inline bool is_json_type(std::string_view field) noexcept
{
    if (field == "application/json") [[likely]]
        return true;
    constexpr media_type plain{"application", "json"}, suffixed{"*", "*+json"};
    auto const type = media_type::parse(field);
    return type && (plain.takes(*type) || suffixed.takes(*type));
}

} // namespace detail

/// Between HTTP and a typed service: the body of a request is read into a described struct (`read_json`), which the policies and the
/// handler further in see, and the value that comes back up is written as the body of a response (`write_json`).
/// ```cpp
/// weir::pipeline quotes{weir::correlate{}, weir::max_body{{.bytes = 4'096}},            // see http::request and http::response
///                       weir::json_body<quote_request>{},
///                       weir::cached{..., weir::keyed_by(&quote_request::symbol)},      // see quote_request and quote
///                       fetch_quote};                                                   // result<quote>(quote_request const&)
/// ```
/// Down: a Content-Type that is not JSON, or a Content-Encoding, is refused with `errc::unsupported_media_type`, a body beyond `bytes` with
/// `errc::payload_too_large`, one that does not fit the struct with `errc::invalid_request`; all faults are reported as `violations`, by
/// JSON pointer. Up: a value becomes a 200 with `application/json`, an `http::response` passes as it is, an empty optional is
/// `errc::not_found`. What cannot be written (see `write_json`) is an error of the service, a 500. Errors pass.
///
/// The outer request is any type with `weir_header` and `weir_body`. Costs what reading and writing cost; the struct lives in the call's
/// frame. Thread-safe.
template<class Request>
class json_body : public http::detail::json_answer {
public:
    using role = codec;
    using options = json_options;
    using inner_request = Request;
    using reads = reads_request<customisation::header_fn, customisation::body_fn>;
    using reports = facets<violations, accepted_types>;
    static constexpr std::string_view name = "json_body";
    struct stats_type {
        std::uint64_t refused = 0;
        std::uint64_t unwritten = 0; ///< values that cannot be written as JSON
        void each(auto&& field) const
        {
            field("refused_total", refused);
            field("unwritten_total", unwritten);
        }
    };

    explicit json_body(options const& o = {}) : settings_(checked(o)) { static_assert(detail::checked_json<Request>()); }

    [[nodiscard]] admission<> decode(auto& call, Request& into)
    {
        auto const& request = call.request();
        auto const [type, repeated] = single_header(request, "content-type");
        if (repeated || !type || !detail::is_json_type(*type)) [[unlikely]]
            return refuse(call, {"header", "content-type", "application/json"}, {detail::accept_field(call.request()), "application/json"});
        if (header(request, "content-encoding")) [[unlikely]]
            return refuse(call, {"header", "content-encoding", "none"}, {"Accept-Encoding", "identity"});
        options const o = settings_.load();
        std::string_view const text = body(request);
        violations wrong = read_json(text, into, o);
        if (wrong.empty()) [[likely]]
            return admitted;
        refused_.add(1);
        call.report(std::move(wrong));
        return text.size() > o.bytes ? errc::payload_too_large : errc::invalid_request;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load(), unwritten()}; }
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
        field("text_bytes", o.text_bytes);
        field("ignore_unknown_members", o.ignore_unknown_members);
    }

private:
    [[gnu::noinline, gnu::cold]] error refuse(auto& call, violation wrong, accepted_types taken)
    {
        refused_.add(1);
        violations all;
        all.add(std::move(wrong));
        call.report(std::move(all));
        call.report(taken);
        return errc::unsupported_media_type;
    }

    live<options> settings_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
