// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/replay_guard.hpp>

#include "raw_message.hpp"
#include "wall.hpp"

#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/sign/add_signature.hpp>
#include <weir/sign/verify_signature.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>

using namespace std::chrono_literals;
using weir_tests::raw_request;

namespace {

using keys_type = weir::message_keys<weir::confined>;
weir::http_signature scheme()
{
    return weir::http_signature({.authority = "bank.example", .max_age = 300s, .skew = 60s});
}
keys_type keys()
{
    return keys_type({{"shop", weir::signature_key(weir::secret{"only-for-tests-0123456789"})},
                      {"till", weir::signature_key(weir::secret{"only-for-tests-9876543210"})}});
}
weir::nonce_store<> store(std::size_t capacity)
{
    return weir::nonce_store<>({.capacity = capacity, .late = 360s, .early = 60s}, 1);
}
raw_request signed_order(std::string nonce, weir::wall_time at, std::string key = "shop")
{
    raw_request r;
    REQUIRE(weir::http_signature({.authority = "bank.example", .key = std::move(key)}).sign(r, keys(), at, nonce));
    return r;
}
weir::errc kind(auto const& outcome)
{
    return outcome ? weir::errc{} : outcome.error().kind();
}
int handle(raw_request const&)
{
    return 0;
}

/// A store that several instances share, written by somebody else.
struct shared_store {
    weir::nonce_store<> inside = store(100);
    std::string groups{};
    weir::nonce_verdict remember(std::string_view group, std::string_view id, weir::wall_time signed_at, weir::wall_time now)
    {
        groups += group;
        return inside.remember("of all", id, signed_at, now);
    }
};
static_assert(weir::replay_store<shared_store> && weir::replay_store<weir::nonce_store<>> && !weir::replay_store<int>);

} // namespace

TEST_CASE("replay_guard: a signed message passes once")
{
    test::manual_wall clock;
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{store(100), std::ref(clock)},
                           handle};
    raw_request const r = signed_order("n-1", clock.now);
    CHECK(kind(service(r)) == weir::errc{});
    auto const again = service.call(r);
    CHECK(kind(again.result()) == weir::errc::replayed);
    CHECK(to_string(*again.reported<weir::violation>()) == "signature nonce: expected a message that did not come before");
    raw_request const same_nonce = signed_order("n-1", clock.now + 1s), other = signed_order("n-2", clock.now),
                      another_signer = signed_order("n-1", clock.now, "till");
    CHECK(kind(service(same_nonce)) == weir::errc::replayed);
    CHECK(kind(service(other)) == weir::errc{});
    CHECK(kind(service(another_signer)) == weir::errc{});
    CHECK(describe(service).text().find("replay_guard") != std::string::npos);
    auto const stats = service.get<weir::replay_guard>().stats();
    CHECK(stats.passed == 3);
    CHECK(stats.replayed == 2);
}

TEST_CASE("replay_guard: only what verified is remembered, so a forger uses up nothing")
{
    test::manual_wall clock;
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{store(1), std::ref(clock)},
                           handle};
    raw_request const r = signed_order("n-1", clock.now);
    raw_request forged = r;
    forged.target = "/other";
    CHECK(kind(service(forged)) == weir::errc::unauthenticated);
    CHECK(kind(service(r)) == weir::errc{});
}

TEST_CASE("replay_guard: a full store refuses what is new and knows what is old, until its time is over")
{
    test::manual_wall clock;
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{store(3), std::ref(clock)},
                           handle};
    for (int i = 0; i < 3; ++i) {
        raw_request const r = signed_order(std::to_string(i), clock.now);
        CHECK(kind(service(r)) == weir::errc{});
    }
    raw_request const fourth = signed_order("3", clock.now), second = signed_order("1", clock.now);
    CHECK(kind(service(fourth)) == weir::errc::overloaded);
    CHECK(kind(service(second)) == weir::errc::replayed);
    CHECK(service.get<weir::replay_guard>().stats().full == 1);
    clock.now += 420s;
    raw_request const later = signed_order("4", clock.now);
    CHECK(kind(service(later)) == weir::errc{});
}

