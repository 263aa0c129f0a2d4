// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/threading.hpp>
#include <weir/limit/detail/joint_rule.hpp>
#include <weir/limit/detail/per_call.hpp>
#include <weir/limit/limiter.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Several limits at once: a call passes if all of them admit it, and takes from all, or is refused and takes from none.
/// ```cpp
/// rate_limit{all_of{named<"per second">(gcra{{.permits = 100, .per = 1s}}),
///                   named<"per day">(gcra{{.permits = 1'000'000, .per = 24h}}),
///                   named<"per tenant">(keyed{gcra{{.permits = 10, .per = 1s}}, by<principal>, {.capacity = 10'000}})}}
/// ```
/// An element is a limiter, one a key, or another `all_of`; `std::ref` or a `shared_ptr` to one that others use, too; `named<"...">` of
/// any.
///
/// The one that refused last is asked first, the others in the order in which they are written: while one of them refuses all, a refusal
/// asks it alone and writes nothing. Where a later one refuses, what the earlier ones gave is given back by `refund`. Meanwhile another
/// call may find these permits taken and be refused although the first call was not admitted in the end: no limit is ever exceeded, and one
/// may be missed by as many calls as are being decided at the moment. `retry_after` is the latest of all of them. What is given back is as
/// exact as the `refund` of each. A `reserve` takes from each at the time of the call, and its wait is the longest: where calls wait for
/// another limit, one of the others has counted them sooner than they go.
///
/// Of limits that can be had per key, `keyed{all_of{gcra{...}, gcra{...}}, by<principal>, {...}}` keeps all for each key: one look-up,
/// decided under one lock; the tightest is told.
///
/// `settings` and `options` are `joint_options`, in order; `reconfigure` checks all before it changes one; `at<"per day">()` is one of
/// them. Thread-safe if all are. Costs what they cost, and a load.
template<class... Elements>
requires(sizeof...(Elements) >= 1) class all_of : public detail::joint_rule_of<detail::policy_t<Elements>...> {
    template<class Element>
    using limiter_t = detail::policy_t<Element>;
    template<class Element>
    using needs_t = typename detail::key_needs<limiter_t<Element>>::needs;
    template<class Element>
    using reads_t = typename detail::key_needs<limiter_t<Element>>::reads;
    using indices = std::index_sequence_for<Elements...>;

    template<class Limiter>
    static constexpr bool wants_a_call() noexcept
    {
        if constexpr (detail::joint_limiter<Limiter>)
            return !Limiter::is_plain;
        else
            return detail::keyed_limiter<Limiter>;
    }

public:
    using options = joint_options<typename limiter_t<Elements>::options...>;
    /// None of them has to be told the call.
    static constexpr bool is_plain = !(wants_a_call<limiter_t<Elements>>() || ...);
    using threading = std::conditional_t<(limiter_t<Elements>::threading::is_shared || ...), shared, confined>;
    using element_needs = typename detail::facet_union<needs_t<Elements>...>::type;
    using element_reads = typename detail::reads_union<reads_t<Elements>...>::type;
    static constexpr std::size_t size = sizeof...(Elements);

    explicit all_of(Elements... elements) : elements_(std::move(elements)...) {}

    /// Takes what a call costs from all, each by its key of the call, or nothing.
    template<class Call>
    [[nodiscard]] decision try_acquire_for(Call& call, std::uint64_t cost)
    {
        return acquire([&](auto& l) { return detail::acquire_for(l, call, cost); }, [&](auto& l) { detail::refund_for(l, call, cost); },
                       [&](auto& l) { return detail::peek_for(l, call, cost); });
    }
    /// The same, also where permits come later, if that is within `max_wait` for all.
    template<class Call>
    [[nodiscard]] reservation reserve_for(Call& call, std::uint64_t cost, duration max_wait)
    {
        return acquire([&](auto& l) { return detail::reserve_for(l, call, cost, max_wait); },
                       [&](auto& l) { detail::refund_for(l, call, cost); },
                       [&](auto& l) { return beyond(detail::peek_for(l, call, cost), max_wait); });
    }
    template<class Call>
    void refund_for(Call& call, std::uint64_t cost)
    {
        each([&](auto& l, std::string_view) { detail::refund_for(l, call, cost); });
    }
    template<class Call>
    [[nodiscard]] decision peek_for(Call& call, std::uint64_t cost)
    {
        decision latest = decision::admitted();
        each([&](auto& l, std::string_view) { latest = later(latest, detail::peek_for(l, call, cost)); });
        return latest;
    }
    /// Where each of them stands, under its name; one that has none is called after its policy and its place: `rate_limit 2`.
    template<bool TellsKey, class Call>
    void tell_for(Call& call, std::string_view, limit_facts& facts)
    {
        each([&](auto& l, std::string_view name) { detail::tell_for<TellsKey>(l, call, name, facts); });
    }

    // What any limiter has; for a limit without keys.
    [[nodiscard]] decision try_acquire(time_point now, std::uint64_t cost = 1) requires is_plain
    {
        return acquire([&](auto& l) { return l.try_acquire(now, cost); }, [&](auto& l) { l.refund(cost); },
                       [&](auto& l) { return peek_at(l, now, cost); });
    }
    [[nodiscard]] reservation reserve(time_point now, std::uint64_t cost, duration max_wait) requires is_plain
    {
        return acquire([&](auto& l) { return l.reserve(now, cost, max_wait); }, [&](auto& l) { l.refund(cost); },
                       [&](auto& l) { return beyond(peek_at(l, now, cost), max_wait); });
    }
    [[nodiscard]] decision peek(time_point now, std::uint64_t cost = 1) const requires is_plain
    {
        decision latest = decision::admitted();
        const_cast<all_of&>(*this).each([&](auto& l, std::string_view) { latest = later(latest, peek_at(l, now, cost)); });
        return latest;
    }
    /// Takes what is there of all, at most so much of each, and says how much that was.
    [[nodiscard]] std::uint64_t drain(time_point now, std::uint64_t most) requires is_plain
    {
        std::uint64_t const there = std::min(most, available(now));
        return there > 0 && try_acquire(now, there) ? there : 0;
    }
    void refund(std::uint64_t cost) requires is_plain
    {
        each([&](auto& l, std::string_view) { l.refund(cost); });
    }
    [[nodiscard]] std::uint64_t available(time_point now) const requires is_plain { return tightest(now).remaining; }
    [[nodiscard]] bool is_full(time_point now) const requires is_plain
    {
        bool full = true;
        each([&](auto const& l, std::string_view) { full = full && l.is_full(now); });
        return full;
    }
    /// That of the limit which has the fewest permits left.
    [[nodiscard]] quota quota_at(time_point now) const requires is_plain { return tightest(now); }

    [[nodiscard]] options settings() const
    {
        return on_all([](auto const&... l) { return options(l.settings()...); });
    }
    /// Throws what `reconfigure` would throw.
    void check_all(options const& wanted)
    {
        [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            (check(at<I>(), wanted.template at<I>()), ...);
        }
        (indices{});
    }
    /// Throws `std::invalid_argument` if any of them is bad, and then changes nothing.
    void reconfigure(options const& wanted)
    {
        check_all(wanted);
        [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            (at<I>().reconfigure(wanted.template at<I>()), ...);
        }
        (indices{});
    }
    /// All rules as one, for who keeps many states.
    [[nodiscard]] auto rule() const requires(keyable_limiter<limiter_t<Elements>>&&...)
    {
        return on_all([](auto const&... l) { return typename all_of::rule_type(l.rule()...); });
    }
    void describe(auto&& field) const
    {
        each([&](auto const& l, std::string_view name) {
            detail::describe_limiter(l, [&](std::string_view what, auto const& value) {
                std::string const whole = std::string(name) + '.' + std::string(what);
                field(whole, value);
            });
        });
    }

    template<std::size_t Index>
    [[nodiscard]] auto& at() noexcept
    {
        return element<Index>::of(std::get<Index>(elements_));
    }
    template<fixed_string Name>
    [[nodiscard]] auto& at() noexcept
    {
        constexpr std::size_t place = detail::place_of(std::array<bool, size>{(detail::unwrapped<Elements>::label == Name.view())...});
        static_assert(place < size, "none of these limits has this name");
        return at<place>();
    }

private:
    template<std::size_t Index>
    using element = detail::unwrapped<std::tuple_element_t<Index, std::tuple<Elements...>>>;

    /// What a limit without a name is called, by its place.
    static constexpr std::array<std::string_view, 10> numbered{"limit 1", "limit 2", "limit 3", "limit 4", "limit 5",
                                                               "limit 6", "limit 7", "limit 8", "limit 9", "limit"};

    static constexpr decision later(decision a, decision b) noexcept { return b.retry_after() > a.retry_after() ? b : a; }
    /// How long a caller has to come later who is ready to wait.
    static constexpr decision beyond(decision d, duration max_wait) noexcept
    {
        duration const ready = std::max(max_wait, duration::zero());
        return d.is_impossible() || d ? d : d.retry_after() <= ready ? decision::admitted() : decision::refused(d.retry_after() - ready);
    }
    static constexpr decision why(decision d) noexcept { return d; }
    static constexpr decision why(reservation r) noexcept
    {
        return r ? decision::admitted() : r.is_impossible() ? decision::impossible() : decision::refused(r.retry_after());
    }
    static decision peek_at(auto& l, time_point now, std::uint64_t cost)
    {
        if constexpr (requires { l.peek(now, cost); }) {
            return l.peek(now, cost);
        } else {
            decision const d = l.try_acquire(now, cost);
            if (d) l.refund(cost);
            return d;
        }
    }
    template<class Limiter, class Options>
    static void check([[maybe_unused]] Limiter& limiter, Options const& o)
    {
        if constexpr (detail::joint_limiter<Limiter>)
            limiter.check_all(o);
        else if constexpr (requires { Limiter::check(o); })
            Limiter::check(o);
        else if constexpr (requires { typename Limiter::rule_type; } &&
                           std::is_constructible_v<typename Limiter::rule_type, Options const&>)
            static_cast<void>(typename Limiter::rule_type(o));
        else
            static_cast<void>(Limiter(o));
    }

    template<class F>
    void each(F&& f)
    {
        [&]<std::size_t... I>(std::index_sequence<I...>)
        {
            (f(at<I>(), name<I>()), ...);
        }
        (indices{});
    }
    template<class F>
    void each(F&& f) const
    {
        const_cast<all_of&>(*this).each([&](auto const& l, std::string_view name) { f(l, name); });
    }
    template<class F>
    decltype(auto) on_all(F&& f) const
    {
        return [&]<std::size_t... I>(std::index_sequence<I...>)->decltype(auto)
        {
            auto& self = const_cast<all_of&>(*this); // references and pointers lead to what is not ours: asked as constant all the same
            return f(std::as_const(self.template at<I>())...);
        }
        (indices{});
    }
    template<std::size_t Index>
    static constexpr std::string_view name() noexcept
    {
        return detail::name_of<std::tuple_element_t<Index, std::tuple<Elements...>>>(numbered[std::min<std::size_t>(Index, 9)]);
    }

    [[nodiscard]] quota tightest(time_point now) const
    {
        bool first = true;
        quota least{};
        each([&](auto const& l, std::string_view) {
            quota const q = l.quota_at(now);
            if (first || q.remaining < least.remaining) least = q;
            first = false;
        });
        return least;
    }

    /// `take` from each in turn; at the first refusal, or exception, `give_back` what was taken, and `peek` at the others for the time to
    /// come back.
    template<class Take, class GiveBack, class Peek>
    auto acquire(Take take, GiveBack give_back, Peek peek)
    {
        using answer = decltype(take(at<0>()));
        return [&]<std::size_t... I>(std::index_sequence<I...>)->answer
        {
            std::array<bool, size> taken{};
            auto const undo = [&] { ((taken[I] ? give_back(at<I>()) : void()), ...); };
            answer whole = admission_of(static_cast<answer*>(nullptr));
            std::size_t refusing = size;
            auto const ask = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
                answer const a = take(at<J>());
                if (a) {
                    taken[J] = true;
                    whole = longer(whole, a);
                } else {
                    whole = a;
                    refusing = J;
                }
                return static_cast<bool>(a);
            };
            std::size_t const first = first_.load();
            try {
                if (first != 0) static_cast<void>(((first == I && !ask(std::integral_constant<std::size_t, I>{})) || ...));
                if (refusing == size) static_cast<void>(((!taken[I] && !ask(std::integral_constant<std::size_t, I>{})) || ...));
            } catch (...) {
                undo();
                throw;
            }
            if (refusing == size) [[likely]]
                return whole;
            undo();
            if (first != refusing) first_.store(static_cast<std::uint32_t>(refusing));
            decision latest = why(whole);
            ((taken[I] || I == refusing ? void() : void(latest = later(latest, peek(at<I>())))), ...);
            return refusal_of(static_cast<answer*>(nullptr), latest);
        }
        (indices{});
    }
    static constexpr decision admission_of(decision*) noexcept { return decision::admitted(); }
    static constexpr reservation admission_of(reservation*) noexcept { return reservation::taken(duration::zero()); }
    static constexpr decision refusal_of(decision*, decision d) noexcept { return d; }
    static constexpr reservation refusal_of(reservation*, decision d) noexcept { return reservation::refused(d); }
    static constexpr decision longer(decision, decision b) noexcept { return b; }
    static constexpr reservation longer(reservation a, reservation b) noexcept { return a.wait() > b.wait() ? a : b; }

    std::tuple<Elements...> elements_;
    typename threading::template cell<std::uint32_t> first_{0}; // the place of the limit that refused last
};

template<class... Elements>
all_of(Elements...) -> all_of<Elements...>;

} // namespace weir::inline v0
