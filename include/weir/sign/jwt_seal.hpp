// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/sign/detail/expect_days.hpp>
#include <weir/sign/detail/key_source.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/message_component.hpp>
#include <weir/sign/message_keys.hpp>
#include <weir/sign/message_view.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// How responses are sealed by a token, as both ends agreed.
struct jwt_seal_options {
    required<std::string> issuer; ///< `iss`: the service that answers; printable ASCII without quotation marks and backslashes, not empty
    std::string header = "x-response-seal"; ///< the header that carries the token
    /// Response headers that are sealed, too: those that change what an answer means. One that is absent is sealed as absent.
    std::vector<std::string> covered{"content-type", "content-encoding", "location", "x-degraded"};
    std::string scheme = "https";     ///< how the service is reached
    std::string authority{};          ///< its name, for requests without Host, as a client has them
    std::chrono::seconds max_age{60}; ///< how long after it was made a seal is accepted; not negative
    std::chrono::seconds skew{30};    ///< how far the clocks may be apart
};

/// A seal on a response as a JWT in a header (RFC 7519), signed by the key of the service; for clients whose companies know tokens but no message
/// signatures. Its payload has these members in this order, each once, nothing else, no white space:
///
/// | member | it is                                                                                                                  |
/// |--------|------------------------------------------------------------------------------------------------------------------------|
/// | `iss`  | the issuer                                                                                                             |
/// | `iat`  | when it was made, in seconds                                                                                           |
/// | `jti`  | a value of its own                                                                                                     |
/// | `req`  | the SHA-256 of the request that is answered, base64url: method, target URI, digest of the body, signature, line by line |
/// | `res`  | the SHA-256 of the response, base64url: status, covered headers, digest of the body, line by line                      |
///
/// The catcher makes the whole token's payload anew from the request it sent, the response it got, and `iat` and `jti`, and compares: nothing
/// of a stranger's JSON is interpreted. Its header is `{"alg":"ES256","kid":"...","typ":"seal+jwt"}`, made anew likewise: algorithm and key are those that
/// `kid` names here. Algorithms: HS256, RS256, PS512, ES256, ES384, EdDSA, as the key has it. A response has the header once. Immutable, thread-safe.
class jwt_seal {
public:
    using options = jwt_seal_options;

    /// Throws `std::invalid_argument` naming the member that is wrong.
    explicit jwt_seal(options o) : options_(std::move(o))
    {
        expect(!(*options_.issuer).empty() && is_plain(*options_.issuer), "issuer",
               "printable ASCII without quotation marks and backslashes");
        expect(is_name(options_.header), "header", "a header name");
        for (std::string& name : options_.covered) {
            expect(is_name(name), "covered", "header names");
            name = detail::lower_case(name);
        }
        detail::expect_days("max_age", options_.max_age);
        detail::expect_days("skew", options_.skew);
    }

    [[nodiscard]] options const& settings() const noexcept { return options_; }
    void describe(auto&& field) const
    {
        field("issuer", std::string_view(*options_.issuer));
        field("header", std::string_view(options_.header));
        field("max_age", duration(options_.max_age));
    }

