// SPDX-License-Identifier: BSL-1.0
// What verify_request adds to the algorithms in it: a signed request with a body of 1 KiB through a pipeline, beside
// canonical_scheme::verify and nonce_store::remember called by hand. Each request is new. Slices of 50 requests alternate, so that
// both see the same moods of the machine; medians of all slices.
#include "allocations.hpp"
#include "rounds.hpp"
#include "signed_request.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/verify_request.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// Time stands still: its reading is the same for both.
struct frozen_wall {
    static weir::wall_time wall_now() noexcept { return weir::wall_time{1'700'000'000'000ms}; }
};

constexpr std::size_t requests = 4'000;
constexpr std::size_t slice = 50;
constexpr std::size_t rounds = 21;

struct measured {
    std::vector<double> nanoseconds{};
    std::size_t allocated = 0;

    void add(std::span<signed_request const> some, auto&& accepts)
    {
        std::size_t const before = allocations();
        nanoseconds.push_back(nanoseconds_each(some.size(), [&] {
            for (signed_request const& r : some) {
                if (!accepts(r)) std::abort();
            }
        }));
        allocated += allocations() - before;
    }
    double typical() const { return median(nanoseconds); }
    void print(char const* name, double beside) const
    {
        std::printf("%-36s %7.0f ns %8.2f %10.2f allocations\n", name, typical(), typical() / beside,
                    static_cast<double>(allocated) / static_cast<double>(rounds * requests));
    }
};

} // namespace

int main()
{
    weir::key_ring<> keys{{{.app = "shop", .key = weir::secret{"a key of the shop of 32 bytes..."}}}};
    weir::canonical_scheme const scheme{{.covered = {"content-type"}}};
    std::vector<signed_request> all(requests);
    for (std::size_t i = 0; i < requests; ++i) {
        std::string const nonce = "3d1f0a9b-" + std::to_string(i);
        if (!scheme.sign(all[i], {.app = "shop", .device = "till-7", .nonce = nonce, .at = frozen_wall::wall_now()}, keys)) return 1;
    }

    measured by_hand, policy;
    for (std::size_t i = 0; i < rounds; ++i) {
        weir::nonce_store<> nonces{{.capacity = requests}};
        weir::pipeline svc{weir::verify_request{std::ref(keys), {.scheme = scheme.options(), .nonce_capacity = requests}, frozen_wall{}},
                           [](signed_request const&) { return 1; }};
        auto const hand = [&](signed_request const& r) {
            weir::wall_time const now = frozen_wall::wall_now();
            auto const found = scheme.verify(r, keys, now);
            return found && nonces.remember(found.app, found.nonce, found.signed_at, now) == weir::nonce_verdict::fresh;
        };
        for (std::size_t first = 0; first < requests; first += slice) {
            auto const some = std::span(all).subspan(first, slice);
            by_hand.add(some, hand);
            policy.add(some, [&](signed_request const& r) { return svc(r).has_value(); });
        }
    }
    double const beside = by_hand.typical();
    by_hand.print("by hand: verify, then remember", beside);
    policy.print("verify_request in a pipeline", beside);
}
