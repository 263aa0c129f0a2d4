// SPDX-License-Identifier: BSL-1.0
// Lesson 6: who sends this order, and is it the order that was sent?
//
// Two parties share a key. One signs its requests: method, target, chosen headers and the digest of the body, with the time and a nonce,
// a value used once. The other verifies them: whoever changes a byte, comes too late or sends the same twice is refused.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>
#include <weir/sign/sign_request.hpp>
#include <weir/sign/verify_request.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct request {
    std::string body;
    std::map<std::string, std::string, std::less<>> headers{};

    friend std::optional<std::string_view> weir_header(request const& r, std::string_view name)
    {
        auto const found = r.headers.find(name);
        return found == r.headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    }
    friend void weir_set_header(request& r, std::string_view name, std::string_view value) { r.headers[std::string(name)] = value; }
    friend std::string_view weir_method(request const&) { return "POST"; }
    friend std::string_view weir_target(request const&) { return "/orders"; }
    friend std::string_view weir_body(request const& r) { return r.body; }
};

/// Calendar time that the lesson moves.
struct calendar {
    weir::wall_time time{1'700'000'000'000ms};
    weir::wall_time wall_now() const noexcept { return time; }
};

} // namespace

int main()
{
    lesson six("Signed requests");
    calendar clock;

    // Keys are secrets: they do not print, and are overwritten with zeros when they are gone. Yours come from a file, not from the source.
    weir::key_ring<> keys{{{.app = "shop", .key = weir::secret{"a key that only two parties know"}}}};

    // The bank's side. The verified app is a fact for what stands further in: the principal. Nonces are remembered in a bounded store.
    weir::pipeline bank{weir::verify_request{std::ref(keys), {.nonce_capacity = 10'000}, std::ref(clock)},
                        [](request const& r, weir::view<weir::principal> who) { return who.get<weir::principal>().name + ": " + r.body; }};

    // The shop's side. What it sends is kept, so that the lesson can play tricks with it. A retry would stand outside of sign_request: each
    // attempt is signed anew.
    request sent;
    weir::pipeline shop{weir::sign_request{std::ref(keys), {.app = "shop", .device = "till-7"}, std::ref(clock)}, [&](request const& r) {
                            sent = r;
                            return bank(r);
                        }};

    request const order{"buy 3 ACME"};
    six.shows("a signed order arrives, and the bank knows from whom", shop(order).value() == "shop: buy 3 ACME");
    six.shows("the very same request once more does not", bank(sent).error() == weir::errc::replayed);
    six.shows("ordering again does: it is signed anew", shop(order).has_value());

    request altered = sent;
    altered.body = "buy 3000 ACME";
    six.shows("an altered body is found out", bank(altered).error() == weir::errc::unauthenticated);
    auto const reply = bank.call(order);
    six.shows("an unsigned order is told what it lacks: " + reply.reported<weir::violation>()->name,
              reply.result().error() == weir::errc::unauthenticated);

    // A request that was held back. It has to come within five minutes.
    weir::pipeline slow{weir::sign_request{std::ref(keys), {.app = "shop", .device = "till-7"}, std::ref(clock)}, [&](request const& r) {
                            clock.time += 6min;
                            return bank(r);
                        }};
    six.shows("six minutes are too late", slow(order).error() == weir::errc::replayed);

    // Keys are replaced while the service runs, and several may be valid at a time, so that nobody has to change them at the same moment.
    std::vector<weir::signing_key> next;
    next.push_back({.app = "shop", .key = weir::secret{"a key that only two parties know"}, .not_after = clock.time + 24h});
    next.push_back({.app = "shop", .key = weir::secret{"the key that comes after that one"}, .not_before = clock.time + 12h});
    keys.replace(next);
    bool passed = shop(order).has_value();
    for (int day = 0; day < 2; ++day) {
        clock.time += 18h;
        passed = passed && shop(order).has_value();
    }
    six.shows("a new key takes over without a gap", passed);
    return six.exit_status();
}