TEST_CASE("replay_guard: its store is made larger while calls come, and forgets nothing")
{
    test::manual_wall clock;
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{store(1), std::ref(clock)},
                           handle};
    auto& guard = service.get<weir::replay_guard>();
    raw_request const first = signed_order("n-1", clock.now), second = signed_order("n-2", clock.now);
    CHECK(kind(service(first)) == weir::errc{});
    CHECK(kind(service(second)) == weir::errc::overloaded);
    guard.store().reconfigure({.capacity = 2, .late = 360s, .early = 60s});
    CHECK(kind(service(second)) == weir::errc{});
    CHECK(kind(service(first)) == weir::errc::replayed);
    CHECK(guard.stats().full == 1);
}

TEST_CASE("replay_guard: clocks that are apart, and one that goes back")
{
    test::manual_wall clock;
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{store(100), std::ref(clock)},
                           handle};
    weir::wall_time const start = clock.now;
    raw_request const ahead = signed_order("a", start + 60s), late = signed_order("b", start - 360s),
                      too_far = signed_order("c", start + 61s);
    CHECK(kind(service(ahead)) == weir::errc{});
    CHECK(kind(service(late)) == weir::errc{});
    CHECK(kind(service(too_far)) == weir::errc::unauthenticated);
    CHECK(kind(service(ahead)) == weir::errc::replayed);
    // Hours later; then the clock is set back: what was taken before is not taken again.
    clock.now = start + 1h;
    raw_request const next = signed_order("d", clock.now), after = signed_order("e", clock.now + 420s);
    CHECK(kind(service(next)) == weir::errc{});
    clock.now += 420s;
    CHECK(kind(service(after)) == weir::errc{});
    clock.now = start;
    CHECK(kind(service(ahead)) == weir::errc::replayed);
    CHECK(kind(service(late)) == weir::errc::replayed);
}

TEST_CASE("replay_guard: two instances of a service share a store")
{
    test::manual_wall clock;
    shared_store common;
    weir::pipeline one{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{std::ref(common), std::ref(clock)},
                       handle};
    weir::pipeline two{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{std::ref(common), std::ref(clock)},
                       handle};
    raw_request const r = signed_order("n-1", clock.now), other = signed_order("n-2", clock.now);
    CHECK(kind(one(r)) == weir::errc{});
    CHECK(kind(two(r)) == weir::errc::replayed);
    CHECK(kind(two(other)) == weir::errc{});
    CHECK(kind(one(other)) == weir::errc::replayed);
    CHECK(common.groups.empty());
}

TEST_CASE("replay_guard: keys rotate with overlap, and a message stays used up")
{
    test::manual_wall clock;
    weir::pipeline service{weir::verify_signature{scheme(), keys(), std::ref(clock)}, weir::replay_guard{store(100), std::ref(clock)},
                           handle};
    raw_request const old = signed_order("n-1", clock.now);
    CHECK(kind(service(old)) == weir::errc{});
    service.get<weir::verify_signature>().keys().replace(
        {{"shop", weir::signature_key(weir::secret{"only-for-tests-0123456789"}), weir::wall_time::min(), clock.now + 10s},
         {"shop-2", weir::signature_key(weir::secret{"only-for-tests-new-key"}), clock.now}});
    CHECK(kind(service(old)) == weir::errc::replayed);
    raw_request const still = signed_order("n-2", clock.now);
    CHECK(kind(service(still)) == weir::errc{});
    clock.now += 10s;
    raw_request const ended = signed_order("n-3", clock.now);
    CHECK(kind(service(ended)) == weir::errc::unauthenticated);
}

TEST_CASE("replay_guard: without a nonce the text that was signed stands for the message")
{
    test::manual_wall clock;
    weir::http_signature const bare({.parameters = {"created", "keyid"}, .authority = "bank.example"});
    weir::pipeline service{weir::verify_signature{bare, keys(), std::ref(clock)}, weir::replay_guard{store(100), std::ref(clock)}, handle};
    raw_request r, other;
    other.target = "/other";
    REQUIRE(bare.sign(r, keys(), clock.now));
    REQUIRE(bare.sign(other, keys(), clock.now));
    CHECK(kind(service(r)) == weir::errc{});
    CHECK(kind(service(r)) == weir::errc::replayed);
    CHECK(kind(service(other)) == weir::errc{});
}
