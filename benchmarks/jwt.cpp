// SPDX-License-Identifier: BSL-1.0
// What a token costs: one of about 290 bytes (HS256) verified by weir, beside the bare cryptography written by hand: OpenSSL's HMAC of the same bytes
// with its context kept, and EVP digest and verify with the context kept. Nanoseconds a call: medians of 301 alternating rounds, and what each verification
// allocates. The bars are those of the project: it ends with status 1 where one is missed.
#include "allocations.hpp"
#include "rounds.hpp"

#include <weir/sign/jws_key.hpp>
#include <weir/sign/jwt_verifier.hpp>
#include <weir/sign/key_set.hpp>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr weir::wall_time now{1'900'000'000s};
constexpr char const* key_text = "a key of the bank, of 64 bytes, as long as a block of the digest";
constexpr std::string_view said =
    R"({"iss":"https://issuer.weir.test","aud":"weir-api","sub":"u-1","exp":1900000600,"nbf":1899999940,"iat":1899999940,"jti":"d335427fcd7d61d4"})";
weir::jwt_options const wanted{.issuer = "https://issuer.weir.test", .audience = "weir-api"};

void check(bool good)
{
    if (!good) std::abort();
}
weir::secret<> secret_key()
{
    return weir::secret<>(key_text);
}

/// OpenSSL's HMAC with its context kept.
class kept_hmac {
public:
    kept_hmac() : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), context_(EVP_MAC_CTX_new(mac_))
    {
        std::string digest = "SHA256", key = key_text;
        std::array const parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
        check(EVP_MAC_init(context_, reinterpret_cast<unsigned char const*>(key.data()), key.size(), parameters.data()) == 1);
    }
    ~kept_hmac()
    {
        EVP_MAC_CTX_free(context_);
        EVP_MAC_free(mac_);
    }
    kept_hmac(kept_hmac const&) = delete;
    unsigned operator()(std::string_view text) const
    {
        std::array<unsigned char, 32> out{};
        std::size_t size = 0;
        EVP_MAC_init(context_, nullptr, 0, nullptr);
        EVP_MAC_update(context_, reinterpret_cast<unsigned char const*>(text.data()), text.size());
        EVP_MAC_final(context_, out.data(), &size, out.size());
        return out[0];
    }

private:
    EVP_MAC* mac_;
    EVP_MAC_CTX* context_;
};

/// EVP digest and verify by hand, with the contexts kept and the signature decoded.
class kept_verify {
public:
    kept_verify(EVP_PKEY* key, std::string signature)
        : digest_(EVP_MD_CTX_new()),
          algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
          context_(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)),
          signature_(std::move(signature))
    {
        check(EVP_PKEY_verify_init(context_) == 1 && EVP_PKEY_CTX_set_signature_md(context_, algorithm_) == 1);
        if (EVP_PKEY_is_a(key, "RSA") == 1) check(EVP_PKEY_CTX_set_rsa_padding(context_, RSA_PKCS1_PADDING) == 1);
    }
    ~kept_verify()
    {
        EVP_PKEY_CTX_free(context_);
        EVP_MD_free(algorithm_);
        EVP_MD_CTX_free(digest_);
    }
    kept_verify(kept_verify const&) = delete;
    unsigned operator()(std::string_view text) const
    {
        std::array<unsigned char, 32> out{};
        unsigned size = 0;
        EVP_DigestInit_ex2(digest_, algorithm_, nullptr);
        EVP_DigestUpdate(digest_, text.data(), text.size());
        EVP_DigestFinal_ex(digest_, out.data(), &size);
        auto const* bytes = reinterpret_cast<unsigned char const*>(signature_.data());
        return static_cast<unsigned>(EVP_PKEY_verify(context_, bytes, signature_.size(), out.data(), size));
    }

private:
    EVP_MD_CTX* digest_;
    EVP_MD* algorithm_;
    EVP_PKEY_CTX* context_;
    std::string signature_;
};

std::string pem_of(EVP_PKEY* key, bool is_private)
{
    BIO* const to = BIO_new(BIO_s_mem());
    is_private ? PEM_write_bio_PrivateKey(to, key, nullptr, nullptr, 0, nullptr, nullptr) : PEM_write_bio_PUBKEY(to, key);
    char* at = nullptr;
    long const size = BIO_get_mem_data(to, &at);
    std::string made(at, static_cast<std::size_t>(size));
    BIO_free(to);
    return made;
}

template<class Verifier, class Keys>
std::function<unsigned()> verifying(Verifier& verifier, Keys const& keys, std::string const& token)
{
    return [&] {
        auto const v = verifier.verify(token, keys, now);
        check(bool(v));
        return static_cast<unsigned>(v.principal.size());
    };
}

