// SPDX-License-Identifier: BSL-1.0
// What verify_request adds to the algorithms in it: a signed request with a body of 1 KiB through a pipeline, beside
// canonical_scheme::verify and nonce_store::remember called by hand. Each request is new. Slices of 50 requests alternate, so that
// both see the same moods of the machine; medians of all slices.
#include "allocations.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/verify_request.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

/// A request with its fields in a row, as a parser leaves them.
struct request {
    std::string body = std::string(1024, 'b');
    std::vector<std::pair<std::string, std::string>> fields{{"host", "localhost"}, {"content-type", "application/json"}, {"accept", "*/*"}};

    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name)
    {
        for (auto const& [key, value] : r.fields) {
            if (key == name) return value;
        }
        return std::nullopt;
    }
    friend void weir_set_header(request& r, std::string_view name, std::string_view value) { r.fields.emplace_back(name, value); }
    friend std::string_view weir_method(request const&) { return "POST"; }
    friend std::string_view weir_target(request const&) { return "/orders?dry=1"; }
    friend std::string_view weir_body(request const& r) { return r.body; }
};

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

    void add(std::span<request const> some, auto&& accepts)
    {
        std::size_t const before = allocations();
        auto const start = std::chrono::steady_clock::now();
        for (request const& r : some) {
            if (!accepts(r)) std::abort();
        }
        std::chrono::duration<double, std::nano> const spent = std::chrono::steady_clock::now() - start;
        nanoseconds.push_back(spent.count() / static_cast<double>(some.size()));
        allocated += allocations() - before;
    }
    double median()
    {
        auto const middle = nanoseconds.begin() + static_cast<std::ptrdiff_t>(nanoseconds.size() / 2);
        std::ranges::nth_element(nanoseconds, middle);
        return *middle;
    }
    void print(char const* name, double beside)
    {
        std::printf("%-36s %7.0f ns %8.2f %10.2f allocations\n", name, median(), median() / beside,
                    static_cast<double>(allocated) / static_cast<double>(rounds * requests));
    }
};

} // namespace

int main()
{
    weir::key_ring<> keys{{{.app = "shop", .key = weir::secret{"a key of the shop of 32 bytes..."}}}};
    weir::canonical_scheme const scheme{{.covered = {"content-type"}}};
    std::vector<request> all(requests);
    for (std::size_t i = 0; i < requests; ++i) {
        std::string const nonce = "3d1f0a9b-" + std::to_string(i);
        if (!scheme.sign(all[i], {.app = "shop", .device = "till-7", .nonce = nonce, .at = frozen_wall::wall_now()}, keys)) return 1;
    }

    measured by_hand, policy;
    for (std::size_t i = 0; i < rounds; ++i) {
        weir::nonce_store<> nonces{{.capacity = requests}};
        weir::pipeline svc{weir::verify_request{std::ref(keys), {.scheme = scheme.options(), .nonce_capacity = requests}, frozen_wall{}},
                           [](request const&) { return 1; }};
        auto const hand = [&](request const& r) {
            weir::wall_time const now = frozen_wall::wall_now();
            auto const found = scheme.verify(r, keys, now);
            return found && nonces.remember(found.app, found.nonce, found.signed_at, now) == weir::nonce_verdict::fresh;
        };
        for (std::size_t first = 0; first < requests; first += slice) {
            auto const some = std::span(all).subspan(first, slice);
            by_hand.add(some, hand);
            policy.add(some, [&](request const& r) { return svc(r).has_value(); });
        }
    }
    double const beside = by_hand.median();
    by_hand.print("by hand: verify, then remember", beside);
    policy.print("verify_request in a pipeline", beside);
}
