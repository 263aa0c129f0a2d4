// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/driver.hpp>
#include <weir/core/scope.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

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

/// A place in a pipeline: a fork of a fork refers to the whole, since the first may end before the second.
template<class Pipeline, std::size_t Index>
struct place_in {
    using whole = Pipeline;
    static constexpr std::size_t index = Index;
    static whole& of(Pipeline& p) noexcept { return p; }
};
template<class Whole, std::size_t First, std::size_t Index>
struct place_in<inside<Whole, First>, Index> {
    using whole = Whole;
    static constexpr std::size_t index = First + Index;
    static whole& of(inside<Whole, First>& p) noexcept { return p.whole; }
};

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

/// One fork: lives until its coroutine has ended.
template<class Pipeline, std::size_t Index, class Token, class Executor>
class running_fork final : public work, public std::enable_shared_from_this<running_fork<Pipeline, Index, Token, Executor>> {
    using see = access<Pipeline>;
    using inside_type = inside<Pipeline, Index + 1>;

public:
    running_fork(Pipeline& p, Executor executor) : inside_(p), executor_(std::move(executor)) {}
    ~running_fork()
    {
        if (begun_) see::scope(inside_.whole).end(*this);
    }

    bool begin() { return begun_ = see::scope(inside_.whole).begin(*this); }
    [[nodiscard]] Token& token() noexcept { return token_; }
    void cancel() noexcept override
    {
        // Moved on: who asks may hold the lock that the end of a fork takes.
        if (auto self = this->weak_from_this().lock())
            boost::asio::post(executor_, [own = std::move(self)] { own->signal_.emit(boost::asio::cancellation_type::terminal); });
    }
    template<class Driver, class Request, class Begin>
    void run(Request request, Begin begin)
    {
        auto& policy = see::policies(inside_.whole).template get<Index>();
        using give = give_source<std::remove_reference_t<decltype(policy)>, Token>;
        boost::asio::co_spawn(
            executor_, Driver::template start<Request>(inside_, std::move(request), give{policy, token_}, std::move(begin)),
            boost::asio::bind_cancellation_slot(signal_.slot(), [self = this->shared_from_this(), &policy](std::exception_ptr thrown) {
                if (thrown == nullptr) return;
                typename shape<inside_type, Request>::outcome failure(errc::handler_threw);
                failed_call call(see::clock(self->inside_.whole), std::move(thrown));
                policy.learn(call, self->token_, failure);
            }));
    }

private:
    inside_type inside_;
    Token token_{};
    Executor executor_;
    boost::asio::cancellation_signal signal_;
    bool begun_ = false;
};

/// Begins the fork that the policy at `Index` wants, and says what its call does meanwhile.
template<std::size_t Index, class Driver, class Pipeline, class Machine, class Executor>
act fork_from(Pipeline& p, Machine& m, Executor executor)
{
    using token = typename Machine::template token_at<Index>;
    using place = place_in<Pipeline, Index>;
    auto const fork =
        std::make_shared<running_fork<typename place::whole, place::index, token, Executor>>(place::of(p), std::move(executor));
    if (!fork->begin()) return m.template not_forked<Index>();
    auto& call = m.template call_of<Index>();
    using request_type = typename std::remove_cvref_t<decltype(call)>::request_type;
    weir::deadline until{};
    if constexpr (forks_keep_the_deadline<typename access<Pipeline>::policies_type::template policy_at<Index>>) until = call.deadline();
    begin_with<typename access<Pipeline>::provided> begin(m, until);
    request_type request(call.request());
    m.template fork_into<Index>(fork->token());
    if constexpr (requires { fork->token().runs_as(*fork); }) fork->token().runs_as(*fork);
    act const next = m.template forked<Index>();
    fork->template run<Driver, request_type>(std::move(request), std::move(begin));
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
