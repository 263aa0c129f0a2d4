// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/sign/claims.hpp>
#include <weir/sign/replay_guard.hpp>
#include <weir/sign/verified.hpp>
#include <weir/validate/challenge.hpp>
#include <weir/validate/violation.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Accepts each token once: its `jti` (RFC 7519 section 4.1.7) is remembered until the token has expired. For tokens that are made for one request: an action link, a
/// confirmed payment, a client's assertion (RFC 7523 section 3).
/// ```cpp
/// weir::verify_jwt{keys, {.issuer = "bank", .audience = "payments", .leeway = 30s}},
/// weir::one_time{weir::nonce_store<>{{.capacity = 100'000, .late = 30s, .early = 15min}}},
/// ```
/// It stands further in than what provides `verified<claims>`, else it does not compile: so nobody uses up what he could not have used. The store is one of
/// `replay_guard`: it is asked for `remember(iss, jti, exp, now)`, so the expiry stands for the time of the message. Its window therefore is: `late` the verifier's
/// `leeway` at least, `early` the longest time that a token lives.
///
/// | the token                                                    | is refused with                                                |
/// |--------------------------------------------------------------|----------------------------------------------------------------|
/// | was verified by nobody                                       | `errc::unauthenticated`, challenge `Bearer`                    |
/// | has no `jti`, an empty one, or one of more than 256 bytes    | `errc::unauthenticated`, challenge with `invalid_token`        |
/// | has no `exp`, or expires beyond the store's window           | `errc::unauthenticated`, challenge with `invalid_token`        |
/// | came before                                                  | `errc::replayed`                                               |
/// | is new, but the store is full                                | `errc::overloaded`: nothing is forgotten before its time       |
///
/// Passing uses a token up, whatever becomes of the request; so a `retry` stands further in. Two issuers may use one `jti`; two instances of a service share a store, also one far
/// away (`remember_later`, then the pipeline is asynchronous). What a restart forgets can come once more until it expires. It has no
/// settings of its own: capacity and window are the store's, changed while calls come by `store().reconfigure(...)`. Cost: as the store's,
/// and the look at three claims.
template<class Store, class Clock = system_wall>
class one_time {
    using store_type = detail::policy_t<Store>;
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::one_time wants a wall clock: a type with wall_now()");
    static_assert(replay_store<store_type> || awaited_replay_store<store_type>,
                  "weir::one_time wants a store with remember(group, id, expires_at, now) or remember_later of the same");

public:
    using role = gate;
    using traits = weir::traits<passes_once>;
    using needs = facets<verified<claims>>;
    using reports = facets<violation, challenge>;
    static constexpr std::string_view name = "one_time";
    /// The longest `jti`.
    static constexpr std::size_t longest_id = 256;
    struct stats_type {
        std::uint64_t passed = 0;
        std::uint64_t replayed = 0;
        std::uint64_t full = 0;            ///< refused since the store was full: raise its capacity, or find who fills it
        std::uint64_t outside = 0;         ///< refused since it expires later than the store remembers
        std::uint64_t unnamed = 0;         ///< verified, but without a usable `jti` or `exp`
        std::uint64_t unauthenticated = 0; ///< nothing was verified
        void each(auto&& field) const
        {
            field("passed_total", passed);
            field("replayed_total", replayed);
            field("full_total", full);
            field("outside_total", outside);
            field("unnamed_total", unnamed);
            field("unauthenticated_total", unauthenticated);
        }
    };

    /// A store or clock given by `std::ref` outlives the policy.
    explicit one_time(Store store, Clock clock = {}) : store_(std::move(store)), clock_(std::move(clock)) {}

    [[nodiscard]] admission<> admit(auto& call)
    {
        token const t(call.template get<verified<claims>>());
        if (!t.usable()) [[unlikely]]
            return refuse_unusable(call, t);
        if constexpr (replay_store<store_type>)
            return judge(call, store().remember(t.issuer, t.id, *t.expires, now()));
        else
            return pending;
    }
    template<class Call, class S = store_type>
    requires(!replay_store<S>) [[nodiscard]] auto admit_later(Call& call) ->
        typename detail::rebound<std::remove_cvref_t<decltype(std::declval<S&>().remember_later(std::string_view{}, std::string_view{},
                                                                                                wall_time{}, wall_time{}))>>::type
    {
        token const t(call.template get<verified<claims>>());
        wall_time const asked = now();
        nonce_verdict const v = co_await store().remember_later(t.issuer, t.id, *t.expires, asked);
        co_return judge(call, v);
    }

    [[nodiscard]] auto& store() noexcept { return detail::unwrapped<Store>::of(store_); }
    [[nodiscard]] stats_type stats(time_point = {}) const noexcept
    {
        return {counts_[0].load(), counts_[1].load(), counts_[2].load(), counts_[3].load(), counts_[4].load(), counts_[5].load()};
    }
    void describe(auto&& field) const { field("shared", std::string_view(std::is_same_v<store_type, Store> ? "no" : "yes")); }

private:
    static constexpr std::size_t unnamed = 4, unauthenticated = 5; // counts behind those of the verdicts

    /// What is remembered of a token; views into its claims, which the call holds.
    struct token {
        bool known;
        std::string_view issuer{}, id{};
        std::optional<wall_time> expires{};
        explicit token(verified<claims> const& said) : known(bool(said))
        {
            if (!known) return;
            issuer = said->issuer();
            id = said->id();
            expires = said->time("exp");
        }
        [[nodiscard]] bool has_id() const noexcept { return !id.empty() && id.size() <= longest_id; }
        [[nodiscard]] bool usable() const noexcept { return has_id() && expires; }
    };

    wall_time now() { return detail::unwrapped<Clock>::of(clock_).wall_now(); }
    admission<> judge(auto& call, nonce_verdict v)
    {
        counts_[static_cast<std::size_t>(v)].add(1);
        if (v == nonce_verdict::fresh) [[likely]]
            return admitted;
        return refuse(call, v);
    }
    [[gnu::noinline, gnu::cold]] errc refuse(auto& call, nonce_verdict v)
    {
        if (v == nonce_verdict::full) return errc::overloaded;
        if (v == nonce_verdict::outside) return refuse_token(call, "a token that expires sooner");
        call.report(violation{"header", "authorization", "a token that did not come before"});
        return errc::replayed;
    }
    [[gnu::noinline, gnu::cold]] errc refuse_unusable(auto& call, token const& t)
    {
        counts_[t.known ? unnamed : unauthenticated].add(1);
        if (t.known)
            return refuse_token(call, t.has_id() ? "a token with all claims that are required: exp"
                                                 : "a token with all claims that are required: jti, of 1 to 256 bytes");
        call.report(challenge{"Bearer"});
        call.report(violation{"header", "authorization", "a token"});
        return errc::unauthenticated;
    }
    static errc refuse_token(auto& call, char const* expected)
    {
        call.report(challenge{R"(Bearer error="invalid_token")"});
        call.report(violation{"header", "authorization", expected});
        return errc::unauthenticated;
    }

    Store store_;
    [[no_unique_address]] Clock clock_;
    std::array<shared::cell<std::uint64_t>, 6> counts_{};
};

} // namespace weir::inline v0
