// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/kept_answer.hpp>
#include <weir/cache/guard.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/key.hpp>
#include <weir/core/laws.hpp>
#include <weir/core/striped.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// Trait of a policy that refuses calls whose key does not exist.
struct guards_keys {};

namespace advice {
template<class Guard>
struct refuses_keys_that_do_not_exist {
    template<class Cache>
    struct and_its_refusals_would_be_kept_by_what_stands_outward__move_it_outward_of;
};
} // namespace advice

namespace laws {

/// First the guard, then the answers that are kept: a key that cannot exist is not looked up, and no refusal is ever cached.
struct keys_are_guarded_before_answers_are_looked_up {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::array<bool, sizeof...(P)> keeps{detail::has_trait<P, may_answer_alone>...};
        constexpr std::array<bool, sizeof...(P)> guards{detail::has_trait<P, guards_keys>...};
        for (std::size_t outer = 0; outer < sizeof...(P); ++outer)
            for (std::size_t inner = outer + 1; inner < sizeof...(P); ++inner)
                if (keeps[outer] && guards[inner]) return {outer, inner};
        return {};
    }
    template<class, class Cache, class Guard>
    using sentence = typename advice::refuses_keys_that_do_not_exist<
        Guard>::template and_its_refusals_would_be_kept_by_what_stands_outward__move_it_outward_of<Cache>;
};

} // namespace laws

struct known_keys_stats {
    std::uint64_t passed = 0;  ///< calls whose key may exist
    std::uint64_t refused = 0; ///< calls whose key does not exist
    std::uint64_t unnamed = 0; ///< calls without a key, refused as well
    void each(auto&& field) const
    {
        field("passed_total", passed);
        field("refused_total", refused);
        field("unnamed_total", unnamed);
    }
};

namespace detail {

template<class Guard>
struct known_keys_stats_of {
    using type = known_keys_stats;
};
template<guard_with_stats Guard>
struct known_keys_stats_of<Guard> {
    struct type : known_keys_stats {
        decltype(std::declval<Guard const&>().stats()) of_guard;
        void each(auto&& field) const
        {
            known_keys_stats::each(field);
            of_guard.each(field);
        }
    };
};

} // namespace detail

/// Refuses a call whose key does not exist, with `errc::not_found`, before anything further in is asked:
/// `known_keys{keyed_by(&quote_request::symbol), guards{key_rule{...}, std::ref(known_symbols)}}`.
///
/// For pipelines without a cache, or where a cache is not to be asked for every made-up key: the guard of `cached` is asked only when
/// nothing was found. It stands outward of everything that keeps answers, and the compiler says so: else its refusals would be kept. A call
/// without a key (an empty string or optional) is refused, too. Its answer tells strangers which keys exist: where that is a secret, it
/// stands inward of what proves identity.
///
/// It has no settings of its own, so nothing to reconfigure: how calls are keyed is a type, and what changes while calls come is the
/// guard's, by `guard()`. The guard may be given as `std::ref` or `shared_ptr`. Thread-safe as the guard is. Cost: the guard's.
template<class KeyOf, class Guard>
class known_keys {
    using guard_type = detail::policy_t<Guard>;
    static_assert(guard_of<guard_type, typename KeyOf::key_type>,
                  "weir::known_keys wants a guard that has may_exist(key) for the keys of its calls");

public:
    using role = gate;
    using traits = weir::traits<guards_keys>;
    using demands = weir::demands<laws::keys_are_guarded_before_answers_are_looked_up>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using stats_type = typename detail::known_keys_stats_of<guard_type>::type; ///< those of the guard among them
    static constexpr std::string_view name = "known_keys";

    known_keys(KeyOf key_of, Guard guard) : key_of_(std::move(key_of)), guard_(std::move(guard)) {}

    admission<> admit(auto& call)
    {
        decltype(auto) key = key_of_(call);
        if (detail::is_missing(key)) [[unlikely]]
            return refuse(unnamed_);
        if (!guard().may_exist(detail::present(key))) [[unlikely]]
            return refuse(refused_);
        passed_.add();
        return admitted;
    }

    /// The guard, to tell it of new keys: `svc.get<weir::known_keys>().guard().add(symbol)`.
    [[nodiscard]] guard_type& guard() noexcept { return detail::unwrapped<Guard>::of(guard_); }
    [[nodiscard]] guard_type const& guard() const noexcept { return const_cast<known_keys&>(*this).guard(); }
    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        known_keys_stats const mine{passed_.sum(), refused_.sum(), unnamed_.sum()};
        if constexpr (detail::guard_with_stats<guard_type>)
            return {mine, guard().stats()};
        else
            return mine;
    }
    void describe(auto&& field) const
    {
        if constexpr (detail::guard_that_describes_itself<guard_type>) guard().describe(field);
    }

private:
    using count = detail::counter<shared>;
    [[gnu::noinline, gnu::cold]] static errc refuse(count& why)
    {
        why.add();
        return errc::not_found;
    }

    [[no_unique_address]] KeyOf key_of_;
    [[no_unique_address]] Guard guard_;
    count passed_, refused_, unnamed_;
};

} // namespace weir::inline v0
