// SPDX-License-Identifier: BSL-1.0
// What a signature costs: HMAC-SHA256 of 1 KiB beside OpenSSL's two ways, and whole requests with a body of 1 KiB signed and verified
// by the canonical scheme, beside the bare hashing in them. Nanoseconds a call: medians of 21 alternating rounds; then the same with
// two threads on the same objects.
#include "rounds.hpp"
#include "signed_request.hpp"

#include <weir/sign/canonical.hpp>
#include <weir/sign/nonce_store.hpp>
#include <weir/sign/random_nonce.hpp>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <array>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr std::string_view key = "a key of the shop of 32 bytes...";
constexpr weir::wall_time now{1'700'000'000'000ms};
std::string const message(1024, 'm');

struct mac_deleter {
    void operator()(EVP_MAC* p) const noexcept { EVP_MAC_free(p); }
    void operator()(EVP_MAC_CTX* p) const noexcept { EVP_MAC_CTX_free(p); }
};

/// OpenSSL's HMAC with its context kept: one thread's own.
class kept_context {
public:
    kept_context() : mac_(EVP_MAC_fetch(nullptr, "HMAC", nullptr)), context_(EVP_MAC_CTX_new(mac_.get()))
    {
        std::string digest = "SHA256";
        std::array const parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
        if (EVP_MAC_init(context_.get(), reinterpret_cast<unsigned char const*>(key.data()), key.size(), parameters.data()) != 1)
            std::abort();
    }
    unsigned operator()(std::string_view text)
    {
        std::array<unsigned char, 32> out{};
        std::size_t size = 0;
        EVP_MAC_init(context_.get(), nullptr, 0, nullptr);
        EVP_MAC_update(context_.get(), reinterpret_cast<unsigned char const*>(text.data()), text.size());
        EVP_MAC_final(context_.get(), out.data(), &size, out.size());
        return out[0];
    }

private:
    std::unique_ptr<EVP_MAC, mac_deleter> mac_;
    std::unique_ptr<EVP_MAC_CTX, mac_deleter> context_;
};

unsigned one_shot(std::string_view text)
{
    std::array<unsigned char, 32> out{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<unsigned char const*>(text.data()), text.size(),
         out.data(), &size);
    return out[0];
}

/// A thing to measure: made once for each thread, called many times; what it returns is summed, so that it cannot be left out.
struct subject {
    std::string_view name;
    std::function<std::function<unsigned()>()> make;
    std::size_t beside; // the subject it is compared with
    std::vector<double> alone{}, together{};
};

constexpr int calls = 2'000;
constexpr int rounds = 21;
unsigned volatile sink = 0;

double nanoseconds(std::function<unsigned()> const& call)
{
    return nanoseconds_each(calls, [&] {
        unsigned sum = 0;
        for (int i = 0; i < calls; ++i) sum += call();
        sink = sum;
    });
}

} // namespace

int main()
{
    weir::hmac_sha256 const prepared(key);
    weir::key_ring const ring{
        {{.app = "shop", .key = weir::secret(key)}, {.app = "bank", .key = weir::secret("another key for the bank")}}};
    weir::canonical_scheme const scheme{{.covered = {"content-type"}}};
    weir::nonce_store<> nonces{{.capacity = 1'000'000, .late = 1s, .early = 0s}};
    signed_request order;
    if (!scheme.sign(order, {.app = "shop", .device = "till-7", .nonce = weir::random_nonce().view(), .at = now}, ring)) return 1;
    std::string const text = scheme.string_to_sign(order).text;
    auto const first = [](weir::sha256_digest const& d) { return static_cast<unsigned>(d[0]); };

    std::vector<subject> subjects{
        {"HMAC of 1 KiB: weir::hmac_sha256", [&] { return [&] { return first(prepared(message)); }; }, 0},
        {"HMAC of 1 KiB: OpenSSL, context kept", [] { return [kept = std::make_shared<kept_context>()] { return (*kept)(message); }; }, 0},
        {"HMAC of 1 KiB: OpenSSL, one-shot", [] { return [] { return one_shot(message); }; }, 0},
        {"the bare hashing of a request", [&] { return [&] { return first(prepared(text)) + first(weir::sha256(order.body)); }; }, 3},
        {"the same through the key ring",
         [&] { return [&] { return first(*ring.sign("shop", now, text)) + first(weir::sha256(order.body)); }; }, 3},
        {"canonical_scheme::sign",
         [&] {
             return [&, own = std::make_shared<signed_request>(order)] {
                 return static_cast<unsigned>(
                     scheme.sign(*own, {.app = "shop", .device = "till-7", .nonce = "3d1f0a9b3d1f0a9b", .at = now}, ring).fault);
             };
         },
         3},
        {"canonical_scheme::verify", [&] { return [&] { return static_cast<unsigned>(scheme.verify(order, ring, now).fault); }; }, 3},
        {"canonical_scheme::verify of a forged body of 1 KiB",
         [&] {
             auto forged = std::make_shared<signed_request>(order);
             weir::set_header(*forged, "x-nonce", "another");
             return [&, forged] { return static_cast<unsigned>(scheme.verify(*forged, ring, now).fault); };
         },
         3},
        {"random_nonce", [] { return [] { return static_cast<unsigned>(weir::random_nonce().view()[0]); }; }, 8},
        {"nonce_store::remember, fresh",
         [&] {
             // Time moves on, so that there is always room.
             return [&, at = std::make_shared<std::int64_t>(now.time_since_epoch().count() * 1'000)] {
                 weir::wall_time const t{std::chrono::milliseconds(++*at / 1'000)};
                 return static_cast<unsigned>(
                     nonces.remember("shop", weir::timestamp_text(weir::wall_time(std::chrono::milliseconds(*at))).view(), t, t));
             };
         },
         9}};

    std::vector<std::function<unsigned()>> mine;
    for (subject const& s : subjects) mine.push_back(s.make());
    std::barrier both(2);
    std::jthread const other([&] {
        std::vector<std::function<unsigned()>> own;
        for (subject const& s : subjects) own.push_back(s.make());
        for (int r = 0; r < rounds; ++r) {
            for (auto const& call : own) {
                both.arrive_and_wait();
                nanoseconds(call);
                both.arrive_and_wait();
            }
        }
    });
    for (int r = 0; r < rounds; ++r) {
        for (std::size_t i = 0; i < subjects.size(); ++i) {
            subjects[i].alone.push_back(nanoseconds(mine[i]));
            both.arrive_and_wait();
            subjects[i].together.push_back(nanoseconds(mine[i]));
            both.arrive_and_wait();
        }
    }

    std::printf("%-52s %10s %8s %12s\n", "", "one thread", "ratio", "two threads");
    for (subject const& s : subjects) {
        double const ns = median(s.alone);
        std::printf("%-52s %7.0f ns %8.2f %9.0f ns\n", std::string(s.name).c_str(), ns, ns / median(subjects[s.beside].alone),
                    median(s.together));
    }
    std::puts("The ratio is to the first line of its group.");
}