struct result {
    double each, beside;
};
/// The medians of both, measured in turn.
result compare(int calls, std::function<unsigned()> const& f, std::function<unsigned()> const& bare)
{
    auto const run = [calls](std::function<unsigned()> const& g) {
        return nanoseconds_each(static_cast<std::size_t>(calls), [&] {
            unsigned sum = 0;
            for (int i = 0; i < calls; ++i) sum += g();
            keep(sum);
        });
    };
    std::vector<double> a, b;
    run(f), run(bare);
    for (int i = 0; i < 301; ++i) {
        a.push_back(run(f));
        b.push_back(run(bare));
    }
    return {median(a), median(b)};
}
std::size_t allocated(std::function<unsigned()> const& f)
{
    f();
    std::size_t const before = allocations();
    for (int i = 0; i < 100; ++i) keep(f());
    return (allocations() - before) / 100;
}

int missed = 0;

void report(char const* what, result r, double bar, std::size_t allocations)
{
    double const ratio = r.each / r.beside;
    bool const good = bar == 0 || ratio <= bar;
    std::printf("%-44s %9.0f ns   bare %9.0f ns   ratio %5.2f   bar %4.2f %-6s %zu allocations\n", what, r.each, r.beside, ratio, bar,
                good ? "" : "OVER", allocations);
    missed += !good;
}

} // namespace

int main()
{
    weir::jwt_options none = wanted;
    none.remembered = 0;

    weir::hs256 const mac{secret_key()};
    std::string const token = weir::sign_jws(weir::hs256_signer{secret_key(), "k-HS256"}, said, {.type = "JWT"});
    std::string const input = token.substr(0, token.rfind('.'));
    kept_hmac const bare_mac;
    weir::jwt_verifier<weir::hs256> fresh(none), seen(wanted);
    auto const bare = [&] { return bare_mac(input); };
    std::printf("a token of %zu bytes; its header and claims %zu\n", token.size(), said.size());
    auto const first = verifying(fresh, mac, token), again = verifying(seen, mac, token);
    report("HS256, verified", compare(200, first, bare), 2.6, allocated(first));
    report("HS256, seen before", compare(1'000, again, bare), 0.6, allocated(again));
    if (allocated(again) != 0) ++missed;
    weir::key_set<> const set{weir::hs256{secret_key(), "k-HS256"}, weir::hs256{secret_key(), "other"}};
    weir::jwt_verifier<weir::key_set<>> by_name(none);
    auto const named = verifying(by_name, set, token);
    report("HS256, verified, key by name in a set", compare(200, named, bare), 0, allocated(named));

    EVP_PKEY* const rsa = EVP_RSA_gen(2048);
    weir::rs256 const rsa_key{pem_of(rsa, false)};
    std::string const rsa_token = weir::sign_jws(weir::rs256_signer{weir::secret<>(pem_of(rsa, true)), "k-RS256"}, said, {.type = "JWT"});
    std::string const rsa_input = rsa_token.substr(0, rsa_token.rfind('.'));
    kept_verify const bare_rsa(rsa, *weir::from_base64url(std::string_view(rsa_token).substr(rsa_input.size() + 1)));
    check(bare_rsa(rsa_input) == 1);
    weir::jwt_verifier<weir::rs256> rsa_fresh(none);
    auto const by_rsa = verifying(rsa_fresh, rsa_key, rsa_token);
    report("RS256, verified", compare(20, by_rsa, [&] { return bare_rsa(rsa_input); }), 1.08, allocated(by_rsa));

    EVP_PKEY* const ec = EVP_EC_gen("P-256");
    weir::es256 const ec_key{pem_of(ec, false)};
    std::string const ec_token = weir::sign_jws(weir::es256_signer{weir::secret<>(pem_of(ec, true)), "k-ES256"}, said, {.type = "JWT"});
    std::string const ec_input = ec_token.substr(0, ec_token.rfind('.'));
    std::string const numbers = *weir::from_base64url(std::string_view(ec_token).substr(ec_input.size() + 1));
    weir::detail::der_signature const der(reinterpret_cast<unsigned char const*>(numbers.data()), 32);
    kept_verify const bare_ec(ec, std::string(reinterpret_cast<char const*>(der.data()), der.size()));
    check(bare_ec(ec_input) == 1);
    weir::jwt_verifier<weir::es256> ec_fresh(none);
    auto const by_ec = verifying(ec_fresh, ec_key, ec_token);
    report("ES256, verified", compare(10, by_ec, [&] { return bare_ec(ec_input); }), 1.03, allocated(by_ec));

    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    std::printf("%d over their bar\n", missed);
    return missed == 0 ? 0 : 1;
}
