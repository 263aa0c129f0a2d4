// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/park.hpp>
#include <weir/http/client_options.hpp>
#include <weir/http/detail/client_connection.hpp>
#include <weir/http/detail/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0::http::detail {

template<class Stream>
class client_pools;

/// A request that waits for a connection. It lies in the request's frame.
template<class Stream>
struct place_wait : waiter {
    place_wait() = default;
    ~place_wait();

    client_pools<Stream>* all = nullptr;
    client_pool<Stream>* pool = nullptr;
    std::shared_ptr<client_connection<Stream>> connection; ///< if it was granted one that is there
    bool granted = false;                                  ///< a place, or a connection, which is to be taken
};

/// The connections to one host and port: those that are idle, the latest used last, and how many there are.
template<class Stream>
struct client_pool {
    using connection_ptr = std::shared_ptr<client_connection<Stream>>;

    client_pools<Stream>* all = nullptr;
    std::vector<connection_ptr> idle;
    std::size_t open = 0;
    std::size_t waiting = 0;

    void drop(client_connection<Stream>& c)
    {
        auto const at = std::find_if(idle.begin(), idle.end(), [&](auto const& each) { return each.get() == &c; });
        if (at == idle.end()) return;
        connection_ptr const gone = std::move(*at);
        idle.erase(at);
        gone->idle_in = nullptr;
        all->closed(*this);
    }
    void close_idle()
    {
        while (!idle.empty()) drop(*idle.back());
    }
};

/// All connections of a client, by host and port, and who waits for one. Bounded for each and in total; first come, first served.
template<class Stream>
class client_pools {
public:
    using connection_ptr = std::shared_ptr<client_connection<Stream>>;
    using pool = client_pool<Stream>;

    explicit client_pools(client_options const& o) : options_(o) {}
    client_pools(client_pools const&) = delete;
    client_pools& operator=(client_pools const&) = delete;
    ~client_pools()
    {
        for (auto& [name, p] : pools_)
            for (auto& c : p.idle) c->idle_in = nullptr;
    }

    /// The pool of an upstream; null if there are too many, and all in use.
    pool* find(std::string const& name)
    {
        auto found = pools_.find(name);
        if (found == pools_.end()) {
            if (pools_.size() >= options_.upstreams && !forget_one()) return nullptr;
            found = pools_.try_emplace(name).first;
            found->second.all = this;
        }
        return &found->second;
    }
    [[nodiscard]] pool const* look(std::string const& name) const
    {
        auto const found = pools_.find(name);
        return found == pools_.end() ? nullptr : &found->second;
    }

    /// The latest used idle connection that is fit for use, if there is one.
    connection_ptr take_idle(pool& from, time_point now)
    {
        while (!from.idle.empty()) {
            connection_ptr taken = std::move(from.idle.back());
            from.idle.pop_back();
            --idle_;
            taken->idle_in = nullptr;
            // What came while it was idle was not asked for: it would be taken for the answer to the next request.
            if (is_young(*taken, now) && taken->since >= now - options_.idle_time) {
                if (is_quiet(taken->stream)) {
                    ++stats.reused;
                    return taken;
                }
                ++stats.stale;
            }
            lose(from);
        }
        return nullptr;
    }
    /// A place for a new connection: false if there is none.
    bool take_place(pool& in)
    {
        if (in.open >= options_.connections_per_upstream) return false;
        if (open_ >= options_.connections && !close_oldest_idle()) return false;
        occupy(in);
        return true;
    }
    /// Lines up. False: too many wait already.
    bool line_up(pool& in, place_wait<Stream>& w)
    {
        if (waiting_.size() >= options_.waiting) return false;
        waiting_.push_back(&w);
        ++in.waiting;
        ++stats.waited;
        w.all = this;
        w.pool = &in;
        return true;
    }
    /// Gives up, if it was not granted anything yet.
    void leave(place_wait<Stream>& w) noexcept
    {
        auto const at = std::find(waiting_.begin(), waiting_.end(), &w);
        if (at == waiting_.end()) return;
        waiting_.erase(at);
        --w.pool->waiting;
    }

