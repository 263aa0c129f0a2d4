// SPDX-License-Identifier: BSL-1.0
#include <weir/sign/one_time.hpp>

#include "keys.hpp"
#include "request.hpp"
#include "verified_claims.hpp"
#include "wall.hpp"

#include <weir/asio/asynchronous.hpp>
#include <weir/core/describe.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/sign/verify_jwt.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using test::knows;

constexpr auto handler = [](test::request const&) { return 1; };

weir::nonce_store<> store(std::size_t capacity)
{
    return weir::nonce_store<>({.capacity = capacity, .late = 30s, .early = 900s}, 1);
}
std::string token(std::string_view id, weir::wall_time expires, std::string_view issuer = "bank")
{
    return R"({"iss":")" + std::string(issuer) + R"(","jti":")" + std::string(id) + R"(","exp":)" +
           std::to_string(expires.time_since_epoch().count() / 1000) + "}";
}
test::request asking(std::string claims)
{
    test::request r;
    if (!claims.empty()) r.fields["claims"] = std::move(claims);
    return r;
}
std::string words(auto const& reply)
{
    if (reply.result().has_value()) return "passed";
    std::string text(to_string(reply.result().error().kind()));
    if (auto const& wrong = reply.template reported<weir::violation>()) (text += "; ") += wrong->expected;
    if (auto const& how = reply.template reported<weir::challenge>()) (text += "; ") += how->value;
    return text;
}
std::string told(auto& svc, std::string claims)
{
    test::request const r = asking(std::move(claims));
    return words(svc.call(r));
}

/// A store on another machine.
struct far_store {
    weir::nonce_store<> inside = store(2);
    std::string asked{};
    asio::awaitable<weir::nonce_verdict> remember_later(std::string_view group, std::string_view id, weir::wall_time at,
                                                        weir::wall_time now)
    {
        (((asked += group) += '/') += id) += ' ';
        co_return inside.remember(group, id, at, now);
    }
};

} // namespace

TEST_CASE("one_time: a token passes once behind verify_jwt, and is forgotten no sooner than it expires")
{
    test::manual_wall wall;
    weir::pipeline svc{
        weir::verify_jwt{weir::hs256{weir::secret<>(test::long_secret)}, {.issuer = "bank", .audience = "quotes"}, std::ref(wall)},
        weir::one_time{store(10), std::ref(wall)}, handler};
    auto const signed_token = [](std::string_view id) {
        test::request r;
        r.fields["authorization"] =
            "Bearer " + sign_jws(weir::hs256_signer{weir::secret<>(test::long_secret)},
                                 R"({"iss":"bank","aud":"quotes","sub":"bob","exp":1700000600,"jti":")" + std::string(id) + "\"}");
        return r;
    };
    auto const one = signed_token("1"), two = signed_token("2");
    CHECK(words(svc.call(one)) == "passed");
    CHECK(words(svc.call(one)) == "replayed; a token that did not come before");
    CHECK(words(svc.call(two)) == "passed");
    for (auto step : {1s, 598s, 1s, 29s}) { // to the last second of the leeway
        wall.now += step;
        CHECK(words(svc.call(one)).starts_with("replayed"));
    }
    wall.now += 1s;
    CHECK(words(svc.call(one)).starts_with("unauthenticated; a token that has not expired"));
}

TEST_CASE("one_time: what cannot be remembered is refused")
{
    test::manual_wall wall;
    weir::pipeline svc{knows{}, weir::one_time{store(2), std::ref(wall)}, handler};
    std::string const no_id =
        R"(unauthenticated; a token with all claims that are required: jti, of 1 to 256 bytes; Bearer error="invalid_token")";
    CHECK(told(svc, R"({"exp":1700000600})") == no_id);
    CHECK(told(svc, token("", wall.now + 60s)) == no_id);
    CHECK(told(svc, R"({"jti":7,"exp":1700000600})") == no_id);
    CHECK(told(svc, token(std::string(257, 'a'), wall.now + 60s)) == no_id);
    CHECK(told(svc, R"({"jti":"1"})") ==
          R"(unauthenticated; a token with all claims that are required: exp; Bearer error="invalid_token")");
    CHECK(told(svc, token("1", wall.now + 901s)) == R"(unauthenticated; a token that expires sooner; Bearer error="invalid_token")");
    CHECK(told(svc, "") == "unauthenticated; a token; Bearer");
    CHECK(told(svc, token(std::string(256, 'a'), wall.now + 900s)) == "passed");
    CHECK(told(svc, token("2", wall.now + 900s)) == "passed");
    // Full: what is new is refused, what is known still is.
    CHECK(told(svc, token("3", wall.now + 900s)) == "overloaded");
    CHECK(told(svc, token("2", wall.now + 900s)) == "replayed; a token that did not come before");
    auto const s = svc.get<weir::one_time>().stats();
    CHECK(s.passed == 2);
    CHECK(s.replayed == 1);
    CHECK(s.full == 1);
    CHECK(s.outside == 1);
    CHECK(s.unnamed == 5);
    CHECK(s.unauthenticated == 1);
    int fields = 0;
    s.each([&](std::string_view, std::uint64_t n) { fields += n != 0; });
    CHECK(fields == 6);
    CHECK(describe(svc).text().find("one_time") != std::string::npos);
    // Later there is room again.
    wall.now += 1860s;
    CHECK(told(svc, token("3", wall.now + 60s)) == "passed");
}

