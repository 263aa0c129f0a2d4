// SPDX-License-Identifier: BSL-1.0
// Lesson 7: a policy of your own, in twelve lines.
//
// A policy is a plain class: no base class, no registration. It states its role and its name; a gate has `admit`, which is asked on the way
// down. It never sleeps and never does I/O: it is asked, and it answers. So it works in every pipeline, synchronous or not.
#include "lesson.hpp"

#include <weir/core/pipeline.hpp>

#include <stdexcept>
#include <string_view>

namespace {

struct order {
    int amount;
};

class max_amount {
public:
    using role = weir::gate;
    static constexpr std::string_view name = "max_amount";
    explicit max_amount(int most) : most_(most) {}
    weir::admission<> admit(auto& call) const
    {
        if (call.request().amount > most_) return weir::errc::forbidden;
        return weir::admitted;
    }

private:
    int most_;
};

/// One that wants to know how the call went has `settle`, too, which runs once with the outcome, and `cancel`, which runs instead if the
/// caller gave up. What `admit` returns, the permit, is given back to it: here how many calls were inside before.
class count_failures {
public:
    using role = weir::gate;
    static constexpr std::string_view name = "count_failures";

    weir::admission<int> admit(auto&) { return inside++; }
    void settle(int, auto const& outcome, auto& call)
    {
        --inside;
        failures += call.failed(outcome) ? 1 : 0;
    }
    void cancel(int) noexcept { --inside; }

    int inside = 0;
    int failures = 0;
};

int buy(order const& o)
{
    if (o.amount == 13) throw std::runtime_error("the exchange does not like this number");
    return o.amount * 42;
}

} // namespace

int main()
{
    lesson seven("Policies of your own");
    weir::pipeline orders{count_failures{}, max_amount{1'000}, buy};
    seven.shows("a small order passes", orders(order{3}).value() == 126);

    auto const refused = orders.call(order{1'001});
    seven.shows("a large one is refused", refused.result().error() == weir::errc::forbidden);
    seven.shows("by the second policy, so the reply says", refused.answered_by() == 1);

    bool thrown = false;
    try {
        static_cast<void>(orders(order{13}));
    } catch (std::runtime_error const&) {
        thrown = true; // nobody answered it, so it goes on to the caller
    }
    auto const& counted = orders.get<count_failures>();
    seven.shows("an exception is an outcome: it settles as a failure", thrown && counted.failures == 1);
    seven.shows("whatever happened, nobody is left inside", counted.inside == 0);
    return seven.exit_status();
}
