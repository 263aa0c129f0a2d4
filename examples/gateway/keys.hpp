// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "section.hpp"

#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jws_key.hpp>
#include <weir/sign/jwt_options.hpp>
#include <weir/sign/key_ring.hpp>
#include <weir/sign/key_set.hpp>
#include <weir/sign/message_keys.hpp>
#include <weir/sign/open_response.hpp>
#include <weir/sign/secret.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The keys of the gateway, and what both ends of a signed message agreed on.
namespace gateway {

/// Tokens that clients read with: who issues them, for whom, and the issuer's public keys: a JSON Web Key Set, or one key in PEM.
struct tokens_settings {
    weir::jwt_options options{.issuer = "?", .audience = "?"};
    std::shared_ptr<weir::key_set<> const> keys;
    std::string digest; ///< of the file
};

/// The gateway's own key, which signs what it asks and seals what it answers.
struct identity_settings {
    std::vector<weir::message_key> key; ///< one
    std::string digest;                 ///< of the file
};

/// What the issuer of tokens may sign with.
inline weir::key_set_options issuer_options()
{
    using enum weir::jws_algorithm;
    return {.algorithms = {es256, ed25519, ps256, rs256}};
}

/// One key of the issuer's, in PEM. Tokens name it, if it has a name.
inline weir::key_set<> issuer_key(std::string_view algorithm, std::string_view pem, std::string kid)
{
    if (algorithm == "ES256") return weir::key_set<>(weir::es256(pem, std::move(kid)));
    if (algorithm == "EdDSA") return weir::key_set<>(weir::ed25519(pem, std::move(kid)));
    if (algorithm == "PS256") return weir::key_set<>(weir::ps256(pem, std::move(kid)));
    return weir::key_set<>(weir::rs256(pem, std::move(kid)));
}

inline tokens_settings read_tokens(section s, std::filesystem::path const& folder)
{
    tokens_settings made;
    made.options.issuer = s.text("issuer");
    made.options.audience = s.text("audience");
    made.options.leeway = std::chrono::ceil<std::chrono::seconds>(s.time("leeway"));
    auto const take = [&](weir::key_set<>&& keys, std::string_view text) {
        std::string why = "expected a public key for ES256, EdDSA, PS256 or RS256";
        for (std::string const& each : keys.left_out()) (why += "; ") += each;
        if (keys.size() == 0) throw std::invalid_argument(why);
        made.keys = std::make_shared<weir::key_set<> const>(std::move(keys));
        made.digest = weir::to_hex(weir::sha256(text));
    };
    if (s.has("key")) {
        constexpr std::array<std::string_view, 4> algorithms{"ES256", "EdDSA", "PS256", "RS256"};
        std::string const algorithm = s.one_of("algorithm", algorithms), kid = s.has("kid") ? s.text("kid") : std::string();
        s.file("key", folder, [&](std::string const& text) { take(issuer_key(algorithm, text, kid), text); });
    } else {
        s.file("jwks", folder, [&](std::string const& text) { take(weir::key_set<>(text, issuer_options()), text); });
    }
    return made;
}

inline identity_settings read_identity(section s, std::filesystem::path const& folder)
{
    identity_settings made;
    std::string const name = s.text("name");
    s.file("key", folder, [&](std::string read) {
        weir::secret<> const text(std::move(read));
        weir::signature_key key(weir::signature_algorithm::ed25519, text.reveal());
        if (!key.can_sign()) throw std::invalid_argument("key: expected a private key, for this one has to sign");
        made.key = {{.id = name, .key = std::move(key)}};
        static_cast<void>(weir::message_keys<>(made.key)); // what it refuses, it refuses here
        made.digest = weir::to_hex(weir::sha256(text.reveal()));
    });
    return made;
}

/// A public key by which others know the gateway: `gateway-1=gateway-1.pub.pem`.
inline weir::message_key read_gateway_key(std::string_view given)
{
    auto const equals = given.find('=');
    std::string const file(given.substr(equals == std::string_view::npos ? given.size() : equals + 1));
    std::ifstream in(file, std::ios::binary);
    std::string const text(std::istreambuf_iterator<char>(in), {});
    if (text.empty()) throw std::invalid_argument(std::string(given) + ": expected NAME=FILE, and a public key in that file");
    return {.id = std::string(given.substr(0, equals)), .key = weir::signature_key(weir::signature_algorithm::ed25519, text)};
}

/// How the gateway signs what it asks a service: method, path, query and body, the id of the request, and for which service it is. So it
/// can be neither altered, nor sent to another one, nor be of use some seconds later.
inline weir::http_signature_options asked_of(std::string_view service)
{
    std::vector<std::string> covered{"@method", "@path", "@query", "x-correlation-id"};
    if (service == "orders") covered.emplace_back("content-type");
    return {.components = std::move(covered),
            .label = "gateway",
            .tag = std::string(service),
            .max_age = std::chrono::seconds(5),
            .skew = std::chrono::seconds(2)};
}

/// How the gateway seals an answer: its status, type and body, whether it is less than it should be, and which request it answers. Each has an id of its own, so that an answer is
/// good for that very request and for no other that asks the same.
inline weir::http_signature_options seal()
{
    weir::http_signature_options made = weir::sealed_answer();
    made.components.insert(made.components.end(), {"content-type", "x-correlation-id;req"});
    made.scheme = "http"; // this demo; with TLS in front of it, "https"
    made.max_age = std::chrono::seconds(5);
    made.skew = std::chrono::seconds(2);
    return made;
}

} // namespace gateway
