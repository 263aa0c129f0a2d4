// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "demo_keys.hpp"
#include "market.hpp"
#include "progress.hpp"
#include "scene.hpp"
#include "stage.hpp"
#include "visitor.hpp"

#include <weir/core/clock.hpp>
#include <weir/sign/canonical.hpp>
#include <weir/sign/key_ring.hpp>
#include <weir/sign/random_nonce.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gateway {

using namespace std::chrono_literals;

/// What the scenes play with: the client, the programs behind it, and ways to send much. Used by one thread.
class props {
public:
    /// `length` of the scenes, 1 for the full ones.
    props(asio::io_context& io, visitor& who, stage& programs, demo_keys const& made, double length)
        : context(io),
          guest(who),
          all(programs),
          keys(made),
          late(programs.settings.orders.signature.scheme.late),
          tightened(programs.settings.quotes.tightened_to * static_cast<double>(*programs.settings.quotes.loads.max_loads)),
          ring_(std::span(programs.settings.keys)),
          scheme_(programs.settings.orders.signature.scheme),
          length_(length)
    {
    }

    [[nodiscard]] weir::duration lasting(int seconds) const
    {
        return std::chrono::duration_cast<weir::duration>(std::chrono::duration<double>(seconds * length_));
    }
    /// Asks for one of so many symbols, so many times a second.
    asio::awaitable<void> read(scene& s, weir::duration span, int per_second, std::size_t of)
    {
        auto const one = [this, of](scene& in) -> asio::awaitable<void> {
            co_await guest.get(in, fmt::format("/quotes?symbol={}", symbols[random() % of]));
        };
        co_await repeat(s, span, per_second, one);
    }
    template<class Act>
    asio::awaitable<void> repeat(scene& s, weir::duration span, int per_second, Act const& one)
    {
        crowd everybody(context);
        weir::time_point const begun = weir::steady::now();
        weir::duration const step = weir::duration(1s) / per_second;
        asio::steady_timer timer(context);
        for (weir::time_point next = begun; next < begun + span; next += step) {
            timer.expires_at(next);
            co_await timer.async_wait(asio::use_awaitable);
            everybody.join(one(s));
            shown.show(s);
        }
        co_await everybody.wait();
    }
    asio::awaitable<void> sleep(weir::duration span)
    {
        asio::steady_timer timer(context, span);
        co_await timer.async_wait(asio::use_awaitable);
    }
    /// A scene begins.
    asio::awaitable<void> begin() { before_ = co_await guest.calls_behind(); }
    /// Tells it how many calls have reached the services since then.
    asio::awaitable<void> count(scene& s)
    {
        std::uint64_t const now = co_await guest.calls_behind();
        s.calls_behind(now - before_);
    }
    /// An order that the app signed at that time.
    [[nodiscard]] http::request order(weir::wall_time at, std::string body = R"({"symbol":"ACME","amount":3})")
    {
        http::request made = guest.make("POST", "/orders", std::move(body));
        made.set(http::field::content_type, "application/json");
        weir::random_nonce const nonce;
        static_cast<void>(scheme_.sign(made, {.app = "shop", .device = "till-7", .nonce = nonce.view(), .at = at}, ring_));
        return made;
    }

    asio::io_context& context;
    visitor& guest;
    stage& all;
    demo_keys const& keys;
    std::chrono::milliseconds const late; ///< how long an order is good
    double const tightened;               ///< loads at a time
    progress shown;
    std::minstd_rand random{1};
    /// What clients proved by who they are, and what was forged: nothing of it belongs into a log.
    std::vector<std::string> secrets;

private:
    weir::key_ring<> ring_;
    weir::canonical_scheme scheme_;
    double length_;
    std::uint64_t before_ = 0;
};

} // namespace gateway
