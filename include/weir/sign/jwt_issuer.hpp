// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/policy.hpp>
#include <weir/sign/claims_writer.hpp>
#include <weir/sign/random_nonce.hpp>
#include <weir/sign/sign_jws.hpp>
#include <weir/sign/signing_keys.hpp>
#include <weir/sign/timestamp.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct jwt_issuer_options {
    required<std::string> issuer;       ///< `iss`
    required<std::string> audience;     ///< `aud`
    std::chrono::seconds lifetime{300}; ///< from `iat` to `exp`; 1 s to 365 days
    std::string type{"JWT"};            ///< `typ`; left out if empty
    bool identified = true;             ///< `jti`: 128 random bits
};

/// Signs JSON Web Tokens: `jwt_issuer tokens{std::ref(keys), {.issuer = "bank", .audience = "quotes"}}; tokens.issue("bob", now, extra)`.
///
/// It sets `iss`, `aud`, `sub`, `iat`, `exp` and `jti`; what else a token says is written by a `claims_writer`. The keys are `signing_keys`, a `shared_ptr` to them or shared by `std::ref`.
/// Thread-safe as they are. A token costs its signature, about 20 times its verification with RSA.
template<class Keys>
class jwt_issuer {
public:
    /// Throws `std::invalid_argument` for bad options.
    jwt_issuer(Keys keys, jwt_issuer_options const& options) : keys_(std::move(keys)), options_(options)
    {
        using namespace std::chrono_literals;
        expect(!(*options.issuer).empty(), "jwt_issuer.issuer", "a text that is not empty");
        expect(!(*options.audience).empty(), "jwt_issuer.audience", "a text that is not empty");
        expect(options.lifetime >= 1s && options.lifetime <= std::chrono::days(365), "jwt_issuer.lifetime", "1 second to 365 days");
    }

    /// A token for `subject`, issued now. Throws `std::invalid_argument` for claims of the names above, or a subject that is empty or not UTF-8.
    [[nodiscard]] std::string issue(std::string_view subject, wall_time now, claims_writer more = {})
    {
        expect(!subject.empty(), "sub", "a text that is not empty");
        more.text("iss", *options_.issuer)
            .text("aud", *options_.audience)
            .text("sub", subject)
            .time("iat", now)
            .time("exp", now + options_.lifetime);
        if (options_.identified) more.text("jti", random_nonce().view());
        return sign_jws(*keys().current(now), more.json(), {.type = options_.type});
    }
    /// The keys, to be rotated while tokens are issued.
    [[nodiscard]] auto& keys() noexcept { return detail::unwrapped<Keys>::of(keys_); }
    [[nodiscard]] jwt_issuer_options const& options() const noexcept { return options_; }

private:
    Keys keys_;
    jwt_issuer_options options_;
};

} // namespace weir::inline v0
