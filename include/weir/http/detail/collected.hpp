// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/body_writer.hpp>
#include <weir/http/detail/exchange.hpp>
#include <weir/http/message.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::http::detail {

/// Stands in for the connection where a handler is asked without a server: the request's body is one piece, the response's
/// pieces are collected. A template, as g++ compiles the coroutines of what is none in each file that includes it.
template<class Request>
class collected final : public exchange {
public:
    explicit collected(Request const& r) noexcept : unread_(r.body()) {}

    boost::asio::awaitable<result<std::string_view>> read_body() override { co_return std::exchange(unread_, std::string_view{}); }
    boost::asio::awaitable<result<void>> write_body(std::string_view piece) override
    {
        if (length_ && piece.size() > *length_ - body_.size()) co_return error(errc::payload_too_large);
        body_.append(piece);
        co_return result<void>();
    }
    /// Runs the producer, if there is one. False: it failed, or wrote less than it promised.
    boost::asio::awaitable<bool> collect(response& into)
    {
        if (source_ == nullptr) co_return true;
        body_writer to(*this);
        result<void> made = co_await source_->produce(to);
        if (made && length_ && body_.size() != *length_) made = error(errc::upstream_failed);
        source_->end(made);
        into.body() = std::move(body_);
        co_return made.has_value();
    }

private:
    std::string_view unread_;
    std::string body_;
};

} // namespace weir::inline v0::http::detail
