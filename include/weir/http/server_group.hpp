// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/http/detail/streams.hpp>
#include <weir/http/edge.hpp>
#include <weir/http/server.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace weir::inline v0::http {

/// A pipeline that `make()` returns, built in place, behind an edge that owns it: `http::own_edge([] { return weir::pipeline{...}; })`.
/// For handlers that a factory makes, one a thread.
template<class Request = request, class Make>
[[nodiscard]] request_handler own_edge(Make make, edge_options o = {})
{
    struct owned_pipeline {
        explicit owned_pipeline(Make& from) : svc(from()) {}
        decltype(std::declval<Make&>()()) svc;
    };
    auto const own = std::make_shared<owned_pipeline>(make);
    return [own, answer = edge<Request>(own->svc, std::move(o))](Request& r) { return answer(r); };
}

/// Servers on one port, each on a thread and an `io_context` of its own, so that nothing is shared and policies may be `confined`:
///
/// ```cpp
/// weir::http::server_group group(0, [] { return http::own_edge(quotes); }, {.port = 8080}); // one a processor
/// group.drain_on({SIGTERM});
/// group.wait(); // until all have drained
/// ```
/// The factory is called once in each thread, before that thread listens; it takes nothing, or the executor of the thread. The handler that
/// it makes is called on that thread alone. The system spreads connections over the threads (SO_REUSEPORT) by their addresses and ports;
/// one stays where it is. `server_options::connections` counts for all threads together, each has its part; `connections_per_address` is of
/// each thread.
template<class Stream = detail::tcp_stream>
class basic_server_group {
public:
    using context_type = detail::context_of<Stream>;

    /// Returns when all threads listen. `threads` 0: as many as the machine has processors. Throws what the factory throws, or the server.
    template<class Factory>
    basic_server_group(unsigned threads, Factory make, server_options const& options = {}) requires(!detail::is_secure<Stream>)
        : basic_server_group(threads, wrap(std::move(make)), options, context_type{}, 0)
    {
    }
    /// One that speaks TLS takes the context that its connections begin with.
    template<class Factory>
    basic_server_group(unsigned threads, Factory make, context_type context,
                       server_options const& options = {}) requires detail::is_secure<Stream>
        : basic_server_group(threads, wrap(std::move(make)), options, std::move(context), 0)
    {
    }
    /// Ends all connections as a drain does, and waits for it.
    ~basic_server_group()
    {
        drain();
        join();
    }
    basic_server_group(basic_server_group const&) = delete;
    basic_server_group& operator=(basic_server_group const&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::size_t threads() const noexcept { return workers_.size(); }

    /// Drains all servers: see `basic_server::drain`. From any thread, any number of times.
    void drain()
    {
        for (auto& w : workers_)
            if (w->listens.load(std::memory_order_acquire)) w->server->drain();
        if (signals_) boost::asio::post(workers_.front()->context, [this] { signals_->cancel(); });
    }
    /// Drains when one of the signals comes. Once.
    void drain_on(std::initializer_list<int> signals)
    {
        signals_.emplace(workers_.front()->context);
        for (int s : signals) signals_->add(s);
        signals_->async_wait([this](boost::system::error_code failed, int) {
            if (!failed) drain();
        });
    }
    /// Returns when all servers have drained. Throws what came out of a thread; then the others drain.
    void wait()
    {
        join();
        for (auto& w : workers_)
            if (w->failed) std::rethrow_exception(std::exchange(w->failed, nullptr));
    }

    /// The sum over all threads. From any thread.
    [[nodiscard]] server_stats stats() const noexcept
    {
        server_stats all;
        for (auto const& w : workers_)
            if (w->listens.load(std::memory_order_acquire)) all += w->server->stats();
        return all;
    }

private:
    using factory = std::function<request_handler(boost::asio::any_io_executor const&)>;
    struct worker {
        boost::asio::io_context context{1};
        std::optional<basic_server<Stream>> server;
        std::atomic<bool> listens{false}; // the server is there
        std::exception_ptr failed;
        std::thread thread;
    };

    basic_server_group(unsigned threads, factory make, server_options options, context_type const& context, int) : make_(std::move(make))
    {
        check(options);
        if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
        options.connections = (options.connections + threads - 1) / threads;
        options.reuse_port = options.reuse_port || threads > 1;
        while (workers_.size() < threads) workers_.push_back(std::make_unique<worker>());
        try {
            for (auto& w : workers_) options.port = port_ = start(*w, options, context);
        } catch (...) {
            drain();
            join();
            throw;
        }
    }
    template<class Factory>
    static factory wrap(Factory make)
    {
        if constexpr (std::invocable<Factory&, boost::asio::any_io_executor const&>)
            return [make](boost::asio::any_io_executor const& executor) mutable { return request_handler(make(executor)); };
        else
            return [make](boost::asio::any_io_executor const&) mutable { return request_handler(make()); };
    }
    /// Returns the port when the thread listens.
    std::uint16_t start(worker& w, server_options const& options, context_type const& context)
    {
        std::promise<std::uint16_t> told;
        auto port = told.get_future();
        w.thread = std::thread([this, &w, options, context, told = std::move(told)]() mutable {
            try {
                boost::asio::any_io_executor const executor = w.context.get_executor();
                if constexpr (detail::is_secure<Stream>) {
                    w.server.emplace(executor, make_(executor), context, options);
                } else {
                    static_cast<void>(context);
                    w.server.emplace(executor, make_(executor), options);
                }
                w.listens.store(true, std::memory_order_release);
                told.set_value(w.server->port());
            } catch (...) {
                told.set_exception(std::current_exception());
                return;
            }
            try {
                w.context.run();
            } catch (...) {
                w.failed = std::current_exception();
                drain();
            }
        });
        return port.get();
    }
    void join()
    {
        for (auto& w : workers_)
            if (w->thread.joinable()) w->thread.join();
    }

    factory make_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::optional<boost::asio::signal_set> signals_; // on the first thread's context
    std::uint16_t port_ = 0;
};

/// The group over plain TCP.
using server_group = basic_server_group<>;

} // namespace weir::inline v0::http
