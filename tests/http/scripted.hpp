// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "loopback.hpp"

#include <weir/http/client.hpp>

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir_tests {

/// Accepts connections and plays one script for each: an element for each request, sent when its head has come. A connection is
/// closed behind its last element.
struct scripted {
    using script = std::vector<std::string>;

    asio::io_context context{1};
    asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    weir::http::upstream to{"127.0.0.1", acceptor.local_endpoint().port()};
    std::string heard;
    int connections = 0;
    bool silent = false; ///< says nothing more behind its first answer, and does not end

    explicit scripted(std::vector<script> scripts, bool stays_silent = false) : silent(stays_silent)
    {
        asio::co_spawn(context, play(*this, std::move(scripts)), [](std::exception_ptr) {});
    }

    static asio::awaitable<void> play(scripted& s, std::vector<script> scripts)
    {
        for (auto const& answers : scripts) {
            auto socket = co_await s.acceptor.async_accept(asio::use_awaitable);
            ++s.connections;
            char bytes[4096];
            boost::system::error_code failed;
            for (auto const& answer : answers) {
                std::string head;
                while (!failed && head.find("\r\n\r\n") == std::string::npos && (!s.silent || &answer == &answers.front())) {
                    head.append(bytes,
                                co_await socket.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed)));
                }
                if (failed) break;
                s.heard += head;
                if (answer == "never")
                    co_await socket.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, failed));
                for (std::size_t at = 0; at < answer.size() && answer != "never"; at += 7) { // in pieces
                    auto const piece = answer.substr(at, 7);
                    co_await socket.async_write_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, failed));
                }
            }
        }
    }
    weir::result<weir::http::response> send(weir::http::client& client, weir::http::request const& r)
    {
        return run(context, client.send(to, r));
    }
};

inline std::string ok(std::string_view body, std::string_view fields = "")
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

} // namespace weir_tests
