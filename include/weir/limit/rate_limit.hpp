// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/key.hpp>
#include <weir/core/striped.hpp>
#include <weir/limit/cost_of.hpp>
#include <weir/limit/detail/per_call.hpp>
#include <weir/limit/limit_facts.hpp>
#include <weir/limit/limiter.hpp>

#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// Makes `rate_limit` report where its limits stand with every call that it lets pass, too: `rate_limit{gcra{...}, tell_always}`.
/// Costs a look at the limiter, for a limit a key a second look-up.
struct tell_always_t {};
inline constexpr tell_always_t tell_always{};
/// Makes `rate_limit` tell the key, too: clients with several keys then know which of their quotas it is. For keys that are no secret.
struct tell_key_t {};
inline constexpr tell_key_t tell_key{};

namespace detail {

/// The one of `Extras` that prices calls; every call costs one if there is none.
struct costs_one {
    constexpr std::uint64_t operator()(auto const&) const noexcept { return 1; }
};
template<class... Extras>
struct price_among {
    using type = costs_one;
};
template<class First, class... Rest>
struct price_among<First, Rest...> {
    using type = typename std::conditional_t<prices_calls<First>, std::type_identity<First>, price_among<Rest...>>::type;
};
template<class Extra>
concept limit_extra = prices_calls<Extra> || std::is_same_v<Extra, tell_always_t> || std::is_same_v<Extra, tell_key_t>;

} // namespace detail

/// Lets calls pass as a limiter allows, and refuses the others at once with `errc::rate_limited` and the time to come back:
/// `rate_limit{gcra{{.permits = 100, .per = 1s}}}`, or one limit a key,
/// `rate_limit{keyed{gcra{...}, by<principal>, {.capacity = 10'000}}}`, or several at once, `rate_limit{all_of{...}}`.
/// `named<"per tenant">(limiter)` is told under that name. `std::ref` or a `shared_ptr` to a limiter shares it with other policies.
///
/// What may follow the limiter, in any order: `cost_of{f}` or `cost_by<facet>(f)`, what a call costs if not 1; `tell_always`; `tell_key`.
/// A refusal reports `limit_facts`.
///
/// It takes the permits when the call comes and keeps them, whatever the outcome. A refusal writes nothing but its count. To let calls
/// wait for their turn take `throttle`; to limit calls at the same time, `bulkhead`. Thread-safe as the limiter is.
template<class Limiter, class... Extras>
requires(detail::limit_extra<Extras>&&...) class rate_limit {
    using limiter_type = detail::policy_t<Limiter>;
    using keys = detail::key_needs<limiter_type>;
    using price = typename detail::price_among<Extras...>::type;
    static constexpr bool tells_always = (std::is_same_v<Extras, tell_always_t> || ...);
    static constexpr bool tells_key = (std::is_same_v<Extras, tell_key_t> || ...);

public:
    using role = gate;
    using needs = typename detail::facet_union<typename keys::needs, typename detail::needs_of<price>::type>::type;
    using reads = typename keys::reads;
    using reports = facets<limit_facts>;
    using options = typename limiter_type::options;
    static constexpr std::string_view name = "rate_limit";
    struct stats_type {
        std::uint64_t admitted = 0;
        std::uint64_t refused = 0;
        [[no_unique_address]] detail::figures_of<limiter_type> limiter{};
        void each(auto&& field) const
        {
            field("admitted_total", admitted);
            field("refused_total", refused);
            limiter.each(field);
        }
    };

    explicit rate_limit(Limiter limiter, Extras... extras) : limiter_(std::move(limiter)), price_(priced(std::move(extras)...)) {}

    [[gnu::always_inline]] admission<> admit(auto& call)
    {
        std::uint64_t const cost = price_(call);
        decision const d = detail::acquire_for(algorithm(), call, cost);
        if (d) [[likely]] {
            admitted_.add();
            if constexpr (tells_always) tell(call);
            return admitted;
        }
        tell(call);
        return refuse(d);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        return {admitted_.sum(), refused_.sum(), detail::figures_of<limiter_type>(algorithm())};
    }
    [[nodiscard]] auto settings() const { return algorithm().settings(); }
    void reconfigure(options const& o) { algorithm().reconfigure(o); }
    [[nodiscard]] limiter_type& algorithm() noexcept { return detail::unwrapped<Limiter>::of(limiter_); }
    [[nodiscard]] limiter_type const& algorithm() const noexcept { return const_cast<rate_limit&>(*this).algorithm(); }
    void describe(auto&& field) const { detail::describe_limiter(algorithm(), field); }

private:
    template<class... E>
    static price priced(E... extras)
    {
        if constexpr (std::is_same_v<price, detail::costs_one>)
            return {};
        else
            return std::get<price>(std::tuple<E...>(std::move(extras)...));
    }
    [[gnu::noinline, gnu::cold]] error refuse(decision d)
    {
        refused_.add();
        return error(errc::rate_limited, d.retry_after());
    }
    template<class Call>
    [[gnu::always_inline]] void tell(Call& call)
    {
        if constexpr (detail::hears_of_limits<Call>) {
            constexpr std::string_view told = detail::name_of<Limiter>(name);
            limit_facts& facts = call.template reporting<limit_facts>();
            if constexpr (detail::keyed_limiter<limiter_type> || detail::joint_limiter<limiter_type>)
                detail::tell_for<tells_key>(algorithm(), call, told, facts);
            else
                facts.add({told, quota_apart(call.now())});
        }
    }
    [[gnu::noinline, gnu::cold]] quota quota_apart(time_point now) const { return algorithm().quota_at(now); }

    [[no_unique_address]] Limiter limiter_;
    [[no_unique_address]] price price_;
    detail::counter<typename limiter_type::threading> admitted_;
    detail::counter<typename limiter_type::threading> refused_;
};

template<class Limiter, class... Extras>
rate_limit(Limiter, Extras...) -> rate_limit<Limiter, Extras...>;

} // namespace weir::inline v0
