// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/claims.hpp>
#include <weir/sign/detail/guarded_path.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/secret.hpp>
#include <weir/sign/verified.hpp>
#include <weir/validate/challenge.hpp>
#include <weir/validate/violation.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct claims_match_options {
    /// What a request of another value is refused with: `errc::forbidden` (403: who it is was proved, but it may not), or `errc::unauthenticated`
    /// (401 and `invalid_token`: with this token nothing was proved, as where it is bound to a device or a certificate, RFC 8705 section 3).
    errc mismatch = errc::forbidden;
};

namespace detail {

/// Whether a claim is a value of the request. Nothing is equal to what is missing or empty. Texts are compared in constant time: one may be a secret.
template<class Value>
[[nodiscard]] bool equals_claim(json_view claim, Value const& value)
{
    if constexpr (requires { value.has_value(); }) {
        return value.has_value() && equals_claim(claim, *value);
    } else if constexpr (requires { value.reveal(); }) {
        return equals_claim(claim, value.reveal());
    } else if constexpr (std::convertible_to<Value const&, std::string_view>) {
        std::string_view const text = value;
        auto const said = claim.text();
        return said && !text.empty() && equal_in_constant_time(*said, text);
    } else if constexpr (std::same_as<Value, bool>) {
        return claim.boolean() == value;
    } else {
        static_assert(std::integral<Value>, "weir::claims_match compares texts, secrets, integers, booleans, and optionals of these");
        auto const said = claim.integer();
        return said && std::in_range<Value>(*said) && static_cast<Value>(*said) == value;
    }
}

/// Where the value of the request stands, to be told; and how it is compared.
template<class KeyOf>
struct matched_part {
    static violation tell(std::string expected) { return {"header", "authorization", std::move(expected)}; }
    static bool equals(json_view claim, KeyOf const& key_of, auto& call) { return equals_claim(claim, key_of(call)); }
};
template<fixed_string Name>
struct matched_part<by_header_field<Name>> {
    static violation tell(std::string expected) { return {"header", std::string(Name.view()), std::move(expected)}; }
    static bool equals(json_view claim, by_header_field<Name> const& key_of, auto& call)
    {
        using request_type = std::remove_cvref_t<decltype(call.request())>;
        if constexpr (customisation::has_each_header<request_type>) {
            // Of two fields another reader might take the other one.
            unsigned fields = 0;
            bool same = false;
            weir_each_header(call.request(), Name.view(), [&](std::string_view value) {
                ++fields;
                same = equals_claim(claim, value);
            });
            return fields == 1 && same;
        } else {
            return equals_claim(claim, key_of(call));
        }
    }
};

} // namespace detail

/// Lets a request pass if a claim of its token (RFC 7519 section 4) equals what the request says: the device to which the token is bound, the tenant, the account.
/// ```cpp
/// weir::verify_jwt{keys, {...}},
/// weir::claims_match{"device", weir::by_header<"x-device-id">, {.mismatch = weir::errc::unauthenticated}},
/// weir::claims_match{"account/id", weir::keyed_by(&transfer::from)},
/// ```
/// It stands further in than what provides `verified<claims>`, else it does not compile. The claim may lie deeper, with `/` between the names. It is a text, an integer or a
/// boolean, and equal means equal in type, too: the header `7` is not the integer 7, a list with the value is not the value, what is missing or empty on either side equals nothing.
/// Texts are compared in a time that depends on the lengths only. A header that stands there twice is refused where the request's type can tell (`weir_each_header`).
///
/// | the token                     | is refused with                                                                         |
/// |-------------------------------|-----------------------------------------------------------------------------------------|
/// | was verified by nobody        | `errc::unauthenticated`, challenge `Bearer`                                             |
/// | lacks the claim               | `errc::unauthenticated`, challenge `Bearer error="invalid_token"` (RFC 6750 section 3.1) |
/// | says something else           | `mismatch`; if that is 401, with the same challenge                                     |
///
/// A header proves nothing by itself: whoever steals a token may steal the header. Bind to what cannot be copied (a client certificate seen by the TLS server, a signature verified
/// further out), or take it for what it is, a second thing to steal. Costs the look at the claims; allocates nothing where it passes. Thread-safe.
template<class KeyOf>
class claims_match {
    using part = detail::matched_part<KeyOf>;

public:
    using role = gate;
    using needs = typename detail::facet_union<facets<verified<claims>>, typename detail::needs_of<KeyOf>::type>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using reports = facets<violation, challenge>;
    using options = claims_match_options;
    static constexpr std::string_view name = "claims_match";
    struct stats_type {
        std::uint64_t matched = 0;
        std::uint64_t mismatched = 0;
        std::uint64_t unbound = 0;         ///< verified tokens without the claim
        std::uint64_t unauthenticated = 0; ///< nothing was verified
        void each(auto&& field) const
        {
            field("matched_total", matched);
            field("mismatched_total", mismatched);
            field("unbound_total", unbound);
            field("unauthenticated_total", unauthenticated);
        }
    };

