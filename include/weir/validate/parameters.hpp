// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/validate/check_rules.hpp>
#include <weir/validate/detail/parameter_source.hpp>
#include <weir/validate/read_query.hpp>
#include <weir/validate/violation.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Where the parameters of a path lie: `in_path<"/accounts/{account}/orders/{id}">` fills the members `account` and `id`. A segment in
/// braces is a whole one.
template<fixed_string Pattern>
struct in_path {
    static_assert(Pattern.view().starts_with('/'), "weir::in_path wants a path that begins with /");
};
/// A member that a header fills: `in_header<&asked::app, "x-app-id">`.
template<auto Member, fixed_string Name>
struct in_header {
    static_assert(!Name.view().empty(), "weir::in_header wants the name of a header");
};

/// Reads the parameters of a request, typed, from its path, its query and its headers, into a described struct, enforces the struct's
/// `rules`, and provides it as a facet:
/// ```cpp
/// struct asked { std::string account; std::uint64_t id; std::optional<std::uint32_t> depth; std::string app; };
/// BOOST_DESCRIBE_STRUCT(asked, (), (account, id, depth, app))
///
/// weir::pipeline svc{weir::parameters<asked, weir::in_path<"/accounts/{account}/orders/{id}">, weir::in_header<&asked::app, "x-app-id">>{},
///                    [](http::request const&, weir::view<asked> facts) { return find_order(facts.get<asked>()); }};
/// ```
/// Members that no path and no header names come from the query, by the rules of `read_query`, which also says what a member may be. All
/// that is wrong is reported at once as `violations`, each with `"path"`, `"query"` or `"header"` and the parameter's own name, and refused
/// with `errc::invalid_request`; a path of another form is `errc::not_found`. A parameter of the query that no member has is refused,
/// unless the options say so: they have to where another policy reads some, as `paging` does. A header that stands there twice is refused
/// where the request's type can tell (`weir_each_header`).
///
/// Costs a pass over the target, a look-up a header, and an allocation where a value is long. The struct lies in the call's frame.
/// Thread-safe.
template<std::default_initializable Struct, class... Sources>
class parameters {
    static_assert(detail::checked_query<Struct>());
    using sources = detail::parameter_sources<Struct, Sources...>;
    static_assert(sources::checked());

public:
    using role = gate;
    using options = query_options;
    using provides = facets<Struct>;
    using reads = typename sources::reads;
    using reports = facets<violations>;
    static constexpr std::string_view name = "parameters";
    struct stats_type {
        std::uint64_t refused = 0;
        void each(auto&& field) const { field("refused_total", refused); }
    };

    explicit parameters(options const& o = {}) noexcept : ignore_(o.ignore_unknown_parameters) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        auto const& request = call.request();
        Struct read{};
        violations wrong;
        std::string_view const asked = target(request);
        if (!detail::read_path(asked, sources::path, sources::all, &read, wrong)) return refuse(errc::not_found);
        sources::each_header([&](std::size_t at, std::string_view wanted) {
            detail::read_header(single_header(request, wanted), detail::json_object<Struct>::members[at], &read, wrong);
        });
        detail::read_query(asked, &read, sources::query_shape, settings(), wrong);
        detail::check_rules(read, wrong, "query", false);
        if (wrong.empty()) [[likely]] {
            call.set(std::move(read));
            return admitted;
        }
        detail::tell_sources(wrong, sources::all);
        call.report(std::move(wrong));
        return refuse(errc::invalid_request);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {refused_.load()}; }
    [[nodiscard]] options settings() const noexcept { return {ignore_.load()}; }
    /// For calls that come from now on.
    void reconfigure(options const& o) noexcept { ignore_.store(o.ignore_unknown_parameters); }
    void describe(auto&& field) const
    {
        field("path", sources::path);
        field("ignore_unknown_parameters", ignore_.load());
    }

private:
    [[gnu::noinline, gnu::cold]] errc refuse(errc why)
    {
        refused_.add(1);
        return why;
    }

    shared::cell<bool> ignore_;
    shared::cell<std::uint64_t> refused_;
};

} // namespace weir::inline v0
