// SPDX-License-Identifier: BSL-1.0
// What the schemes add to the hashing that they cannot do without: whole requests with a body of 1 KiB, signed and verified, each beside the HMAC of
// the very text that it signs and the digest of the body, by bare OpenSSL with all contexts and the padded key's states kept. One thread; the lower quartile of 61 alternating rounds of 500 calls, as what
// disturbs a round only makes it longer; the ratio is to the first line of its group.
//   message_signature
#include "rounds.hpp"

#include "../tests/sign/raw_message.hpp"
#include "signed_request.hpp"

#include <weir/sign/canonical.hpp>
#include <weir/sign/http_signature.hpp>
#include <weir/sign/sigv4.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::string_view key = "a key of the shop of 32 bytes...";
constexpr weir::wall_time now{1'700'000'000'000ms};
constexpr int calls = 500, rounds = 61;
unsigned volatile sink = 0;

struct context {
    EVP_MD_CTX* made = EVP_MD_CTX_new();
    context() = default;
    context(context const&) = delete;
    context& operator=(context const&) = delete;
    ~context() { EVP_MD_CTX_free(made); }
    operator EVP_MD_CTX*() const noexcept { return made; }
};

/// SHA-256 and HMAC-SHA256 as whoever writes them by hand has them: OpenSSL's calls and nothing else.
class bare {
public:
    explicit bare(std::string_view k)
    {
        std::array<unsigned char, 64> pad{};
        std::copy(k.begin(), k.end(), pad.begin());
        for (unsigned char& b : pad) b ^= 0x36;
        start(inner_, pad);
        for (unsigned char& b : pad) b ^= 0x36 ^ 0x5c;
        start(outer_, pad);
    }
    ~bare() { EVP_MD_free(sha_); }
    bare(bare const&) = delete;
    bare& operator=(bare const&) = delete;

    unsigned digest(std::string_view text) const
    {
        check(EVP_DigestInit_ex2(work_, sha_, nullptr));
        check(EVP_DigestUpdate(work_, text.data(), text.size()));
        return end();
    }
    unsigned hmac(std::string_view text) const
    {
        check(EVP_MD_CTX_copy_ex(work_, inner_));
        check(EVP_DigestUpdate(work_, text.data(), text.size()));
        end();
        check(EVP_MD_CTX_copy_ex(work_, outer_));
        check(EVP_DigestUpdate(work_, out_.data(), 32));
        return end();
    }

private:
    static void check(int result)
    {
        if (result != 1) std::abort();
    }
    unsigned end() const
    {
        check(EVP_DigestFinal_ex(work_, out_.data(), nullptr));
        return out_[0];
    }
    void start(EVP_MD_CTX* c, std::array<unsigned char, 64> const& pad)
    {
        check(EVP_DigestInit_ex2(c, sha_, nullptr));
        check(EVP_DigestUpdate(c, pad.data(), pad.size()));
    }
    EVP_MD* sha_ = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    context inner_{}, outer_{}, work_{};
    mutable std::array<unsigned char, 32> out_{};
};

struct subject {
    std::string_view name;
    std::function<unsigned()> call;
    std::size_t beside;
    std::vector<double> took{};
    double quartile()
    {
        std::sort(took.begin(), took.end());
        return took[took.size() / 4];
    }
};

} // namespace

int main()
{
    bare const openssl(key);

    weir::key_ring<weir::confined> const ring({{.app = "shop", .key = weir::secret(key)}});
    weir::canonical_scheme const bank({.covered = {"content-type"}});
    signed_request order;
    if (!bank.sign(order, {.app = "shop", .device = "till-7", .nonce = "3d1f0a9b3d1f0a9b", .at = now}, ring)) return 1;
    signed_request again = order;
    std::string const bank_text = bank.string_to_sign(order).text;

    weir::message_keys<weir::confined> const keys({{"shop", weir::signature_key(weir::secret(key))}});
    weir::http_signature const http({.components = {"@method", "@target-uri", "content-type"}});
    weir_tests::raw_request plain;
    plain.method = "POST";
    plain.target = "/orders?dry=1";
    plain.fields = {{"Host", "bank.example"}, {"Content-Type", "application/json"}, {"Accept", "*/*"}};
    plain.body.assign(1024, 'b');
    weir_tests::raw_request by_http = plain, by_aws = plain;
    auto const made = http.sign(by_http, keys, now, "3d1f0a9b3d1f0a9b");

    std::vector<weir::sigv4_key> list;
    list.push_back({"AKIDEXAMPLE", weir::secret(key)});
    weir::sigv4_keys<weir::confined> const access(std::move(list));
    weir::sigv4 const aws({.region = "us-east-1", .service = "execute-api"});
    auto const signed_by_aws = aws.sign(by_aws, access, now);
    if (!made || !signed_by_aws || !http.verify(by_http, keys, now) || !aws.verify(by_aws, access, now)) return 1;

    std::vector<subject> subjects{
        {"canonical: HMAC of its text, digest of its body", [&] { return openssl.hmac(bank_text) + openssl.digest(order.body); }, 0},
        {"canonical_scheme::sign",
         [&] {
             auto const found = bank.sign(again, {.app = "shop", .device = "till-7", .nonce = "3d1f0a9b3d1f0a9b", .at = now}, ring);
             return static_cast<unsigned>(found.fault);
         },
         0},
        {"canonical_scheme::verify", [&] { return static_cast<unsigned>(bank.verify(order, ring, now).fault); }, 0},
        {"RFC 9421: HMAC of its base, digest of its body", [&] { return openssl.hmac(made.base) + openssl.digest(plain.body); }, 3},
        {"http_signature::sign",
         [&] {
             weir_tests::raw_request r = plain;
             return static_cast<unsigned>(http.sign(r, keys, now, "3d1f0a9b3d1f0a9b").fault);
         },
         3},
        {"http_signature::verify", [&] { return static_cast<unsigned>(http.verify(by_http, keys, now).fault); }, 3},
        {"SigV4: HMAC of its text, two digests",
         [&] { return openssl.hmac(signed_by_aws.base) + openssl.digest(by_aws.body) + openssl.digest(made.base); }, 6},
        {"sigv4::sign",
         [&] {
             weir_tests::raw_request r = plain;
             return static_cast<unsigned>(aws.sign(r, access, now).fault);
         },
         6},
        {"sigv4::verify", [&] { return static_cast<unsigned>(aws.verify(by_aws, access, now).fault); }, 6},
    };
    for (int r = 0; r < rounds; ++r) {
        for (subject& s : subjects) {
            s.took.push_back(nanoseconds_each(calls, [&] {
                unsigned sum = 0;
                for (int i = 0; i < calls; ++i) sum += s.call();
                sink = sum;
            }));
        }
    }
    for (subject& s : subjects) {
        double const ns = s.quartile();
        std::printf("%-50s %7.0f ns %6.2f\n", std::string(s.name).c_str(), ns, ns / subjects[s.beside].quartile());
    }
}
