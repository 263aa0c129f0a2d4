// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/http/detail/client_connection.hpp>
#include <weir/http/detail/pool.hpp>

#include <memory>
#include <utility>

namespace weir::inline v0::http::detail {

template<class Stream>
place_wait<Stream>::~place_wait()
{
    if (all == nullptr) return;
    all->leave(*this);
    connection.reset();
    if (granted) all->closed_in_use(*pool);
}

/// A place in a pool while a request is under way; with its connection, once there is one. Gives the place back, and closes the connection
/// unless it was kept.
template<class Stream>
class client_lease {
public:
    using connection_ptr = std::shared_ptr<client_connection<Stream>>;

    client_lease() = default;
    client_lease(client_pools<Stream>& all, client_pool<Stream>& pool, connection_ptr reused) noexcept
        : all_(&all), pool_(&pool), connection_(std::move(reused))
    {
    }
    /// What a request that waited was granted.
    explicit client_lease(place_wait<Stream>& w) noexcept : all_(w.all), pool_(w.pool), connection_(std::move(w.connection))
    {
        w.granted = false;
    }
    client_lease(client_lease&& other) noexcept
        : all_(std::exchange(other.all_, nullptr)), pool_(other.pool_), connection_(std::move(other.connection_))
    {
    }
    client_lease& operator=(client_lease&& other) noexcept
    {
        client_lease old(std::move(*this));
        all_ = std::exchange(other.all_, nullptr);
        pool_ = other.pool_;
        connection_ = std::move(other.connection_);
        return *this;
    }
    ~client_lease()
    {
        connection_.reset();
        if (all_ != nullptr) all_->closed_in_use(*pool_);
    }

    void open(connection_ptr made) noexcept { connection_ = std::move(made); }
    [[nodiscard]] bool has_connection() const noexcept { return connection_ != nullptr; }
    [[nodiscard]] client_connection<Stream>& operator*() const noexcept { return *connection_; }
    [[nodiscard]] client_connection<Stream>* operator->() const noexcept { return connection_.get(); }
    void keep(time_point now) { std::exchange(all_, nullptr)->keep(*pool_, std::move(connection_), now); }

private:
    client_pools<Stream>* all_ = nullptr;
    client_pool<Stream>* pool_ = nullptr;
    connection_ptr connection_;
};

} // namespace weir::inline v0::http::detail
