// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hostile {

/// A service that keeps every byte that it receives, one text a connection, and answers whatever looks like a request. Its eyes are
/// simple, so that they are not fooled in the way of those under test.
class recorder {
public:
    recorder() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        auto* const where = reinterpret_cast<sockaddr*>(&at);
        if (::bind(listener_, where, size) != 0 || ::listen(listener_, 100) != 0 || ::getsockname(listener_, where, &size) != 0 ||
            ::pipe(end_) != 0)
            throw std::runtime_error("the recorder cannot listen");
        port_ = ntohs(at.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~recorder()
    {
        ::close(end_[1]);
        thread_.join();
        ::close(end_[0]);
        ::close(listener_);
    }
    recorder(recorder const&) = delete;
    recorder& operator=(recorder const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// What came so far, by connection.
    [[nodiscard]] std::vector<std::string> record() const
    {
        std::lock_guard const lock(mutex_);
        std::vector<std::string> all;
        for (peer const& p : peers_) all.push_back(p.all);
        return all;
    }
    /// Whether the text stands in what came.
    [[nodiscard]] bool has_seen(std::string_view text) const
    {
        auto const all = record();
        return std::ranges::any_of(all, [&](std::string const& one) { return one.find(text) != std::string::npos; });
    }

private:
    struct peer {
        int socket;
        std::string all{};
        std::string open{}; ///< not answered yet
    };

    void run()
    {
        for (;;) {
            std::vector<pollfd> wanted{{end_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
            std::vector<peer*> of;
            for (peer& p : peers_) {
                if (p.socket < 0) continue;
                wanted.push_back({p.socket, POLLIN, 0});
                of.push_back(&p);
            }
            if (::poll(wanted.data(), wanted.size(), -1) < 0) continue;
            for (std::size_t i = 2; i < wanted.size(); ++i)
                if (wanted[i].revents != 0) read(*of[i - 2]);
            if (wanted[0].revents != 0) break;
            if (wanted[1].revents == 0) continue;
            int const socket = ::accept(listener_, nullptr, nullptr);
            std::lock_guard const lock(mutex_);
            peers_.push_back({socket});
        }
        for (peer& p : peers_)
            if (p.socket >= 0) ::close(p.socket);
    }
    void read(peer& p)
    {
        char bytes[4096];
        auto const size = ::recv(p.socket, bytes, sizeof bytes, 0);
        if (size <= 0) {
            ::close(p.socket);
            p.socket = -1;
            return;
        }
        {
            std::lock_guard const lock(mutex_);
            p.all.append(bytes, static_cast<std::size_t>(size));
        }
        p.open.append(bytes, static_cast<std::size_t>(size));
        for (;;) {
            auto const head = p.open.find("\r\n\r\n");
            if (head == std::string::npos) return;
            auto const length = p.open.find("Content-Length: ");
            std::size_t const body = length < head ? std::strtoul(p.open.c_str() + length + 16, nullptr, 10) : 0;
            if (p.open.size() < head + 4 + body) return;
            p.open.erase(0, head + 4 + body);
            constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]";
            if (::send(p.socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
        }
    }

    int listener_;
    int end_[2] = {-1, -1};
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::list<peer> peers_; // its thread adds; others read under the lock
    std::thread thread_;
};

} // namespace hostile
