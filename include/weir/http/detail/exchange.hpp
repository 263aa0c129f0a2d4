// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

class body_writer;

namespace detail {

/// What writes the body of a response in pieces.
class body_source {
public:
    body_source() = default;
    body_source(body_source const&) = delete;
    body_source& operator=(body_source const&) = delete;
    virtual ~body_source() = default;

    [[nodiscard]] virtual boost::asio::awaitable<result<void>> produce(body_writer& to) = 0;
    /// How it came out, told once, behind all of it.
    virtual void end(result<void> how) noexcept = 0;
};

/// One request and its response, as a handler that streams sees them: a session, or what stands in for it in a test.
class exchange {
public:
    exchange() = default;
    exchange(exchange const&) = delete;
    exchange& operator=(exchange const&) = delete;

    /// The next piece of the request's body, valid until the next call; empty at its end.
    [[nodiscard]] virtual boost::asio::awaitable<result<std::string_view>> read_body() = 0;
    /// Sends a piece of the response's body; ends when the system has taken it.
    [[nodiscard]] virtual boost::asio::awaitable<result<void>> write_body(std::string_view piece) = 0;

    /// The body of the response comes from there, once its head is sent.
    void stream(std::unique_ptr<body_source> from, std::optional<std::uint64_t> length) noexcept
    {
        source_ = std::move(from);
        length_ = length;
    }

protected:
    ~exchange() = default;
    std::unique_ptr<body_source> source_;
    std::optional<std::uint64_t> length_;
};

} // namespace detail
} // namespace weir::inline v0::http
