// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "careless_scenes.hpp"
#include "load_scenes.hpp"
#include "middleman_scenes.hpp"
#include "order_scenes.hpp"
#include "props.hpp"
#include "reading_scenes.hpp"
#include "scene.hpp"
#include "token_scenes.hpp"

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <string>
#include <utility>

namespace gateway {

/// The demo: what clients send, scene after scene, and what the gateway has to make of it.
class scenes {
public:
    /// The props outlive it.
    explicit scenes(props& p) : props_(p) {}

    asio::awaitable<void> play()
    {
        co_await play("normal reading", normal_reading);
        co_await play("a burst over the limit", burst);
        co_await play("a service slows and fails", trouble);
        co_await play("made-up symbols", made_up_symbols);
        co_await play("a hot symbol", hot_symbol);
        co_await play("an avalanche", avalanche);
        co_await play("signed orders", signed_orders);
        co_await play("careless requests", careless_requests);
        co_await play("hostile framing", hostile_framing);
        co_await play("forged tokens", forged_tokens);
        co_await play("a man before the gateway", man_before_the_gateway);
        co_await play("a man behind the gateway", man_behind_the_gateway);
        co_await play("a service is gone", dead_service);
    }
    [[nodiscard]] std::deque<scene> const& played() const noexcept { return played_; }

private:
    using act = asio::awaitable<void> (*)(scene&, props&);

    asio::awaitable<void> play(std::string title, act scene_of)
    {
        scene& s = played_.emplace_back(std::move(title));
        co_await props_.begin();
        props_.shown.begin(s);
        co_await scene_of(s, props_);
        props_.shown.end(s);
    }

    props& props_;
    std::deque<scene> played_; // a scene stays where it is
};

} // namespace gateway
