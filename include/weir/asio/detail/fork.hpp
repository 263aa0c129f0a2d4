// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/detail/spawned_work.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/driver.hpp>
#include <weir/core/detail/inside.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

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
