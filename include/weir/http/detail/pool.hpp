// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/http/detail/input.hpp>
#include <weir/http/detail/stream.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::http::detail {

/// A connection of a client, with what came on it and was not read yet.
template<class Stream>
struct client_connection {
    client_connection(asio::any_io_executor const& executor, context_of<Stream> const& context)
        : stream(make_stream<Stream>(executor, context))
    {
    }

    Stream stream;
    input_buffer input;
    time_point since{}; ///< when it was given back
};

/// The connections to one host and port: those that are idle, the latest used last, and how many there are.
template<class Stream>
struct client_pool {
    std::vector<std::unique_ptr<client_connection<Stream>>> idle;
    std::size_t open = 0;

    void close_idle() noexcept
    {
        open -= idle.size();
        idle.clear();
    }
    /// The latest used connection, if it is not idle for too long: then none is worth keeping.
    std::unique_ptr<client_connection<Stream>> take(time_point idle_since)
    {
        if (idle.empty()) return nullptr;
        if (idle.back()->since < idle_since) {
            close_idle();
            return nullptr;
        }
        auto taken = std::move(idle.back());
        idle.pop_back();
        return taken;
    }
};

/// A place in a pool while a request is under way; with its connection, once there is one. Gives the place back, and closes
/// the connection unless it was kept.
template<class Stream>
class client_lease {
public:
    client_lease(client_pool<Stream>& pool, std::unique_ptr<client_connection<Stream>> reused) noexcept
        : pool_(pool), connection_(std::move(reused))
    {
        if (!connection_) ++pool_.open;
    }
    ~client_lease()
    {
        if (!kept_) --pool_.open;
    }
    client_lease(client_lease const&) = delete;
    client_lease& operator=(client_lease const&) = delete;

    void open(asio::any_io_executor const& executor, context_of<Stream> const& context)
    {
        connection_ = std::make_unique<client_connection<Stream>>(executor, context);
    }
    [[nodiscard]] client_connection<Stream>& operator*() const noexcept { return *connection_; }
    void keep(time_point now)
    {
        connection_->since = now;
        pool_.idle.push_back(std::move(connection_));
        kept_ = true;
    }

private:
    client_pool<Stream>& pool_;
    std::unique_ptr<client_connection<Stream>> connection_;
    bool kept_ = false;
};

/// The pools by host and port.
template<class Stream>
using client_pools = std::map<std::string, client_pool<Stream>, std::less<>>;

} // namespace weir::inline v0::http::detail