TEST_CASE("one_time: its store is made larger while calls come, and forgets nothing")
{
    test::manual_wall clock;
    weir::pipeline svc{knows{}, weir::one_time{store(1), std::ref(clock)}, handler};
    CHECK(told(svc, token("a", clock.now + 60s)) == "passed");
    CHECK(told(svc, token("b", clock.now + 60s)) == "overloaded");
    svc.get<weir::one_time>().store().reconfigure({.capacity = 2, .late = 30s, .early = 900s});
    CHECK(told(svc, token("b", clock.now + 60s)) == "passed");
    CHECK(told(svc, token("a", clock.now + 60s)).starts_with("replayed"));
}

TEST_CASE("one_time: the same id of another issuer is another token, and instances share a store")
{
    test::manual_wall wall;
    auto common = store(10);
    weir::pipeline one{knows{}, weir::one_time{std::ref(common), std::ref(wall)}, handler};
    weir::pipeline two{knows{}, weir::one_time{std::ref(common), std::ref(wall)}, handler};
    CHECK(told(one, token("1", wall.now + 60s)) == "passed");
    CHECK(told(two, token("1", wall.now + 60s)).starts_with("replayed"));
    CHECK(told(two, token("1", wall.now + 60s, "shop")) == "passed");
    CHECK(told(one, token("1", wall.now + 60s, "shop")).starts_with("replayed"));
}

TEST_CASE("one_time: random tokens at random times against a set that forgets nothing")
{
    std::mt19937_64 draw(5);
    for (int round = 0; round < 200; ++round) {
        test::manual_wall wall;
        weir::pipeline svc{knows{}, weir::one_time{store(1'000), std::ref(wall)}, handler};
        std::set<std::string> passed;
        for (int step = 0; step < 60; ++step) {
            wall.now += std::chrono::seconds(draw() % 200);
            if (draw() % 8 == 0) wall.now -= std::chrono::seconds(draw() % 40); // clocks are set back
            std::string const id = std::to_string(draw() % 20);
            // A token keeps its expiry: it is a function of the id.
            auto const expires = weir::wall_time(1'700'000'000'000ms) + std::chrono::seconds(std::stoi(id) * 300);
            bool const alive = wall.now < expires + 30s;
            if (!alive) continue; // the verifier refuses it
            if (told(svc, token(id, expires)) == "passed" && !passed.insert(id).second) FAIL("twice: ", id, " round ", round);
        }
        if (passed.empty()) FAIL("none passed in round ", round);
    }
}

TEST_CASE("one_time: a store that is far away is awaited")
{
    test::manual_wall wall;
    far_store far;
    weir::pipeline svc{knows{}, weir::one_time{std::ref(far), std::ref(wall)}, weir::asynchronous{handler}};
    std::string story;
    auto run = [&]() -> asio::awaitable<void> {
        for (std::string_view id : {"1", "1", "2", "3", ""}) {
            test::request const r = asking(token(id, wall.now + 60s));
            auto const reply = co_await svc.call(r);
            story += words(reply) + "\n";
        }
    };
    asio::io_context context;
    asio::co_spawn(context, run(), [](std::exception_ptr failed) {
        if (failed) std::rethrow_exception(failed);
    });
    context.run();
    CHECK(story == "passed\nreplayed; a token that did not come before\npassed\noverloaded\n"
                   "unauthenticated; a token with all claims that are required: jti, of 1 to 256 bytes; Bearer error=\"invalid_token\"\n");
    CHECK(far.asked == "bank/1 bank/1 bank/2 bank/3 ");
}
