// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/layer.hpp>
#include <weir/core/detail/stop.hpp>
#include <weir/core/events.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// One policy's part in a call: its layer is asked, its slot begins and ends, the observer is told. `Machine` is the call, `Index` the
/// place of the policy. Whatever a policy does, and whatever it throws, its slot ends once, and of the observer's events each `admitted`
/// has its `settled` or `dropped`.
template<class Machine, std::size_t Index>
class stage {
    static constexpr std::size_t segment = Machine::segment_of(Index);
    using policy_type = typename Machine::template policy_at<Index>;
    using layer_type = typename Machine::template layer_at<Index>;
    using slot_type = typename layer_type::slot;

public:
    /// Down: whether to go on.
    [[gnu::always_inline]] static bool enter(Machine& m)
    {
        begin_slot(m);
        try {
            return entered(m, layer_type::enter(policy(m), slot(m), call(m), stop(m)));
        } catch (...) {
            ends_here(m);
            throw;
        }
    }
    /// Up: whether to go on.
    [[gnu::always_inline]] static bool leave(Machine& m)
    {
        try {
            if (!layer_type::leave(policy(m), slot(m), call(m), stop(m))) {
                if constexpr (is_role<policy_type, loop>) repeats(m);
                return false;
            }
        } catch (...) {
            fails_here(m);
            throw;
        }
        left(m);
        return true;
    }
    /// The call was cancelled: the permit goes unsettled, if this policy was reached.
    [[gnu::always_inline]] static void drop(Machine& m) noexcept
    {
        if (Index >= m.left_.policies) return;
        layer_type::drop(policy(m), slot(m));
        end_slot(m);
        if constexpr (is_told) m.tell(event::dropped{where_is});
    }

    /// The policy had parked the call, which was woken or has waited in vain.
    [[gnu::always_inline]] static act resume(Machine& m, [[maybe_unused]] bool in_time)
    {
        if constexpr (layer_type::parks) {
            try {
                return entered(m, layer_type::resume(policy(m), slot(m), call(m), stop(m), in_time)) ? act::call : m.next_;
            } catch (...) {
                fails_here(m);
                throw;
            }
        } else
            return act::unwind;
    }
    static auto decide(Machine& m) { return layer_type::decide(policy(m), slot(m), call(m), stop(m)); }
    template<class Decision>
    static act decided(Machine& m, Decision const& decision)
    {
        return entered(m, layer_type::decided(policy(m), slot(m), call(m), stop(m), decision)) ? act::again : m.next_;
    }
    static act refused(Machine& m, error e)
    {
        static_cast<void>(stop(m).refuse(e));
        return stopped(m);
    }
    template<class Errand>
    static act sent(Machine& m, Errand& errand)
    {
        static_cast<void>(layer_type::sent(policy(m), slot(m), stop(m), errand));
        return stopped(m);
    }
    static auto finish(Machine& m) { return layer_type::finish(policy(m), slot(m), call(m), stop(m)); }
    template<class Other>
    static void finished_with(Machine& m, Other&& other)
    {
        layer_type::finished(stop(m), std::forward<Other>(other));
    }
    static act forked(Machine& m)
    {
        static_cast<void>(layer_type::forked(slot(m), stop(m), m.split_));
        return stopped(m);
    }
    static act not_forked(Machine& m)
    {
        if (m.split_ == split::and_wait) return static_cast<void>(entered(m, true)), act::again;
        m.next_ = act::unwind;
        return stopped(m);
    }
    /// The policy has settled.
    [[gnu::always_inline]] static void left(Machine& m)
    {
        end_slot(m);
        if constexpr (is_told) m.tell(event::settled{where_is, outcome(m).has_error()});
    }

private:
    [[gnu::always_inline]] static auto& policy(Machine& m) noexcept { return m.policies_.template get<Index>(); }
    [[gnu::always_inline]] static slot_type& slot(Machine& m) noexcept { return m.template slot<Index>(); }
    [[gnu::always_inline]] static auto& call(Machine& m) noexcept { return m.template call_of<Index>(); }
    [[gnu::always_inline]] static auto stop(Machine& m) noexcept { return stopper<Machine, Index, segment>(m); }
    static auto& outcome(Machine& m) noexcept { return m.outcomes_.template at<segment>(); }

    /// The policy has said what it wants.
    [[gnu::always_inline]] static bool entered(Machine& m, bool goes_on)
    {
        if (goes_on) [[likely]] {
            if constexpr (is_told) m.tell(event::admitted{where_is});
            return true;
        }
        stopped(m);
        return false;
    }
    [[gnu::always_inline]] static act stopped(Machine& m)
    {
        if constexpr (is_told) tell_why(m);
        if (m.next_ == act::unwind) end_slot(m);
        return m.next_;
    }
    /// What was reported further in belonged to an attempt that is made again.
    static void repeats(Machine& m) noexcept
    {
        if constexpr (is_told) m.tell(event::repeated{where_is, m.delay_});
        m.template forget_reports_inside<Index>(typename Machine::reporting());
    }

    [[gnu::always_inline]] static void begin_slot(Machine& m)
    {
        if constexpr (std::is_trivially_default_constructible_v<slot_type>)
            return;
        else if constexpr (std::is_nothrow_default_constructible_v<slot_type>)
            std::construct_at(&slot(m));
        else
            try {
                std::construct_at(&slot(m));
            } catch (...) {
                m.depth_is(Index);
                throw;
            }
    }
    [[gnu::always_inline]] static void end_slot(Machine& m) noexcept
    {
        if constexpr (!std::is_trivially_destructible_v<slot_type>) std::destroy_at(&slot(m));
    }
    /// The policy threw: those further out are dropped when the machine is destroyed.
    [[gnu::always_inline]] static void ends_here(Machine& m) noexcept
    {
        end_slot(m);
        m.depth_is(Index);
    }
    [[gnu::always_inline]] static void fails_here(Machine& m)
    {
        ends_here(m);
        if constexpr (is_told) m.tell(event::dropped{where_is});
    }

    static constexpr bool is_told = Machine::is_observed && !is_role<policy_type, directive>;
    static constexpr event::place where_is{static_cast<std::uint8_t>(Machine::first + Index), Machine::template name_at<Index>()};

    static void tell_why(Machine& m)
    {
        switch (m.next_) {
        case act::sleep:
            m.tell(event::delayed{where_is, m.delay_});
            m.tell(event::admitted{where_is});
            break;
        case act::park: m.tell(event::parked{where_is, m.until()}); break;
        case act::decide: m.tell(event::asks{where_is}); break;
        case act::fork:
        case act::send: m.tell(event::forked{where_is}); break;
        default:
            if (is_role<policy_type, detour> && m.answered_by_ != where_is.index) break; // the inside is back: it has told its own
            if (auto const& o = outcome(m); o.has_error())
                m.tell(event::refused{where_is, o.error()});
            else
                m.tell(event::answered{where_is});
        }
    }
};

} // namespace weir::inline v0::detail