    /// A connection comes back, fit for another request or not.
    void keep(pool& in, connection_ptr c, time_point now)
    {
        ++c->requests;
        if (!is_young(*c, now) || options_.idle_time.count() == 0) {
            c.reset();
            return closed_in_use(in);
        }
        if (in.waiting > 0) {
            auto const next = std::find_if(waiting_.begin(), waiting_.end(), [&](auto const* w) { return w->pool == &in; });
            (*next)->connection = std::move(c);
            return grant(next);
        }
        if (!waiting_.empty() && next_for(1) != waiting_.end()) { // somebody who waits for another upstream needs its place
            c.reset();
            return closed_in_use(in);
        }
        c->since = now;
        c->idle_in = &in;
        c->until(now, std::min(after(now, options_.idle_time), after(c->born, options_.age)));
        in.idle.push_back(std::move(c));
        ++idle_;
    }
    void closed_in_use(pool& in) noexcept
    {
        lose(in);
        auto const next = next_for(0);
        if (next == waiting_.end()) return;
        occupy(*(*next)->pool);
        grant(next);
    }
    /// An idle one was closed, which is out of the list by now.
    void closed(pool& in) noexcept
    {
        --idle_;
        closed_in_use(in);
    }
    void close_idle()
    {
        for (auto& [name, p] : pools_) p.close_idle();
    }

    [[nodiscard]] client_stats snapshot() const noexcept
    {
        client_stats s = stats;
        s.open = open_;
        s.idle = idle_;
        s.waiting = waiting_.size();
        return s;
    }

    client_stats stats;

private:
    [[nodiscard]] bool is_young(client_connection<Stream> const& c, time_point now) const noexcept
    {
        return c.requests < options_.requests_per_connection && now < after(c.born, options_.age);
    }
    void occupy(pool& in) noexcept
    {
        ++in.open;
        ++open_;
    }
    void lose(pool& in) noexcept
    {
        --in.open;
        --open_;
    }
    /// The first in the line who may have one more connection, if `more` are closed before.
    auto next_for(std::size_t more) noexcept
    {
        if (waiting_.empty() || open_ - more >= options_.connections) return waiting_.end();
        return std::find_if(waiting_.begin(), waiting_.end(),
                            [&](auto const* w) { return w->pool->open < options_.connections_per_upstream; });
    }
    void grant(typename std::vector<place_wait<Stream>*>::iterator at) noexcept
    {
        place_wait<Stream>& w = **at;
        waiting_.erase(at);
        --w.pool->waiting;
        w.granted = true;
        w.wake();
    }

    /// Makes room in total.
    bool close_oldest_idle()
    {
        pool* oldest = nullptr;
        for (auto& [name, p] : pools_)
            if (!p.idle.empty() && (oldest == nullptr || p.idle.front()->since < oldest->idle.front()->since)) oldest = &p;
        if (oldest == nullptr) return false;
        connection_ptr const gone = std::move(oldest->idle.front());
        oldest->idle.erase(oldest->idle.begin());
        gone->idle_in = nullptr;
        --idle_;
        lose(*oldest);
        return true;
    }
    /// Forgets an upstream that has nothing in use; one without connections first.
    bool forget_one()
    {
        auto found = pools_.end();
        for (auto at = pools_.begin(); at != pools_.end(); ++at) {
            if (at->second.open > at->second.idle.size() || at->second.waiting > 0) continue;
            if (found == pools_.end() || at->second.idle.size() < found->second.idle.size()) found = at;
        }
        if (found == pools_.end()) return false;
        found->second.close_idle();
        pools_.erase(found);
        return true;
    }

    client_options const& options_;
    std::map<std::string, pool, std::less<>> pools_;
    std::size_t open_ = 0;
    std::size_t idle_ = 0;
    std::vector<place_wait<Stream>*> waiting_; // in the order of coming
};

} // namespace weir::inline v0::http::detail
