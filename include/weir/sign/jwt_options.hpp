// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace weir::inline v0 {

/// What a token has to say to be taken.
struct jwt_options {
    required<std::string> issuer;                  ///< `iss` is exactly this
    required<std::string> audience;                ///< `aud` is this, or a list with it
    std::string type{};                            ///< `typ` is this, case and `application/` ignored (`"at+jwt"`, RFC 9068); any if empty
    std::vector<std::string> require{"exp"};       ///< claims that have to be there, beside `iss` and `aud`
    std::string principal{"sub"};                  ///< the claim, a text that is not empty, that says who it is; none is asked for if empty
    std::chrono::seconds leeway{30};               ///< how far clocks may differ; 0 to 1 day
    std::optional<std::chrono::seconds> max_age{}; ///< `iat` is there, and at most so long ago; from 1 s to 3650 days
    std::size_t max_bytes = 8'192;                 ///< the longest token; 16 to 2^20
    std::size_t remembered = 1'024;                ///< tokens whose verdict is kept until they expire; 0 to 2^20
};

/// Throws `std::invalid_argument` that names the member that is out of its range.
inline jwt_options const& checked(jwt_options const& o)
{
    using namespace std::chrono_literals;
    expect(!(*o.issuer).empty(), "verify_jwt.issuer", "a text that is not empty");
    expect(!(*o.audience).empty(), "verify_jwt.audience", "a text that is not empty");
    expect(o.leeway >= 0s && o.leeway <= 24h, "verify_jwt.leeway", "0 to 1 day");
    expect(!o.max_age || (*o.max_age >= 1s && *o.max_age <= std::chrono::days(3650)), "verify_jwt.max_age", "1 second to 3650 days");
    expect(o.max_bytes >= 16 && o.max_bytes <= 1 << 20, "verify_jwt.max_bytes", "16 to 2^20");
    expect(o.remembered <= 1 << 20, "verify_jwt.remembered", "0 to 2^20");
    for (std::string const& each : o.require) expect(!each.empty(), "verify_jwt.require", "names of claims");
    return o;
}

} // namespace weir::inline v0