    /// Throws `std::invalid_argument` for a claim without a name, or a `mismatch` that is neither 401 nor 403.
    claims_match(std::string claim, KeyOf key_of, claims_match_options const& o = {})
        : claim_(std::move(claim)), mismatch_(checked(o).mismatch), key_of_(std::move(key_of))
    {
        expect(!claim_.empty(), "claims_match.claim", "the name of a claim");
    }

    [[nodiscard]] admission<> admit(auto& call)
    {
        verified<claims> const& said = call.template get<verified<claims>>();
        if (!said) [[unlikely]] {
            unauthenticated_.add(1);
            call.report(challenge{"Bearer"});
            call.report(violation{"header", "authorization", "a token"});
            return errc::unauthenticated;
        }
        json_view const claim = detail::claim_at(*said, claim_);
        if (part::equals(claim, key_of_, call)) [[likely]] {
            matched_.add(1);
            return admitted;
        }
        return refuse(call, !claim || claim.is_null() || claim.text() == "");
    }

    [[nodiscard]] stats_type stats(time_point = {}) const noexcept
    {
        return {matched_.load(), mismatched_.load(), unbound_.load(), unauthenticated_.load()};
    }
    [[nodiscard]] claims_match_options settings() const noexcept { return {.mismatch = mismatch_.load()}; }
    /// Refuses by these options from now on; which claim it is stays. Throws as the constructor does, then the present ones stay.
    void reconfigure(claims_match_options const& o) { mismatch_.store(checked(o).mismatch); }
    void describe(auto&& field) const
    {
        field("claim", std::string_view(claim_));
        field("mismatch", to_string(mismatch_.load()));
    }

private:
    static claims_match_options const& checked(claims_match_options const& o)
    {
        expect(o.mismatch == errc::forbidden || o.mismatch == errc::unauthenticated, "claims_match.mismatch",
               "errc::forbidden or errc::unauthenticated");
        return o;
    }
    [[gnu::noinline, gnu::cold]] errc refuse(auto& call, bool unbound)
    {
        (unbound ? unbound_ : mismatched_).add(1);
        if (unbound) {
            call.report(violation{"header", "authorization", "a token with all claims that are required: " + claim_});
        } else {
            call.report(part::tell("what the token says in the claim " + claim_));
        }
        if (!unbound && mismatch_.load() == errc::forbidden) return errc::forbidden;
        call.report(challenge{R"(Bearer error="invalid_token")"});
        return errc::unauthenticated;
    }

    std::string claim_;
    shared::cell<errc> mismatch_;
    [[no_unique_address]] KeyOf key_of_;
    shared::cell<std::uint64_t> matched_, mismatched_, unbound_, unauthenticated_;
};

} // namespace weir::inline v0
