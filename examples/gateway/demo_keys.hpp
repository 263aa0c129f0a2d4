// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/claims_writer.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/jwt_issuer.hpp>
#include <weir/sign/message_keys.hpp>

#include <fmt/format.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace gateway {

/// A fresh pair of keys, as PEM.
class key_pair {
public:
    static key_pair p256() { return key_pair(EVP_EC_gen("P-256")); }
    static key_pair ed25519() { return key_pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

    [[nodiscard]] std::string private_pem() const
    {
        return text([&](BIO* b) { return PEM_write_bio_PrivateKey(b, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    }
    [[nodiscard]] std::string public_pem() const
    {
        return text([&](BIO* b) { return PEM_write_bio_PUBKEY(b, key_.get()); });
    }
    /// The public half of a pair on P-256 as a JSON Web Key (RFC 7518 section 6.2).
    [[nodiscard]] std::string jwk(std::string_view kid) const
    {
        std::array<unsigned char, 65> point{}; // 4, x, y
        std::size_t size = 0;
        if (EVP_PKEY_get_octet_string_param(key_.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 || size != 65)
            throw std::runtime_error("a key that is not on P-256");
        auto const half = [&](std::size_t from) {
            return weir::to_base64url(std::string_view(reinterpret_cast<char const*>(point.data()) + from, 32));
        };
        return fmt::format(R"({{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"{}","x":"{}","y":"{}"}})", kid, half(1),
                           half(33));
    }

private:
    struct closer {
        void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
        void operator()(BIO* b) const noexcept { BIO_free(b); }
    };
    explicit key_pair(EVP_PKEY* made) : key_(made)
    {
        if (made == nullptr) throw std::runtime_error("OpenSSL made no key");
    }
    template<class Write>
    static std::string text(Write write)
    {
        std::unique_ptr<BIO, closer> const out(BIO_new(BIO_s_mem()));
        if (out == nullptr || write(out.get()) != 1) throw std::runtime_error("OpenSSL wrote no key");
        char* data = nullptr;
        long const size = BIO_get_mem_data(out.get(), &data);
        return std::string(data, static_cast<std::size_t>(size));
    }

    std::unique_ptr<EVP_PKEY, closer> key_;
};

/// What a token says, unless a scene wants it otherwise.
struct token_plan {
    std::string audience = "quotes";
    std::string scope = "quotes:read";
    std::string device = "till-7";
    std::chrono::seconds age{0};
    std::chrono::seconds lifetime{3600};
};

/// Who issues the tokens that the gateway's clients read with.
class token_issuer {
public:
    explicit token_issuer(std::string kid) : kid_(std::move(kid)), keys_(weir::es256_signer(weir::secret(pair_.private_pem()), kid_)) {}

    [[nodiscard]] std::string token(token_plan const& plan = {}) const
    {
        weir::jwt_issuer made(std::ref(keys_), {.issuer = "https://login.example", .audience = plan.audience, .lifetime = plan.lifetime});
        weir::claims_writer more;
        more.text("scope", plan.scope);
        if (!plan.device.empty()) more.text("device", plan.device);
        return made.issue("ann", weir::system_wall().wall_now() - plan.age, std::move(more));
    }
    [[nodiscard]] std::string jwk() const { return pair_.jwk(kid_); }
    [[nodiscard]] key_pair const& pair() const noexcept { return pair_; }

private:
    std::string kid_;
    key_pair pair_ = key_pair::p256();
    weir::signing_keys<> mutable keys_;
};

/// A folder of the demo's own for its keys, which are made anew each time: gone, with all that is in it, when this object is.
class demo_keys {
public:
    /// The keys as a gateway's settings name them.
    demo_keys()
    {
        std::string name = (std::filesystem::temp_directory_path() / "weir-gateway-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        folder_ = name;
        write_jwks({issuer.jwk()});
        for (auto const& [id, pair] : own_) {
            write(std::string(id) + ".pem", pair.private_pem());
            write(std::string(id) + ".pub.pem", pair.public_pem());
        }
    }
    ~demo_keys()
    {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    demo_keys(demo_keys const&) = delete;
    demo_keys& operator=(demo_keys const&) = delete;

    [[nodiscard]] std::string path(std::string_view name) const { return (folder_ / name).string(); }
    void write(std::string_view name, std::string_view text) const
    {
        std::ofstream out(folder_ / name, std::ios::binary | std::ios::trunc);
        if (!(out << text).flush()) throw std::runtime_error("cannot write " + path(name));
    }
    void write_jwks(std::vector<std::string> const& keys) const
    {
        std::string all;
        for (std::string const& each : keys) (all += all.empty() ? "" : ",") += each;
        write("issuer.jwks", fmt::format(R"({{"keys":[{}]}})", all));
    }
    /// Where the gateway finds them.
    [[nodiscard]] std::vector<std::string> settings() const
    {
        return {"/tokens/jwks=" + path("issuer.jwks"), "/identity/key=" + path("gateway-1.pem")};
    }
    /// By what the services know the gateway: a key, and the one that comes after it.
    [[nodiscard]] std::vector<std::string> public_names() const
    {
        std::vector<std::string> names;
        for (auto const& [id, pair] : own_) names.push_back(fmt::format("{}={}", id, path(std::string(id) + ".pub.pem")));
        return names;
    }
    /// By what its clients do.
    [[nodiscard]] std::vector<weir::message_key> public_keys() const
    {
        std::vector<weir::message_key> keys;
        for (auto const& [id, pair] : own_)
            keys.push_back({.id = std::string(id), .key = {weir::signature_algorithm::ed25519, pair.public_pem()}});
        return keys;
    }
    /// All texts that nobody may find in a log.
    [[nodiscard]] std::vector<std::string> secrets() const
    {
        std::vector<std::string> lines;
        for (std::string const& pem : {issuer.pair().private_pem(), own_[0].second.private_pem(), own_[1].second.private_pem()}) {
            std::size_t const begin = pem.find('\n') + 1; // the line behind BEGIN
            lines.push_back(pem.substr(begin, pem.find('\n', begin) - begin));
        }
        return lines;
    }

    token_issuer const issuer{"issuer-1"};

private:
    std::filesystem::path folder_;
    std::array<std::pair<std::string_view, key_pair>, 2> const own_{
        {{"gateway-1", key_pair::ed25519()}, {"gateway-2", key_pair::ed25519()}}};
};

} // namespace gateway
