// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hostile {

/// How long anything may take before a test gives up: no measure, but the end of a hung test.
inline constexpr std::chrono::seconds patience{60};

/// One connection of a client that means no good, or of an honest one: bytes as they are, over a socket that does not block.
class client {
public:
    struct how {
        char const* from = "127.0.0.1"; ///< the address it comes from
        int receive_buffer = 0;         ///< the bytes that its system takes for it before it reads; 0: as many as usual
    };

    explicit client(std::uint16_t port) : client(port, how{}) {}
    client(std::uint16_t port, how const& h) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        if (socket_ < 0) throw std::runtime_error("no socket");
        int const yes = 1;
        if (h.receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &h.receive_buffer, sizeof h.receive_buffer);
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        sockaddr_in at = address(h.from, 0);
        if (std::string_view(h.from) != "127.0.0.1") ::bind(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at);
        at = address("127.0.0.1", port);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
            ::close(socket_);
            throw std::runtime_error("cannot connect");
        }
    }
    ~client()
    {
        if (socket_ >= 0) ::close(socket_);
    }
    client(client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), came_(std::move(other.came_)), broken_(other.broken_), ended_(other.ended_)
    {
    }
    client& operator=(client&&) = delete;

    [[nodiscard]] int socket() const noexcept { return socket_; }
    /// Whether the server has ended the connection, in one way or the other.
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    /// All that came and was not taken.
    [[nodiscard]] std::string const& came() const noexcept { return came_; }

    /// Sends what the socket takes now: how much. What came before a reset can still be read.
    std::size_t send_some(std::string_view text)
    {
        if (broken_) return 0;
        auto const sent = ::send(socket_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        broken_ = sent < 0 && errno != EAGAIN && errno != EINTR;
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    /// Sends all of it; false if the server ends the connection before.
    bool send(std::string_view text)
    {
        while (!text.empty() && !broken_) {
            text.remove_prefix(send_some(text));
            if (!text.empty() && !broken_) wait(POLLOUT, patience);
        }
        return text.empty();
    }
    /// Reads what is there, waiting for something at most that long. False if there was nothing.
    bool read(std::chrono::milliseconds most = patience, std::size_t bytes = 65'536)
    {
        if (ended_ || !ready(POLLIN, most)) return false;
        std::size_t const before = came_.size();
        came_.resize(before + bytes);
        auto const size = ::recv(socket_, came_.data() + before, bytes, MSG_DONTWAIT);
        came_.resize(before + static_cast<std::size_t>(std::max<decltype(size)>(size, 0)));
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) ended_ = true;
        return size > 0;
    }
    /// Reads until the server ends the connection: all that came.
    std::string const& read_all()
    {
        auto const last = std::chrono::steady_clock::now() + patience;
        while (!ended_) {
            read();
            if (std::chrono::steady_clock::now() > last) throw std::runtime_error("the connection does not end");
        }
        return came_;
    }
    /// Takes the next response off what comes, its head and its body; empty if the connection ends before.
    std::string take_response()
    {
        for (;;) {
            auto const head = came_.find("\r\n\r\n");
            if (head != std::string::npos) {
                auto const at = came_.find("Content-Length: ");
                std::size_t const length = at < head ? std::strtoul(came_.c_str() + at + 16, nullptr, 10) : 0;
                if (came_.size() >= head + 4 + length) {
                    std::string one = came_.substr(0, head + 4 + length);
                    came_.erase(0, one.size());
                    return one;
                }
            }
            if (ended_) return {};
            if (!read() && !ended_) throw std::runtime_error("no answer comes");
        }
    }
    void end_output() { ::shutdown(socket_, SHUT_WR); }
    /// Ends the connection with a reset.
    void reset()
    {
        linger const now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(std::exchange(socket_, -1));
    }

private:
    static sockaddr_in address(char const* text, std::uint16_t port)
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        ::inet_pton(AF_INET, text, &at.sin_addr);
        return at;
    }
    bool ready(short what, std::chrono::milliseconds most) const
    {
        pollfd one{socket_, what, 0};
        return ::poll(&one, 1, static_cast<int>(most.count())) > 0;
    }
    void wait(short what, std::chrono::milliseconds most) const
    {
        if (!ready(what, most)) throw std::runtime_error("nothing happens on a connection");
    }

    int socket_;
    std::string came_;
    bool broken_ = false; // for sending
    bool ended_ = false;
};

inline std::string get(std::string_view path, std::string_view fields = "")
{
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

/// A client that asks one thing after the other and wants each answered. As browsers do, it keeps its connection, and tries again on
/// another one if that has ended without an answer, as one may that was slow itself.
class honest {
public:
    explicit honest(std::uint16_t port, client::how const& h = {}) : port_(port), how_(h) {}

    /// What is said to one request; throws if that is not `200 OK`.
    std::string ask(std::string_view path)
    {
        for (int tries = 0; tries < 20; ++tries) {
            if (!client_) client_.emplace(port_, how_);
            client_->send(get(path));
            std::string const said = client_->take_response();
            if (said.starts_with("HTTP/1.1 200 OK\r\n")) return said.substr(said.find("\r\n\r\n") + 4);
            if (!said.empty() && !said.starts_with("HTTP/1.1 408 ")) throw std::runtime_error("an honest client is not served: " + said);
            client_.reset();
        }
        throw std::runtime_error("an honest client is not answered");
    }
    bool served() { return ask("/hello") == "GET /hello 0\n"; }

    struct stats {
        std::uint64_t accepted, open, requests, refused, timed_out, threw, left, shed;
    };
    stats ask_stats()
    {
        std::string const text = ask("/stats");
        char* at = const_cast<char*>(text.c_str());
        auto const next = [&] { return std::strtoull(at, &at, 10); };
        return {next(), next(), next(), next(), next(), next(), next(), next()};
    }

private:
    std::uint16_t port_;
    client::how how_;
    std::optional<client> client_;
};

} // namespace hostile
