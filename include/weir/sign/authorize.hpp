// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/principal.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/claims.hpp>
#include <weir/sign/detail/guarded_path.hpp>
#include <weir/sign/verified.hpp>
#include <weir/validate/challenge.hpp>
#include <weir/validate/violation.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

/// Who has all of these words in the claim `scope`, or `scp`: `has_scope<"accounts:read">`.
template<fixed_string... Words>
struct has_scope {
    using needs = facets<verified<claims>>;
    [[nodiscard]] static bool holds(auto const& call) { return (call.template get<verified<claims>>()->has_scope(Words.view()) && ...); }
    [[nodiscard]] static std::string expected()
    {
        std::string words = "the scope";
        ((words += ' ', words += Words.view()), ...);
        return words;
    }
};
/// Who has this role in a claim, which is it or a list with it. The claim may lie deeper: `has_role<"teller", "realm_access/roles">`.
template<fixed_string Role, fixed_string Claim = "roles">
struct has_role {
    using needs = facets<verified<claims>>;
    [[nodiscard]] static bool holds(auto const& call)
    {
        return claims::lists(detail::claim_at(*call.template get<verified<claims>>(), Claim.view()), Role.view());
    }
    [[nodiscard]] static std::string expected() { return "the role " + std::string(Role.view()); }
};
/// Whose claim is this text, or a list with it: `claim_is<"tenant", "north">`. The claim may lie deeper, as in `has_role`.
template<fixed_string Claim, fixed_string Value>
struct claim_is {
    using needs = facets<verified<claims>>;
    [[nodiscard]] static bool holds(auto const& call)
    {
        return claims::lists(detail::claim_at(*call.template get<verified<claims>>(), Claim.view()), Value.view());
    }
    [[nodiscard]] static std::string expected() { return "another value of the claim " + std::string(Claim.view()); }
};
/// For whom a function of the claims, or of the claims and the request, is true: `claims_meet<[](weir::claims const& c) { return c.integer("level") > 2; },
/// "a level above 2">`. It has no state.
template<auto Predicate, fixed_string Expected>
struct claims_meet {
    using needs = facets<verified<claims>>;
    [[nodiscard]] static bool holds(auto& call)
    {
        claims const& said = *call.template get<verified<claims>>();
        if constexpr (std::is_invocable_r_v<bool, decltype(Predicate), claims const&>)
            return Predicate(said);
        else
            return Predicate(said, call.request());
    }
    [[nodiscard]] static std::string expected() { return std::string(Expected.view()); }
};
/// Who is one of these, by the `principal` that a signature or a token proved.
template<fixed_string... Names>
struct is_principal {
    using needs = facets<principal>;
    [[nodiscard]] static bool holds(auto const& call)
    {
        std::string_view const who = call.template get<principal>().name;
        return ((who == Names.view()) || ...);
    }
    [[nodiscard]] static std::string expected() { return "another principal"; }
};
/// One of the conditions holds.
template<class... Conditions>
struct either {
    static_assert(sizeof...(Conditions) > 0, "weir::either wants conditions");
    using needs = typename detail::facet_union<typename Conditions::needs...>::type;
    [[nodiscard]] static bool holds(auto& call) { return (Conditions::holds(call) || ...); }
    [[nodiscard]] static std::string expected()
    {
        std::string all;
        ((all += all.empty() ? "" : ", or ", all += Conditions::expected()), ...);
        return all;
    }
};
/// All of the conditions hold.
template<class... Conditions>
struct every {
    using needs = typename detail::facet_union<typename Conditions::needs...>::type;
    [[nodiscard]] static bool holds(auto& call) { return (Conditions::holds(call) && ...); }
    [[nodiscard]] static std::string expected()
    {
        std::string all;
        ((all += all.empty() ? "" : ", and ", all += Conditions::expected()), ...);
        return all.empty() ? "anybody who is known" : all;
    }
};

/// The conditions for a method and a path: `on<"POST", "/accounts/{id}/transfers", has_scope<"transfers:write">>`. The method may be `*`; `GET` is for HEAD,
/// too. In the path, `{name}` is any one segment, and `*` at its end all that is below, or nothing. Without conditions whoever is known may.
template<fixed_string Method, fixed_string Path, class... Conditions>
struct on {
    static_assert(detail::is_guarded_path(Path.view()), "weir::on wants a path such as /accounts/{id}/transfers or /accounts/*");
    using condition = every<Conditions...>;
    using needs = typename condition::needs;
    [[nodiscard]] static bool is_about(std::string_view verb, detail::plain_path const& path)
    {
        bool const same = Method.view() == "*" || Method.view() == verb || (verb == "HEAD" && Method.view() == "GET");
        return same && path.fits(Path.view());
    }
};