    /// Sets the header on a response, bound to the request that it answers.
    template<signable_message M, verifiable_message R, class Threading>
    message_check sign_answer(M& response, R const& request, message_keys<Threading> const& keys, wall_time now,
                              std::string_view nonce) const
    {
        message_check made{.unique = std::string(nonce), .signed_at = std::chrono::floor<std::chrono::seconds>(now)};
        auto const key = keys.signer(now);
        if (!key || !is_plain(key->id)) return failed(std::move(made), message_fault::unknown_key, {});
        made.signer = key->id;
        bool const good = append_text(made, key->id, key->key.algorithm(), message_view(response), message_view(request));
        if (!good || !is_plain(nonce)) return failed(std::move(made), message_fault::malformed, {});
        set_header(response, options_.header, made.base + '.' + to_base64url(key->key.sign(made.base)));
        return made;
    }
    /// Whether a response is sealed, given the request that it answers as it was sent.
    template<verifiable_message M, verifiable_message R, class Threading>
    message_check verify_answer(M const& response, R const& request, message_keys<Threading> const& keys, wall_time now) const
    {
        return verify(message_view(response), message_view(request), detail::key_source(keys), now);
    }

private:
    message_check verify(message_view const& response, message_view const& request, detail::key_source keys, wall_time now) const
    {
        message_check found;
        auto const lines = response.fields(options_.header);
        if (lines.empty()) return failed(std::move(found), message_fault::missing, options_.header);
        std::string_view const token = detail::trim_value(lines.front());
        auto const first = token.find('.'), second = token.find('.', first + 1);
        if (lines.size() != 1 || token.size() > 8'192 || first == std::string_view::npos || second == std::string_view::npos)
            return failed(std::move(found), message_fault::malformed, options_.header);
        auto const head = from_base64url(token.substr(0, first)), payload = from_base64url(token.substr(first + 1, second - first - 1)),
                   signature = from_base64url(token.substr(second + 1));
        if (!head || !payload || !signature) return failed(std::move(found), message_fault::malformed, options_.header);
        // What has to be known to make the token anew; whatever else stands in it shows when the two are compared.
        found.signer = between(*head, "\"kid\":\"", '"');
        found.unique = between(*payload, "\"jti\":\"", '"');
        auto const at = parse_timestamp(between(*payload, "\"iat\":", ','));
        auto const key = keys.find(found.signer, now);
        if (!at || !is_plain(found.unique)) return failed(std::move(found), message_fault::malformed, options_.header);
        if (!key) return failed(std::move(found), message_fault::unknown_key, {});
        found.signed_at = wall_time(std::chrono::seconds(at->time_since_epoch().count()));
        if (!append_text(found, found.signer, key->algorithm(), response, request))
            return failed(std::move(found), message_fault::malformed, options_.header);
        if (found.base != token.substr(0, second) || !key->verify(found.base, *signature))
            return failed(std::move(found), message_fault::wrong_signature, {});
        if (now - found.signed_at > options_.max_age + options_.skew) return failed(std::move(found), message_fault::late, options_.header);
        if (found.signed_at - now > options_.skew) return failed(std::move(found), message_fault::early, options_.header);
        return found;
    }

    /// The header and payload of the token, encoded.
    bool append_text(message_check& made, std::string_view id, signature_algorithm a, message_view const& response,
                     message_view const& request) const
    {
        std::string asked, answered;
        message_origin const origin{options_.scheme, options_.authority};
        static message_component const verb("@method"), uri("@target-uri"), code("@status");
        if (!verb.append_line(asked, request, nullptr, origin) || !uri.append_line(asked, request, nullptr, origin)) return false;
        asked += to_hex(sha256(request.body()));
        for (std::string_view const signature : request.fields("signature")) (asked += '\n') += detail::trim_value(signature);
        if (!code.append_line(answered, response, nullptr)) return false;
        for (std::string const& name : options_.covered) {
            for (std::string_view const value : response.fields(name)) {
                if ((detail::byte_classes_in(value) & detail::byte_class::control) != 0) return false;
                (((answered += name) += ':') += detail::trim_value(value)) += '\n';
            }
            (answered += name) += '\n';
        }
        answered +=
            to_hex(sha256(request.method() == "HEAD" ? std::string_view() : response.body())); // what answers it loses its body on the way

        std::string text = "{\"alg\":\"";
        (((text += jws_name(a)) += "\",\"kid\":\"") += id) += "\",\"typ\":\"seal+jwt\"}";
        made.base = to_base64url(text) + '.';
        text = "{\"iss\":\"";
        ((text += *options_.issuer) += "\",\"iat\":") +=
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(made.signed_at.time_since_epoch()).count());
        ((text += ",\"jti\":\"") += made.unique) += "\",\"req\":\"";
        ((text += to_base64url(sha256(asked))) += "\",\"res\":\"") += to_base64url(sha256(answered));
        made.base += to_base64url(text += "\"}");
        return true;
    }

    static std::string_view jws_name(signature_algorithm a) noexcept
    {
        constexpr std::array<std::string_view, 6> names{"HS256", "PS512", "RS256", "ES256", "ES384", "EdDSA"};
        return names[static_cast<std::size_t>(a)];
    }
    /// What stands behind the first `begin`, up to `end`.
    static std::string between(std::string_view text, std::string_view begin, char end)
    {
        auto const from = text.find(begin);
        if (from == std::string_view::npos) return {};
        text.remove_prefix(from + begin.size());
        return std::string(text.substr(0, text.find(end)));
    }
    static bool is_plain(std::string_view text) noexcept
    {
        return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
    }
    static bool is_name(std::string const& name) noexcept
    {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        return !name.empty() && name.find_first_not_of(marks) == std::string::npos;
    }
    static message_check failed(message_check found, message_fault fault, std::string where)
    {
        found.fault = fault;
        found.where = std::move(where);
        return found;
    }

    options options_;
};

} // namespace weir::inline v0
