// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/token_fault.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::inline v0::detail {

/// The token in `Authorization: Bearer <token>` (RFC 6750 section 2.1); empty if the field is not there or of another scheme.
[[nodiscard]] inline std::string_view bearer_token(std::optional<std::string_view> field) noexcept
{
    constexpr std::string_view scheme = "bearer ";
    if (!field || field->size() < scheme.size()) return {};
    for (std::size_t i = 0; i < scheme.size(); ++i) {
        char const c = (*field)[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != scheme[i]) return {};
    }
    std::string_view token = field->substr(scheme.size());
    while (token.starts_with(' ')) token.remove_prefix(1);
    return token;
}

/// The token of a request, and whether the field stands there twice, where the request's type can tell: then two readers might read two tokens.
struct bearer {
    std::string_view token{};
    bool repeated = false;

    template<class Request>
    explicit bearer(Request const& request)
    {
        if constexpr (customisation::has_each_header<Request>) {
            std::optional<std::string_view> field;
            weir_each_header(request, "authorization", [&](std::string_view value) {
                repeated = field.has_value();
                field = value;
            });
            token = bearer_token(field);
        } else {
            token = bearer_token(header(request, "authorization"));
        }
    }
};

/// What is sent as WWW-Authenticate (RFC 6750 section 3): no error where there was no token.
[[nodiscard]] constexpr std::string_view bearer_challenge(token_fault f) noexcept
{
    switch (f) {
    case token_fault::missing: return "Bearer";
    case token_fault::expired: return R"(Bearer error="invalid_token", error_description="the token has expired")";
    case token_fault::early: return R"(Bearer error="invalid_token", error_description="the token is not valid yet")";
    case token_fault::too_old: return R"(Bearer error="invalid_token", error_description="the token was not issued lately")";
    case token_fault::issuer: return R"(Bearer error="invalid_token", error_description="the token is from another issuer")";
    case token_fault::audience: return R"(Bearer error="invalid_token", error_description="the token is for another audience")";
    case token_fault::missing_claim: return R"(Bearer error="invalid_token", error_description="the token lacks a claim")";
    default: return R"(Bearer error="invalid_token")";
    }
}

} // namespace weir::inline v0::detail
