// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/result.hpp>
#include <weir/http/body_writer.hpp>
#include <weir/http/detail/exchange.hpp>
#include <weir/http/message.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::inline v0::http {

/// A response whose body is written in pieces by its producer, after its head was sent:
///
/// ```cpp
/// asio::awaitable<http::streamed_response> numbers(http::request&)
/// {
///     auto const count = [](http::body_writer& to) -> asio::awaitable<weir::result<void>> {
///         for (int i = 0; i < 1'000'000; ++i) {
///             std::string const line = std::to_string(i) + '\n';
///             if (auto const sent = co_await to.write(line); !sent) co_return sent.error();
///         }
///         co_return weir::result<void>();
///     };
///     co_return http::streamed_response(http::status::ok, "text/plain", count);
/// }
/// ```
/// The body goes out chunked, to HTTP/1.0 until the connection's end, or with Content-Length if `length` said it. The server keeps the
/// producer, a function of `body_writer&` that may own what it needs, until it has ended, and destroys it then. A producer that fails or
/// throws breaks the response off: the client sees that it is incomplete. It is cancelled as a handler is, when its client has left, too.
/// To HEAD and with a status that has no body it does not run. Move-only; two allocations.
class streamed_response {
public:
    template<class Producer>
    streamed_response(status code, std::string_view content_type, Producer producer)
        : producer_(std::make_unique<kept<Producer>>(std::move(producer)))
    {
        head_.result(code);
        head_.set(field::content_type, content_type);
    }

    /// The body has exactly that many bytes: it is sent with Content-Length. One that is shorter or longer is broken off.
    streamed_response& length(std::uint64_t bytes) & noexcept
    {
        length_ = bytes;
        return *this;
    }
    streamed_response&& length(std::uint64_t bytes) && noexcept { return std::move(length(bytes)); }
    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept { return length_; }

    /// Status and fields; what its body holds is not sent.
    [[nodiscard]] response& head() noexcept { return head_; }
    [[nodiscard]] response const& head() const noexcept { return head_; }

    /// Runs the producer, once. For whoever sends the response.
    [[nodiscard]] boost::asio::awaitable<result<void>> produce(body_writer& to) { return producer_->run(to); }

    friend std::optional<std::string_view> weir_header(streamed_response const& r, std::string_view name)
    {
        return detail::find_field(r.head_, name);
    }
    friend void weir_set_header(streamed_response& r, std::string_view name, std::string_view value) { r.head_.set(name, value); }

private:
    struct any_producer {
        virtual ~any_producer() = default;
        virtual boost::asio::awaitable<result<void>> run(body_writer& to) = 0;
    };
    template<class Producer>
    struct kept final : any_producer {
        explicit kept(Producer p) : producer(std::move(p)) {}
        boost::asio::awaitable<result<void>> run(body_writer& to) override { return producer(to); }
        Producer producer;
    };

    response head_;
    std::unique_ptr<any_producer> producer_;
    std::optional<std::uint64_t> length_;
};

namespace detail {

/// A streamed response, or what carries one with the permits of its call and wants to be told its end.
template<class T>
concept carries_stream = requires(T& t, result<void> how)
{
    {
        *t
        } -> std::same_as<streamed_response&>;
    t.finish(how);
};
template<class T>
concept streams_body = std::same_as<T, streamed_response> || carries_stream<T>;

template<streams_body T>
class source_of final : public body_source {
public:
    explicit source_of(T made) : made_(std::move(made)) {}
    boost::asio::awaitable<result<void>> produce(body_writer& to) override { return response_of(made_).produce(to); }
    void end(result<void> how) noexcept override
    {
        if constexpr (carries_stream<T>)
            made_.finish(how);
        else
            static_cast<void>(how);
    }
    static streamed_response& response_of(T& made) noexcept
    {
        if constexpr (carries_stream<T>)
            return *made;
        else
            return made;
    }

private:
    T made_;
};

/// The head of a response, and what writes its body if that comes in pieces.
class divided_response {
public:
    explicit divided_response(response whole) : head(std::move(whole)) {}
    template<streams_body T>
    explicit divided_response(T made)
        : head(std::move(source_of<T>::response_of(made).head())), length(source_of<T>::response_of(made).length())
    {
        head.body().clear();
        source = std::make_unique<source_of<T>>(std::move(made));
    }

    response head;
    std::unique_ptr<body_source> source;
    std::optional<std::uint64_t> length;
};

} // namespace detail

} // namespace weir::inline v0::http
