// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/accepted_types.hpp>
#include <weir/validate/media_type.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {

namespace advice {
template<fixed_string Type>
struct content_type {
    struct is_no_media_type__write_one_such_as_application_json_or_a_range_such_as_text_star;
};
} // namespace advice

namespace detail {

/// Whether it may stand for what a route takes: `*` is a whole type, a whole subtype, or what stands before a suffix.
constexpr bool is_media_range(std::string_view text) noexcept
{
    auto const t = media_type::parse(text);
    if (!t) return false;
    bool const any_type = t->type == "*", any_subtype = t->subtype == "*";
    std::string_view const subtype = t->subtype.starts_with("*+") ? t->subtype.substr(2) : any_subtype ? std::string_view{} : t->subtype;
    return (any_type || t->type.find('*') == std::string_view::npos) && subtype.find('*') == std::string_view::npos &&
           (any_subtype || (!any_type && !subtype.empty()));
}

/// Whether a request carries content, which then has to say what it is. Of one whose body is not there yet the head tells.
template<class Request>
bool has_content(Request const& r)
{
    if constexpr (customisation::body_fn::works_for<Request>)
        return !body(r).empty();
    else
        return header(r, "transfer-encoding").has_value() || header(r, "content-length").value_or("0") != "0";
}

/// The field that tells which types a method's content may have.
template<class Request>
char const* accept_field(Request const& r)
{
    if constexpr (customisation::method_fn::works_for<Request>) {
        if (method(r) == "POST") return "Accept-Post";
        if (method(r) == "PATCH") return "Accept-Patch";
    }
    return "Accept";
}

} // namespace detail

/// Refuses a body that is not of one of these media types, with `errc::unsupported_media_type`, a `violation` and the types that would be
/// taken: `content_type<"application/json", "application/*+json">{}`. The HTTP edge answers 415 with `Accept-Post`, `Accept-Patch` or
/// `Accept`.
///
/// A type may be a range: `text/*`, `application/*+json`, `*/*`. A parameter that it names has to be sent with that value, as in
/// `multipart/form-data` or `application/vnd.bank+json; version=2`; others may be. A charset that it does not name has to be UTF-8 (see
/// `media_type::takes`). A Content-Type that is malformed (RFC 9110 section 8.3.1) or stands in several lines is refused, whatever the
/// types. A request without a body needs none; one with a body does. Which types are taken is in its type: there is nothing to reconfigure.
///
/// Works on a request whose body comes in pieces, too. Stateless but for the count of refusals. A type that was sent as it is written here
/// costs a comparison, others a pass over the field; nothing is allocated. Thread-safe.
template<fixed_string... Types>
class content_type {
    static_assert(sizeof...(Types) > 0, "weir::content_type wants the media types that are taken");

    template<fixed_string Type>
    static constexpr bool checked() noexcept
    {
        if constexpr (!detail::is_media_range(Type.view()))
            static_cast<void>(sizeof(
                typename advice::content_type<Type>::is_no_media_type__write_one_such_as_application_json_or_a_range_such_as_text_star));
        return true;
    }
    static_assert((checked<Types>() && ...));

public:
    using role = gate;
    using reads = reads_request<customisation::header_fn>;
    using reports = facets<violation, accepted_types>;
    static constexpr std::string_view name = "content_type";
    struct stats_type {
        std::uint64_t refused = 0;
        void each(auto&& field) const { field("refused_total", refused); }
    };

    /// All types, with commas between.
    [[nodiscard]] static constexpr std::string_view list() noexcept { return {list_.data(), list_.size() - 1}; }
    /// Whether a body of that Content-Type is taken.
    [[nodiscard]] static constexpr bool takes(std::string_view field) noexcept
    {
        if (((field == Types.view()) || ...)) [[likely]]
            return true;
        auto const sent = media_type::parse(field);
        if (!sent) return false;
        for (media_type const& wanted : wanted_)
            if (wanted.takes(*sent)) return true;
        return false;
    }

    [[nodiscard]] admission<> admit(auto& call)
    {
        auto const [sent, repeated] = single_header(call.request(), "content-type");
        if (!repeated && (sent ? takes(*sent) : !detail::has_content(call.request()))) [[likely]]
            return admitted;
        return refuse(call);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load()}; }
    void describe(auto&& field) const { field("types", list()); }

private:
    [[gnu::noinline, gnu::cold]] errc refuse(auto& call)
    {
        refused_.add(1);
        call.report(violation{"header", "content-type", (sizeof...(Types) == 1 ? "" : "one of ") + std::string(list())});
        call.report(accepted_types{detail::accept_field(call.request()), list_.data()});
        return errc::unsupported_media_type;
    }

    static constexpr std::array<media_type, sizeof...(Types)> wanted_{media_type::parse(Types.view()).value_or(media_type{})...};
    static constexpr auto list_ = [] {
        std::array<char, (Types.view().size() + ...) + 2 * (sizeof...(Types) - 1) + 1> text{};
        std::size_t at = 0;
        auto const add = [&](std::string_view part) {
            for (char const c : part) text[at++] = c;
        };
        ((at == 0 ? void() : add(", "), add(Types.view())), ...);
        return text;
    }();

    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
