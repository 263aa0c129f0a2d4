// SPDX-License-Identifier: BSL-1.0
// What the schemes add to the hashing that they cannot do without: whole requests with a body of 1 KiB, signed and verified, each beside the bare
// HMAC of the very text that it signs and the digest of the body. One thread; the lower quartile of 61 alternating rounds of 500 calls, as what
// disturbs a round only makes it longer; the ratio is to the first line of its group.
//   message_signature
#include "rounds.hpp"

#include "../tests/sign/raw_message.hpp"
#include "signed_request.hpp"

#include <weir/sign/canonical.hpp>
#include <weir/sign/http_signature.hpp>
#include <weir/sign/sigv4.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
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
    auto const first = [](weir::sha256_digest const& d) { return static_cast<unsigned>(d[0]); };
    weir::hmac_sha256 const hmac(key);

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
        {"canonical: HMAC of its text, digest of its body", [&] { return first(hmac(bank_text)) + first(weir::sha256(order.body)); }, 0},
        {"canonical_scheme::sign",
         [&] {
             auto const found = bank.sign(again, {.app = "shop", .device = "till-7", .nonce = "3d1f0a9b3d1f0a9b", .at = now}, ring);
             return static_cast<unsigned>(found.fault);
         },
         0},
        {"canonical_scheme::verify", [&] { return static_cast<unsigned>(bank.verify(order, ring, now).fault); }, 0},
        {"RFC 9421: HMAC of its base, digest of its body", [&] { return first(hmac(made.base)) + first(weir::sha256(plain.body)); }, 3},
        {"http_signature::sign",
         [&] {
             weir_tests::raw_request r = plain;
             return static_cast<unsigned>(http.sign(r, keys, now, "3d1f0a9b3d1f0a9b").fault);
         },
         3},
        {"http_signature::verify", [&] { return static_cast<unsigned>(http.verify(by_http, keys, now).fault); }, 3},
        {"SigV4: five HMACs, two digests",
         [&] {
             unsigned sum = first(weir::sha256(plain.body)) + first(weir::sha256(bank_text));
             for (int i = 0; i < 5; ++i) sum += first(weir::hmac_sha256(key)("20231114/us-east-1"));
             return sum;
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
