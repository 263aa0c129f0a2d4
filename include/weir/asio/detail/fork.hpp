// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/spawned_work.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/driver.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// The policies of a pipeline from `First` on.
template<class Shelf, std::size_t First>
class inner_shelf {
public:
    static constexpr std::size_t size = Shelf::size - First;
    static constexpr std::size_t first = Shelf::first + First;
    template<std::size_t Index>
    using policy_at = typename Shelf::template policy_at<First + Index>;
    template<std::size_t Index>
    static constexpr std::string_view name_at() noexcept
    {
        return Shelf::template name_at<First + Index>();
    }

    explicit inner_shelf(Shelf& all) noexcept : all_(all) {}
    template<std::size_t Index>
    policy_at<Index>& get() noexcept
    {
        return all_.template get<First + Index>();
    }

private:
    Shelf& all_;
};

/// The inside of a pipeline as a pipeline of its own: what a fork runs.
template<class Pipeline, std::size_t First>
struct inside {
    explicit inside(Pipeline& p) noexcept : whole(p), policies(access<Pipeline>::policies(p)) {}
    Pipeline& whole;
    inner_shelf<typename access<Pipeline>::policies_type, First> policies;
};

template<class Pipeline, std::size_t First>
struct access<inside<Pipeline, First>> {
    using whole = access<Pipeline>;
    using pipeline_type = inside<Pipeline, First>;
    using handler_type = typename whole::handler_type;
    using policies_type = inner_shelf<typename whole::policies_type, First>;
    // The facets of all policies: a fork has a copy of what those further out have provided.
    using provided = typename whole::provided;
    using reported = typename whole::reported;
    using clock_type = typename whole::clock_type;
    using classifier_type = typename whole::classifier_type;
    using observer_type = typename whole::observer_type;
    static constexpr bool rewrites = borders<policies_type>::rewrites(0);
    static constexpr bool limits = []<std::size_t... I>(std::index_sequence<I...>)
    {
        return (has_trait<typename policies_type::template policy_at<I>, limits_time> || ...);
    }
    (std::make_index_sequence<policies_type::size>());
    static constexpr bool has_scope = whole::has_scope;

    static policies_type& policies(pipeline_type& p) noexcept { return p.policies; }
    static handler_type& handler(pipeline_type& p) noexcept { return whole::handler(p.whole); }
    static auto& clock(pipeline_type& p) noexcept { return whole::clock(p.whole); }
    static auto& classifier(pipeline_type& p) noexcept { return whole::classifier(p.whole); }
    static auto& observer(pipeline_type& p) noexcept { return whole::observer(p.whole); }
    static auto& scope(pipeline_type& p) noexcept { return whole::scope(p.whole); }
};

/// The whole that a pipeline is the inside of. A fork of a fork refers to it, since the first may end before the second.
template<class Pipeline>
Pipeline& whole_of(Pipeline& p) noexcept
{
    return p;
}
template<class Pipeline, std::size_t First>
Pipeline& whole_of(inside<Pipeline, First>& p) noexcept
{
    return p.whole;
}

/// How a fork ends: the source that wanted it learns the outcome.
template<class Policy, class Token>
struct give_source {
    Policy& policy;
    Token& token;
    template<class, class>
    using type = void;
    template<class, class Machine>
    void operator()(Machine& m)
    {
        if constexpr (passes_answer_on<Token>) token.answered_by(m.answered_by());
        policy.learn(static_cast<typename Machine::call_type&>(m), token, m.outcome());
    }
};

/// How a fork begins: with the facets that its parent had.
template<class Provided>
class begin_with;
template<class... Facets>
class begin_with<facets<Facets...>> {
public:
    begin_with([[maybe_unused]] auto const& parent, weir::deadline until) : had_(parent.template get<Facets>()...), until_(until) {}
    void operator()(auto& fork) const
    {
        (fork.set(std::get<Facets>(had_)), ...);
        fork.put_back(until_);
    }

private:
    std::tuple<Facets...> had_;
    weir::deadline until_;
};

template<class P>
concept forks_keep_the_deadline = requires
{
    requires P::forks_keep_the_deadline;
};

/// What a source is told when a policy of the fork has thrown, and there is no call any more.
template<class Clock>
class failed_call {
public:
    failed_call(Clock& clock, std::exception_ptr thrown) noexcept : clock_(clock), thrown_(std::move(thrown)) {}
    [[nodiscard]] time_point now() { return clock_.now(); }
    [[nodiscard]] weir::deadline const& deadline() const noexcept { return none_; }
    [[nodiscard]] std::exception_ptr thrown() const noexcept { return thrown_; }
    void tell(auto const&) const noexcept {}

private:
    Clock& clock_;
    std::exception_ptr thrown_;
    weir::deadline none_{};
};

/// What a fork needs while it runs.
template<class Pipeline, std::size_t Index, class Token>
struct forked {
    using see = access<Pipeline>;
    using inside_type = inside<Pipeline, Index + 1>;
    inside_type within;
    Token token{};

    explicit forked(Pipeline& p) : within(p) {}
    auto& policy() noexcept { return see::policies(within.whole).template get<Index>(); }
    /// A policy of the fork has thrown.
    template<class Request>
    void fails(std::exception_ptr thrown)
    {
        typename shape<inside_type, Request>::outcome failure(errc::handler_threw);
        failed_call call(see::clock(within.whole), std::move(thrown));
        policy().learn(call, token, failure);
    }
};

/// Begins the fork that the policy at `Index` wants, and says what its call does meanwhile.
template<std::size_t Index, class Driver, class Pipeline, class Machine, class Executor>
act fork_from(Pipeline& p, Machine& m, Executor executor)
{
    using see = access<Pipeline>;
    using token_type = typename Machine::template token_at<Index>;
    auto& whole = whole_of(p);
    using forked_type = forked<std::remove_reference_t<decltype(whole)>, see::policies_type::first + Index, token_type>;
    auto const fork = std::make_shared<spawned_work<Executor, forked_type>>(see::scope(p), std::move(executor), whole);
    if (!fork->begin()) return m.template not_forked<Index>();
    forked_type& needs = fork->needs();
    auto& call = m.template call_of<Index>();
    using request_type = typename std::remove_cvref_t<decltype(call)>::request_type;
    weir::deadline until{};
    if constexpr (forks_keep_the_deadline<typename see::policies_type::template policy_at<Index>>) until = call.deadline();
    begin_with<typename see::provided> begin(m, until);
    request_type request(call.request());
    m.template fork_into<Index>(needs.token);
    if constexpr (requires { needs.token.runs_as(*fork); }) needs.token.runs_as(*fork);
    act const next = m.template forked<Index>();
    give_source<typename see::policies_type::template policy_at<Index>, token_type> const give{needs.policy(), needs.token};
    fork->run(Driver::template start<request_type>(needs.within, std::move(request), give, std::move(begin)),
              [](auto& work, std::exception_ptr thrown) {
                  if (thrown != nullptr) work.needs().template fails<request_type>(std::move(thrown));
              });
    return next;
}

template<class Driver, class Pipeline, class Machine, class Executor>
act fork_any(Pipeline& p, Machine& m, Executor executor)
{
    act next = act::unwind;
    at_place(typename Machine::splitting(), m.at(), [&](auto index) { next = fork_from<index, Driver>(p, m, std::move(executor)); });
    return next;
}

} // namespace weir::inline v0::detail