namespace detail {
template<class T>
constexpr bool is_on = false;
template<fixed_string Method, fixed_string Path, class... Conditions>
constexpr bool is_on<on<Method, Path, Conditions...>> = true;
} // namespace detail

/// Lets those pass who may: by conditions for every request, `authorize<has_role<"teller">, has_scope<"accounts:read">>{}`, of which all have to hold, or by
/// method and path:
/// ```cpp
/// weir::pipeline accounts{weir::verify_jwt{keys, {...}},
///                         weir::authorize<weir::on<"GET", "/accounts/*", weir::has_scope<"accounts:read">>,
///                                         weir::on<"*", "/accounts/{id}/limits", weir::has_role<"manager">>,
///                                         weir::on<"*", "/accounts/*", weir::either<weir::has_role<"teller">, weir::has_role<"manager">>>>{},
///                         ...};
/// ```
/// The first rule that is about the request decides, and one that no rule is about is refused: what was forgotten is closed. Paths are compared decoded, without the
/// parameters of segments; one with an empty segment, with dots for a segment, or with an encoded slash, a backslash or a control could be read in two ways and is refused.
///
/// Who may not is told 403, `errc::forbidden`, with a `violation` that names the missing right and nothing of the token; of whom nothing was proved 401,
/// `errc::unauthenticated`, with the `challenge` `Bearer`. What proves it stands further out, or the pipeline does not compile. A condition of your own is a type with
/// `needs`, `static bool holds(auto& call)` and `static std::string expected()`. It has no settings and nothing to reconfigure: who may do
/// what is in the type, reviewed with the code and the same in every process; what has to change while calls come is a claim, or what a
/// condition of your own looks up. Costs the look at the claims; allocates where a path is encoded. Thread-safe.
template<class... Rules>
class authorize {
    static_assert(sizeof...(Rules) > 0, "weir::authorize wants conditions, or rules by weir::on");
    static constexpr bool by_route = (detail::is_on<Rules> || ...);
    static_assert(!by_route || (detail::is_on<Rules> && ...), "weir::authorize wants conditions, or rules by weir::on, not both");

public:
    using role = gate;
    using needs = typename detail::facet_union<typename Rules::needs...>::type;
    using reads = std::conditional_t<by_route, reads_request<customisation::method_fn, customisation::target_fn>, reads_request<>>;
    using reports = facets<violation, challenge>;
    static constexpr std::string_view name = "authorize";
    struct stats_type {
        std::uint64_t forbidden = 0;
        std::uint64_t unauthenticated = 0;
        void each(auto&& field) const
        {
            field("forbidden_total", forbidden);
            field("unauthenticated_total", unauthenticated);
        }
    };

    [[nodiscard]] admission<> admit(auto& call)
    {
        if (!is_known(call)) [[unlikely]] {
            unauthenticated_.add(1);
            call.report(challenge{"Bearer"});
            call.report(violation{"header", "authorization", "a token"});
            return errc::unauthenticated;
        }
        if constexpr (by_route) {
            detail::plain_path const path(target(call.request()));
            std::string_view const verb = method(call.request());
            bool decided = false, may = false;
            static_cast<void>((decide<Rules>(call, verb, path, decided, may) || ...));
            if (may) [[likely]]
                return admitted;
            if (!decided) return refuse(call, "a request that the rules of its route are about");
        } else {
            if ((holds<Rules>(call) && ...)) [[likely]]
                return admitted;
        }
        return errc::forbidden;
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {forbidden_.load(), unauthenticated_.load()}; }
    void describe(auto&& field) const { field("rules", std::uint64_t{sizeof...(Rules)}); }

private:
    static bool is_known(auto const& call)
    {
        if constexpr (needs::template contains<verified<claims>>)
            if (!call.template get<verified<claims>>()) return false;
        if constexpr (needs::template contains<principal>)
            if (call.template get<principal>().name.empty()) return false;
        return true;
    }
    template<class Condition>
    bool holds(auto& call)
    {
        if (Condition::holds(call)) [[likely]]
            return true;
        static_cast<void>(refuse(call, Condition::expected()));
        return false;
    }
    /// Whether the rule is about the request; then it decides.
    template<class Rule>
    bool decide(auto& call, std::string_view verb, detail::plain_path const& path, bool& decided, bool& may)
    {
        if (!Rule::is_about(verb, path)) return false;
        decided = true;
        may = holds<typename Rule::condition>(call);
        return true;
    }
    [[gnu::noinline, gnu::cold]] errc refuse(auto& call, std::string expected)
    {
        forbidden_.add(1);
        call.report(violation{"header", "authorization", std::move(expected)});
        return errc::forbidden;
    }

    shared::cell<std::uint64_t> forbidden_;
    shared::cell<std::uint64_t> unauthenticated_;
};

} // namespace weir::inline v0
