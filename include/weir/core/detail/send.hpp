// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/driver.hpp>
#include <weir/core/detail/inside.hpp>
#include <weir/core/errand.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace advice {
template<class Policy>
struct runs_the_inside_elsewhere {
    template<class Request>
    struct and_keeps_a_copy_as_its_caller_may_leave__make_it_copyable;
};
} // namespace advice

namespace detail {

/// The policies behind the detour at `Index` and the handler, with a request of their own.
template<class Pipeline, std::size_t Index, class Request, class Outcome>
class inner_errand final : public answering_errand<Outcome> {
public:
    using inside_type = inside<Pipeline, Index + 1>;
    using see = access<inside_type>;
    using shape_type = shape<inside_type, Request>;
    using machine_type = typename shape_type::machine_type;

    template<class Machine>
    inner_errand(Pipeline& p, Machine& parent, Request const& request)
        : answering_errand<Outcome>(&reports_),
          inside_(p),
          begin_(parent, parent.deadline()),
          request_(request),
          deadline_(parent.deadline())
    {
    }
    using errand::runs_as;

    /// How the machine begins, what it runs, and how it ends.
    void begin(machine_type& m) { begin_(m); }
    [[nodiscard]] inside_type& what() noexcept { return inside_; }
    [[nodiscard]] Request& request() noexcept { return request_; }
    void keep(machine_type& m)
    {
        this->outcome_.emplace(std::move(m.outcome()));
        this->thrown_ = m.unanswered_exception();
        this->answered_by_ = m.answered_by();
        reports_ = std::move(m.reports());
    }
    /// A policy has thrown, and there is no call any more.
    void threw(std::exception_ptr exception) noexcept
    {
        this->outcome_.emplace(error(errc::handler_threw));
        this->thrown_ = std::move(exception);
    }

private:
    /// Whether it is all one function call: nothing awaits.
    static constexpr bool is_plain = !awaitable<typename shape_type::returned> && machine_type::deciding::size() == 0 &&
                                     machine_type::finishing::size() == 0 && machine_type::splitting::size() == 0;

    bool carry_out() noexcept override
    {
        if (deadline_.at != never && see::clock(inside_).now() >= deadline_.at) {
            this->outcome_.emplace(error(errc::deadline_exceeded).by(deadline_.policy));
            return false;
        }
        try {
            if constexpr (is_plain) {
                machine_type m(see::policies(inside_), request_, see::clock(inside_), see::classifier(inside_), see::observer(inside_));
                begin(m);
                run_blocking<shape_type>(inside_, m);
                keep(m);
            } else
                driver_for<typename shape_type::awaitable_type>::run_errand(*this);
        } catch (...) {
            threw(std::current_exception());
        }
        return true;
    }

    void tidy_up() noexcept override
    {
        if constexpr (!is_plain) driver_for<typename shape_type::awaitable_type>::run_rest();
    }

    inside_type inside_;
    begin_with<typename see::provided> begin_;
    Request request_;
    deadline deadline_;
    facet_frame<typename reported<typename see::reported>::type> reports_;
};

template<std::size_t Index, class Pipeline, class Machine>
act send_from(Pipeline& p, Machine& m)
{
    auto& call = m.template call_of<Index>();
    auto& whole = whole_of(p);
    using request_type = typename std::remove_cvref_t<decltype(call)>::request_type;
    using policy_type = typename access<Pipeline>::policies_type::template policy_at<Index>;
    if constexpr (!std::copy_constructible<request_type>)
        static_cast<void>(sizeof(typename advice::runs_the_inside_elsewhere<
                                 policy_type>::template and_keeps_a_copy_as_its_caller_may_leave__make_it_copyable<request_type>));
    using errand_type = inner_errand<std::remove_reference_t<decltype(whole)>, access<Pipeline>::policies_type::first + Index, request_type,
                                     typename Machine::template outcome_of<Index>>;
    return m.template sent<Index>(*new errand_type(whole, m, call.request()));
}

/// Sends the inside of the policy that the machine has come to, and says what its call does meanwhile.
template<class Pipeline, class Machine>
act send_any(Pipeline& p, Machine& m)
{
    act next = act::unwind;
    at_place(typename Machine::sending(), m.at(), [&](auto index) { next = send_from<index>(p, m); });
    return next;
}

} // namespace detail

} // namespace weir::inline v0
