// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/awaitable.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/principal.hpp>
#include <weir/core/request.hpp>
#include <weir/core/striped.hpp>
#include <weir/sign/claims.hpp>
#include <weir/sign/detail/bearer.hpp>
#include <weir/sign/detail/fetching.hpp>
#include <weir/sign/jwt_verifier.hpp>
#include <weir/sign/verified.hpp>
#include <weir/validate/challenge.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Lets a request pass if its `Authorization: Bearer` holds a good JSON Web Token (RFC 7519, RFC 6750), and provides who it is for as the `principal` and
/// what it says as `verified<claims>`:
/// `verify_jwt{rs256{public_key}, {.issuer = "bank", .audience = "quotes"}}`, or `verify_jwt{std::ref(keys), {...}}` with a `key_set`.
///
/// What is checked, and how strictly, says `jwt_verifier`; what is refused is refused with `errc::unauthenticated`, a `violation` of the header `authorization` that says what
/// was expected, and the `challenge` that RFC 6750 asks for. Whatever is wrong with key, algorithm or signature is told alike; the stats tell more.
/// Nothing of a token is ever logged or reported. A request with two `Authorization` fields is refused where its type can tell (`weir_each_header`).
///
/// A token is as good as cash: whoever has it may use it until it expires. So it travels under TLS only, and its time is short.
///
/// A call costs one look-up for a token seen before (bounded, see `jwt_options::remembered`), else the verification. Then nothing is allocated, but for a name in `principal` beyond 255
/// characters, or the first ones of a thread beyond 15. Keys that are replaced (`keys().replace(...)`) count at once. The keys are a `jws_key` or `key_set`, a `shared_ptr` to one, or one
/// shared by `std::ref`; `Threading` is that of the tokens that are remembered. Keys of an issuer on the net are a `fetched_keys`; while there are none since they cannot be
/// fetched, calls are refused with `errc::unavailable`.
template<class Keys, class Clock = system_wall, threading_model Threading = shared>
class verify_jwt {
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::verify_jwt wants a wall clock: a type with wall_now()");
    static_assert(jws_keys<detail::policy_t<Keys>>, "weir::verify_jwt wants keys: rs256{pem}, hs256{secret} and the like, or a key_set");
    using keys_type = detail::policy_t<Keys>;
    static constexpr bool fetches = detail::fetching_keys<keys_type>;
    template<class K>
    using fetch_t = std::remove_cvref_t<decltype(std::declval<K&>().fetch(std::declval<jwks_request const&>()))>;

public:
    using role = gate;
    using traits = weir::traits<establishes_identity>;
    using options = jwt_options;
    using provides = facets<principal, verified<claims>>;
    using reports = facets<violation, challenge>;
    using reads = reads_request<customisation::header_fn>;
    static constexpr std::string_view name = "verify_jwt";
    struct stats_type {
        std::uint64_t verified = 0;                        ///< passed
        std::uint64_t remembered = 0;                      ///< of these, by a verdict from before
        std::array<std::uint64_t, token_faults> refused{}; ///< by `token_fault`
        void each(auto&& field) const
        {
            constexpr std::array<std::string_view, token_faults> names{"",
                                                                       "missing_total",
                                                                       "too_long_total",
                                                                       "malformed_total",
                                                                       "bad_header_total",
                                                                       "critical_total",
                                                                       "unknown_key_total",
                                                                       "wrong_algorithm_total",
                                                                       "wrong_signature_total",
                                                                       "type_total",
                                                                       "claims_total",
                                                                       "claim_type_total",
                                                                       "missing_claim_total",
                                                                       "issuer_total",
                                                                       "audience_total",
                                                                       "expired_total",
                                                                       "early_total",
                                                                       "too_old_total"};
            field("verified_total", verified);
            field("remembered_total", remembered);
            for (std::size_t i = 1; i < token_faults; ++i) field(names[i], refused[i]);
        }
    };

    /// Throws `std::invalid_argument` for bad options. Keys and a clock given by `std::ref` outlive the policy; a clock of your own lets it run in virtual time.
    verify_jwt(Keys keys, jwt_options const& o, Clock clock = {}) : keys_(std::move(keys)), clock_(std::move(clock)), verifier_(o)
    {
        expect(!o.principal.empty(), "verify_jwt.principal", "the name of a claim");
    }

