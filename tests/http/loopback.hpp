// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace weir_tests {

namespace asio = boost::asio;

/// Runs a coroutine to its end on a context that has other work too. Throws if that takes longer than twenty seconds.
template<class T>
T run(asio::io_context& context, asio::awaitable<T> coroutine)
{
    std::optional<T> made;
    std::exception_ptr thrown;
    asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr e, T value) {
        thrown = e;
        made.emplace(std::move(value));
    });
    auto const last = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    context.restart();
    while (!made) {
        if (context.run_one_until(last) == 0) throw std::runtime_error("the coroutine does not end");
    }
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*made);
}

/// A client that sends bytes as they are.
class raw_client {
public:
    explicit raw_client(asio::io_context& context, std::uint16_t port) : socket_(context)
    {
        socket_.connect({asio::ip::address_v4::loopback(), port});
    }
    asio::ip::tcp::socket& socket() { return socket_; }

    asio::awaitable<bool> send(std::string_view text)
    {
        boost::system::error_code failed;
        while (!text.empty() && !failed) {
            text.remove_prefix(co_await socket_.async_write_some(asio::buffer(text.data(), text.size()),
                                                                 asio::redirect_error(asio::use_awaitable, failed)));
        }
        co_return !failed;
    }
    /// What comes until `mark` stands at its end, or the other side ends.
    asio::awaitable<std::string> receive(std::string_view mark = {})
    {
        std::string text;
        char bytes[4096];
        boost::system::error_code failed;
        while (!failed && (mark.empty() || !text.ends_with(mark))) {
            std::size_t const size =
                co_await socket_.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
            text.append(bytes, size);
        }
        co_return text;
    }
    void end_output()
    {
        boost::system::error_code ignored;
        socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    }

private:
    asio::ip::tcp::socket socket_;
};

/// Sends a stream of requests, ends the output, and gives back all that the server says.
inline std::string talk(asio::io_context& context, std::uint16_t port, std::string_view stream)
{
    raw_client client(context, port);
    auto const conversation = [](raw_client& c, std::string_view text) -> asio::awaitable<std::string> {
        co_await c.send(text);
        c.end_output();
        co_return co_await c.receive();
    };
    return run(context, conversation(client, stream));
}

} // namespace weir_tests
