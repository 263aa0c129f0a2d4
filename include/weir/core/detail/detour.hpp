// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/errand.hpp>
#include <weir/core/facets.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

namespace weir::inline v0::detail {

/// An errand that brings an outcome back, and what else a call learns: an exception, who answered, what was reported.
template<class Outcome>
class answering_errand : public errand {
public:
    /// Gives it all to the call that was woken.
    template<class Call>
    void bring(Call& call, Outcome& outcome)
    {
        outcome = std::move(*outcome_);
        if (thrown_ != nullptr) call.thrown(std::move(thrown_));
        report_all(call, typename Call::reported_facets());
    }
    [[nodiscard]] std::uint8_t answered_by() const noexcept { return answered_by_; }

protected:
    /// `reports` is the frame of all that the pipeline's policies report.
    explicit answering_errand(void* reports) noexcept : reports_(reports) {}

    std::optional<Outcome> outcome_;
    std::exception_ptr thrown_;
    std::uint8_t answered_by_ = error::no_policy;

private:
    void fail(error why) noexcept final { outcome_.emplace(why); }
    template<class Call, class... Facets>
    void report_all([[maybe_unused]] Call& call, facets<Facets...>)
    {
        [[maybe_unused]] auto& told = *static_cast<facet_frame<typename reported<facets<Facets...>>::type>*>(reports_);
        (report<Facets>(call, told.template at<std::optional<Facets>>()), ...);
    }
    template<class F, class Call>
    static void report(Call& call, std::optional<F>& fact)
    {
        if (fact) call.report(*std::move(fact));
    }

    void* reports_;
};

/// What a call has of a detour: the errand that it waits for.
template<class Outcome>
struct errand_slot {
    waiter parked;
    answering_errand<Outcome>* sent = nullptr;
    ~errand_slot()
    {
        if (sent != nullptr) sent->release();
    }
};

template<class Policy, class Call, class Outcome>
requires detour_for<Policy, Call>
struct layer<Policy, Call, Outcome> : layer_base {
    using slot = errand_slot<Outcome>;
    static constexpr bool parks = true;
    static constexpr bool answers = true;

    [[gnu::always_inline]] static bool enter(Policy& policy, slot&, Call& call, auto stop)
    {
        auto const admission = policy.admit(call);
        if (!admission) [[unlikely]]
            return stop.refuse(admission.refusal());
        return stop.send();
    }
    static bool sent(Policy& policy, slot& held, auto stop, answering_errand<Outcome>& errand)
    {
        held.sent = &errand;
        errand.goes_for(held.parked);
        auto const admission = policy.launch(errand);
        if (admission) [[likely]]
            return stop.park(held.parked, never);
        errand.release(); // nobody runs it
        return stop.refuse(admission.refusal());
    }
    static bool resume(Policy& policy, slot& held, Call& call, auto stop, bool in_time)
    {
        bool const in_vain = !in_time && held.sent->leave();
        held.parked.detach();
        if (in_vain) {
            policy.recall(*held.sent);
            return stop.refuse(out_of_time(call));
        }
        held.sent->bring(call, stop.outcome());
        return stop.returned(held.sent->answered_by());
    }
    static void drop(Policy& policy, slot& held) noexcept
    {
        if (held.sent == nullptr) return;
        held.sent->leave();
        policy.recall(*held.sent);
    }
};

} // namespace weir::inline v0::detail