    [[nodiscard]] admission<> admit(auto& call)
    {
        detail::bearer const brought(call.request());
        if (brought.repeated) [[unlikely]]
            return refuse(call, token_fault::malformed, {});
        if constexpr (fetches) {
            if (auto const why = due(brought.token, call.now())) [[unlikely]] {
                if constexpr (awaitable<fetch_t<keys_type>>)
                    return pending;
                else
                    fetch({*why, call.now()});
            }
        }
        jwt_verdict v = verify(brought.token);
        if constexpr (fetches) {
            if (v.fault == token_fault::unknown_key) [[unlikely]] {
                auto const kid = detail::kid_of(brought.token);
                if (keys().may_learn(kid, call.now())) {
                    if constexpr (awaitable<fetch_t<keys_type>>) {
                        return pending;
                    } else {
                        fetch({jwks_reason::unknown_key, call.now()});
                        v = verify_again(brought.token, kid, call.now());
                    }
                }
            }
        }
        return judge(call, v);
    }
    /// Fetches keys, then decides.
    template<class Call, class K = keys_type>
    requires(fetches&& awaitable<fetch_t<K>>) [[nodiscard]] auto admit_later(Call& call) ->
        typename detail::awaitable_admission<fetch_t<K>>::type
    {
        std::string_view const token = detail::bearer(call.request()).token;
        time_point const now = call.now();
        std::optional<jwks_reason> why = due(token, now);
        std::optional<std::string> kid;
        jwt_verdict v;
        for (;;) {
            if (why) {
                jwks_request const wanted{*why, now};
                bool over = false;
                try {
                    auto const came = co_await keys().fetch(wanted);
                    over = came.has_error() && came.error() == errc::cancelled;
                } catch (...) { // the keys stay as they are; what failed is counted there
                }
                if (over) result<void>(errc::cancelled).value(); // throws: the driver knows why the call is over
            }
            v = verify(token);
            if (v.fault != token_fault::unknown_key || why == jwks_reason::unknown_key) break;
            kid = detail::kid_of(token);
            if (!keys().may_learn(kid, now)) break;
            why = jwks_reason::unknown_key;
        }
        if (v.fault == token_fault::unknown_key && why == jwks_reason::unknown_key) keys().is_unknown(kid, now);
        co_return judge(call, v);
    }

    /// The keys, to be replaced while calls use them.
    [[nodiscard]] auto& keys() noexcept { return detail::unwrapped<Keys>::of(keys_); }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        stats_type s{.verified = verified_.sum(), .remembered = remembered_.sum()};
        for (std::size_t i = 0; i < token_faults; ++i) s.refused[i] = refused_[i].load();
        return s;
    }
    [[nodiscard]] jwt_options settings() const { return verifier_.options(); }
    /// Judges by these options from now on, tokens seen before as well; `remembered` has to stay what it was. Throws `std::invalid_argument` for bad
    /// options; then the present ones stay.
    void reconfigure(jwt_options const& o)
    {
        expect(!o.principal.empty(), "verify_jwt.principal", "the name of a claim");
        verifier_.reconfigure(o);
    }
    void describe(auto&& field) const
    {
        jwt_options const o = settings();
        field("issuer", std::string_view(*o.issuer));
        field("audience", std::string_view(*o.audience));
        field("leeway", duration(o.leeway));
        field("remembered", o.remembered);
    }

private:
    [[gnu::always_inline]] jwt_verdict verify(std::string_view token)
    {
        return verifier_.verify(token, keys(), detail::unwrapped<Clock>::of(clock_).wall_now());
    }
    jwt_verdict verify_again(std::string_view token, std::optional<std::string> const& kid, time_point now)
    {
        jwt_verdict v = verify(token);
        if (v.fault == token_fault::unknown_key) keys().is_unknown(kid, now);
        return v;
    }
    /// Who brings no token causes no fetch.
    std::optional<jwks_reason> due(std::string_view token, time_point now) { return token.empty() ? std::nullopt : keys().is_due(now); }
    [[gnu::noinline, gnu::cold]] void fetch(jwks_request const& wanted) noexcept
    {
        try {
            static_cast<void>(keys().fetch(wanted));
        } catch (...) { // the keys stay as they are; what failed is counted there
        }
    }
    [[gnu::always_inline]] admission<> judge(auto& call, jwt_verdict& v)
    {
        if (!v) [[unlikely]] {
            if constexpr (fetches)
                if (v.fault == token_fault::unknown_key)
                    if (auto const wait = keys().missing_for(call.now())) return no_keys(*wait);
            return refuse(call, v.fault, v.claim);
        }
        verified_.add(1);
        if (v.remembered) remembered_.add(1);
        call.set(principal::of(v.principal));
        call.set(std::move(v.said));
        return admitted;
    }
    [[gnu::noinline, gnu::cold]] error no_keys(duration wait)
    {
        refused_[static_cast<std::size_t>(token_fault::unknown_key)].add(1);
        return error(errc::unavailable, wait);
    }
    [[gnu::noinline, gnu::cold]] errc refuse(auto& call, token_fault f, std::string_view claim)
    {
        refused_[static_cast<std::size_t>(f)].add(1);
        std::string expected(expectation_of(f));
        if (f == token_fault::missing_claim || f == token_fault::claim_type) (expected += ": ") += claim;
        call.report(violation{"header", "authorization", std::move(expected)});
        call.report(challenge{detail::bearer_challenge(f)});
        return errc::unauthenticated;
    }

    Keys keys_;
    [[no_unique_address]] Clock clock_;
    jwt_verifier<keys_type, Threading> verifier_;
    detail::counter<Threading> verified_, remembered_;
    std::array<typename Threading::template cell<std::uint64_t>, token_faults> refused_{};
};

} // namespace weir::inline v0
