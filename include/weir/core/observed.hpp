// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/driver.hpp>
#include <weir/core/events.hpp>
#include <weir/core/policy.hpp>

#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// A pipeline with somebody who watches it: `observed watched{svc, observer};`, then `watched(request)` in place of `svc(request)`.
///
/// The observer is called with each event of `weir::event` that it can be called with, and with those that policies tell of by
/// `call.tell(...)`, such as `breaker_transition`: one with a single overload sees a single kind of event, and no code is made for the
/// others. Calls of `svc` itself are not observed and pay nothing.
/// ```cpp
/// struct refusals {
///     std::uint64_t seen = 0;
///     void operator()(weir::event::refused const&) { ++seen; }
/// };
/// refusals count;
/// weir::observed watched{svc, std::ref(count)};
/// ```
/// The observer runs within the call, on its thread, and may be called by several calls at once where the pipeline is; it must not throw
/// and must not block. It and the pipeline outlive the calls.
template<class Pipeline, class Observer>
class observed {
    using observer_type = detail::policy_t<Observer>;

public:
    observed(Pipeline& svc, Observer observer) : pipeline_(svc), observer_(std::move(observer)) {}
    observed(observed const&) = delete;
    observed& operator=(observed const&) = delete;
    ~observed()
    {
        auto& policies = detail::access<Pipeline>::policies(pipeline_);
        detail::close_all(policies, std::make_index_sequence<std::remove_reference_t<decltype(policies)>::size>());
    }

    /// As those of the pipeline.
    template<class Request>
    decltype(auto) operator()(Request&& request)
    {
        return detail::drive(*this, std::forward<Request>(request), detail::give_outcome{});
    }
    template<class Request>
    decltype(auto) call(Request&& request)
    {
        return detail::drive(*this, std::forward<Request>(request), detail::give_reply{});
    }
    template<class Request, class Make>
    decltype(auto) call(Request&& request, Make make)
    {
        return detail::drive(*this, std::forward<Request>(request), detail::give_what<Make>{std::move(make)});
    }

    [[nodiscard]] Pipeline& pipeline() const noexcept { return pipeline_; }
    [[nodiscard]] observer_type& observer() noexcept { return detail::unwrapped<Observer>::of(observer_); }

private:
    Pipeline& pipeline_;
    [[no_unique_address]] Observer observer_;
};

namespace detail {

template<class Pipeline, class Observer>
struct access<observed<Pipeline, Observer>> : access<Pipeline> {
    using whole = access<Pipeline>;
    using pipeline_type = observed<Pipeline, Observer>;
    using observer_type = policy_t<Observer>;

    static auto& policies(pipeline_type& p) noexcept { return whole::policies(p.pipeline()); }
    static auto& handler(pipeline_type& p) noexcept { return whole::handler(p.pipeline()); }
    static auto& clock(pipeline_type& p) noexcept { return whole::clock(p.pipeline()); }
    static auto& classifier(pipeline_type& p) noexcept { return whole::classifier(p.pipeline()); }
    static auto& scope(pipeline_type& p) noexcept { return whole::scope(p.pipeline()); }
    static observer_type& observer(pipeline_type& p) noexcept { return p.observer(); }
};

} // namespace detail

} // namespace weir::inline v0
