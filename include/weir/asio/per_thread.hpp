// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>
#include <weir/core/describe.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace weir::inline v0 {

/// A figure that a policy counts, over all threads. Of what counts things the sum is what all did; of a ratio or a state only the least and
/// the most mean something.
struct merged_figure {
    std::string_view name;  ///< of the policy's type
    std::string_view label; ///< given by `named<...>`, else empty
    std::string field;
    double sum = 0;
    double least = 0;
    double most = 0;
};

namespace detail {

template<class Factory>
decltype(auto) make_on(Factory& make, boost::asio::any_io_executor const& executor)
{
    if constexpr (std::invocable<Factory&, boost::asio::any_io_executor const&>)
        return make(executor);
    else
        return make();
}

} // namespace detail

/// One pipeline a thread, each from the same factory, so that its policies may be `confined`: nothing on the way of a call is shared.
/// ```cpp
/// weir::per_thread quotes{[] { return weir::pipeline{weir::rate_limit{weir::gcra<weir::confined>{rate}}, fetch_quote}; }};
/// weir::http::server_group group(0, [&](asio::any_io_executor const& own) { return weir::http::edge(quotes.make(own)); }, {.port = 8080});
/// ...
/// co_await quotes.reconfigure([](auto& svc) -> auto& { return svc.template get<weir::rate_limit>(); }, weir::rate{...});
/// ```
/// A thread is an executor that is serial: a context with one thread, or a strand. What is confined is touched there only: `on_owners` goes
/// to each in turn and comes back. A limit holds for each thread by itself: a total is divided by hand.
///
/// Thread-safe. It owns the pipelines, and outlives their calls; it waits for a thread that has ended for ever, so ask only while all run.
template<class Factory>
class per_thread {
public:
    using pipeline_type =
        std::remove_cvref_t<decltype(detail::make_on(std::declval<Factory&>(), std::declval<boost::asio::any_io_executor>()))>;

    /// What a function gives for a pipeline, awaited; `std::monostate` for nothing.
    template<class F>
    using value_of = std::conditional_t<std::is_void_v<typename awaitable_traits<std::invoke_result_t<F&, pipeline_type&>>::value_type>,
                                        std::monostate, typename awaitable_traits<std::invoke_result_t<F&, pipeline_type&>>::value_type>;

    /// The factory takes nothing, or the executor. It runs under a lock, in the thread that asks for a pipeline.
    explicit per_thread(Factory make) : make_(std::move(make)) {}
    per_thread(per_thread const&) = delete;
    per_thread& operator=(per_thread const&) = delete;

    /// The pipeline of a thread, which is to be called there only. Throws `std::logic_error` if the executor has one, or what the factory
    /// throws.
    pipeline_type& make(boost::asio::any_io_executor executor)
    {
        std::lock_guard lock(making_);
        if (find(executor) != nullptr) throw std::logic_error("weir: per_thread.make: this executor has its pipeline");
        return owners_.emplace_back(std::make_unique<owner>(std::move(executor), make_))->svc;
    }
    /// The pipeline that was made for this executor. Takes a lock: ask once a connection. Throws `std::logic_error` if there is none.
    [[nodiscard]] pipeline_type& at(boost::asio::any_io_executor const& executor) const
    {
        std::lock_guard lock(making_);
        owner* const found = find(executor);
        if (found == nullptr) throw std::logic_error("weir: per_thread.at: no pipeline was made for this executor");
        return found->svc;
    }
    [[nodiscard]] std::size_t size() const
    {
        std::lock_guard lock(making_);
        return owners_.size();
    }

    /// Calls the pipeline of the thread that it is awaited on. The request is named: it has to live until the call has ended.
    template<class Request>
    auto operator()(Request& request)
        -> boost::asio::awaitable<typename awaitable_traits<decltype(std::declval<pipeline_type&>()(request))>::value_type>
    {
        pipeline_type& svc = at(co_await boost::asio::this_coro::executor);
        if constexpr (awaitable<decltype(svc(request))>)
            co_return co_await svc(request);
        else
            co_return svc(request);
    }

