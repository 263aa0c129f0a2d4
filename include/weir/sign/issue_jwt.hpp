// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/jwt_issuer.hpp>
#include <weir/sign/timestamp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct issue_jwt_options {
    required<std::string> issuer;       ///< `iss`: this service, as those that it calls know it
    required<std::string> audience;     ///< `aud`: the service that is called
    required<std::string> subject;      ///< `sub`: who calls
    std::chrono::seconds lifetime{300}; ///< of a token; 2 s to 365 days. A new one is signed after half of it
    std::string type{"JWT"};            ///< `typ`; left out if empty
};

/// Gives a request on its way down a bearer token of this service's own (RFC 7519, RFC 6750): `issue_jwt{signing_keys{rs256_signer{pem, "2026-a"}}, {.issuer = "gateway", .audience = "quotes", .subject = "gateway"}}`.
///
/// One token serves all calls for half of its lifetime, so that most cost a copy of it, and who verifies it has seen it before. A new one is signed by whoever comes first after that, or when the clock has gone back; under `keys().add(...)`, the first
/// after that time. It replaces an `Authorization` that the request had: a caller's own token is not for the service further in. The call works on a copy of the request. For tokens
/// that say more, or for somebody else, there is `jwt_issuer`.
///
/// Who speaks to whom stays as it was made; what changes while calls come are the keys. These are `signing_keys`, a `shared_ptr` to them,
/// or shared by `std::ref`. Thread-safe with `shared`; a call holds a mutex while it takes a share of the token.
template<class Keys, class Clock = system_wall, threading_model Threading = shared>
class issue_jwt {
    static_assert(wall_clock<detail::policy_t<Clock>>, "weir::issue_jwt wants a wall clock: a type with wall_now()");

public:
    using role = transform;
    using traits = weir::traits<rewrites_request>;
    using options = issue_jwt_options;
    using reads = reads_request<customisation::set_header_fn>;
    static constexpr std::string_view name = "issue_jwt";
    struct stats_type {
        std::uint64_t requests = 0; ///< that were given a token
        std::uint64_t issued = 0;   ///< tokens that were signed
        void each(auto&& field) const
        {
            field("requests_total", requests);
            field("issued_total", issued);
        }
    };

    /// Throws `std::invalid_argument` for bad options. Keys and a clock given by `std::ref` outlive the policy.
    issue_jwt(Keys keys, issue_jwt_options const& o, Clock clock = {})
        : clock_(std::move(clock)),
          issuer_(std::move(keys), {.issuer = o.issuer, .audience = o.audience, .lifetime = o.lifetime, .type = o.type}),
          options_(o)
    {
        expect(!(*o.subject).empty(), "issue_jwt.subject", "a text that is not empty");
        expect(o.lifetime >= std::chrono::seconds(2), "issue_jwt.lifetime", "2 seconds to 365 days");
    }

    [[nodiscard]] admission<> down(auto& call)
    {
        auto const field = current(detail::unwrapped<Clock>::of(clock_).wall_now());
        set_header(call.request(), "authorization", *field);
        requests_.add(1);
        return admitted;
    }

    /// The keys, to be rotated while calls use them.
    [[nodiscard]] auto& keys() noexcept { return issuer_.keys(); }
    [[nodiscard]] stats_type stats(time_point = {}) const noexcept { return {requests_.load(), issued_.load()}; }
    [[nodiscard]] issue_jwt_options const& settings() const noexcept { return options_; }
    void describe(auto&& field) const
    {
        field("issuer", std::string_view(*options_.issuer));
        field("audience", std::string_view(*options_.audience));
        field("subject", std::string_view(*options_.subject));
        field("lifetime", duration(options_.lifetime));
    }

private:
    using count = typename Threading::template cell<std::uint64_t>;
    using share = std::shared_ptr<std::string const>;

    share current(wall_time now)
    {
        auto const key = keys().current(now);
        {
            std::lock_guard const lock(mutex_);
            if (field_ != nullptr && issued_at_ <= now && now < issued_at_ + options_.lifetime / 2 && key == signed_by_) return field_;
        }
        // Outside of the lock: two that come at once sign one each.
        auto fresh = std::make_shared<std::string const>("Bearer " + issuer_.issue(*options_.subject, now));
        issued_.add(1);
        std::lock_guard const lock(mutex_);
        field_ = fresh;
        signed_by_ = key;
        issued_at_ = now;
        return fresh;
    }

    [[no_unique_address]] Clock clock_;
    jwt_issuer<Keys> issuer_;
    issue_jwt_options options_;
    typename Threading::mutex mutex_;
    share field_;
    std::shared_ptr<jws_signer const> signed_by_;
    wall_time issued_at_ = wall_time::min();
    count requests_, issued_;
};

} // namespace weir::inline v0