    /// Runs `f(pipeline)` on each thread in turn, in the order in which they were made, and gives what it returned, awaited if it is an
    /// awaitable. What it throws ends the round and is thrown on. `f` captures references and plain values only.
    template<class F>
    [[nodiscard]] auto on_owners(F f) -> boost::asio::awaitable<std::vector<value_of<F>>>
    {
        static_assert(std::is_trivially_destructible_v<F>,
                      "weir::per_thread wants functions that capture references and plain values only");
        std::vector<value_of<F>> values;
        for (owner* const each : all())
            co_await boost::asio::co_spawn(each->executor, run(f, each->svc, values), boost::asio::use_awaitable);
        co_return values;
    }

    /// `find(pipeline).reconfigure(options)` on each thread: all take the options, or none. The first one judges them; if a later one
    /// refuses what that has taken, those before it go back to what they had, and the refusal is thrown: `std::invalid_argument` that names
    /// the member. While it is under way some threads have the old settings and some the new ones. Rounds of two callers may mix: have one.
    template<class Find, class Options>
    [[nodiscard]] boost::asio::awaitable<void> reconfigure(Find find, Options const& options)
    {
        static_assert(std::is_trivially_destructible_v<Find>,
                      "weir::per_thread wants functions that capture references and plain values only");
        auto const settings = co_await on_owners([&](pipeline_type& svc) { return find(svc).settings(); });
        std::size_t taken = 0;
        std::exception_ptr refusal;
        try {
            co_await on_owners([&](pipeline_type& svc) {
                find(svc).reconfigure(options);
                ++taken;
            });
        } catch (...) {
            refusal = std::current_exception();
        }
        if (refusal == nullptr) co_return;
        std::size_t back = 0;
        co_await on_owners([&](pipeline_type& svc) {
            if (back < taken) find(svc).reconfigure(settings[back]);
            ++back;
        });
        std::rethrow_exception(refusal);
    }

    /// What the policies count over all threads, the outermost policy first, as of `now`.
    [[nodiscard]] boost::asio::awaitable<std::vector<merged_figure>> stats(time_point now)
    {
        std::vector<merged_figure> merged;
        bool first = true;
        co_await on_owners([&](pipeline_type& svc) {
            std::size_t next = 0;
            weir::stats_of(svc, now, [&](std::string_view name, std::string_view label, std::string_view field, auto value) {
                auto const figure = static_cast<double>(value);
                if (first) merged.push_back({name, label, std::string(field), 0, figure, figure});
                merged_figure& into = merged[next++];
                into.sum += figure;
                into.least = std::min(into.least, figure);
                into.most = std::max(into.most, figure);
            });
            first = false;
        });
        co_return merged;
    }

private:
    struct owner {
        owner(boost::asio::any_io_executor on, Factory& make) : executor(std::move(on)), svc(detail::make_on(make, executor)) {}
        boost::asio::any_io_executor executor;
        pipeline_type svc;
    };

    template<class F>
    static boost::asio::awaitable<void> run(F& f, pipeline_type& svc, std::vector<value_of<F>>& values)
    {
        using returned = std::invoke_result_t<F&, pipeline_type&>;
        if constexpr (awaitable<returned>) {
            if constexpr (std::is_void_v<typename awaitable_traits<returned>::value_type>) {
                co_await f(svc);
                values.emplace_back();
            } else
                values.push_back(co_await f(svc));
        } else if constexpr (std::is_void_v<returned>) {
            f(svc);
            values.emplace_back();
        } else
            values.push_back(f(svc));
        co_return;
    }
    [[nodiscard]] owner* find(boost::asio::any_io_executor const& executor) const
    {
        auto const found = std::ranges::find_if(owners_, [&](auto const& each) { return each->executor == executor; });
        return found == owners_.end() ? nullptr : found->get();
    }
    [[nodiscard]] std::vector<owner*> all() const
    {
        std::lock_guard lock(making_);
        std::vector<owner*> each;
        for (auto const& o : owners_) each.push_back(o.get());
        return each;
    }

    Factory make_;
    mutable std::mutex making_; // guards the list; the pipelines are their threads'
    std::vector<std::unique_ptr<owner>> owners_;
};

} // namespace weir::inline v0
