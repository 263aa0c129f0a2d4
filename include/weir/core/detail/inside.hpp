// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/call.hpp>
#include <weir/core/detail/segments.hpp>
#include <weir/core/facets.hpp>
#include <weir/core/policy.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

template<class Pipeline>
struct access; // of driver.hpp

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

/// The inside of a pipeline as a pipeline of its own: what a fork runs, or a detour.
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
    // The facets of all policies: it has a copy of what those further out have provided.
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

/// How it begins: with the facets that its parent had, and a deadline.
template<class Provided>
class begin_with;
template<class... Facets>
class begin_with<facets<Facets...>> {
public:
    begin_with([[maybe_unused]] auto const& parent, weir::deadline until) : had_{{parent.template get<Facets>()}...}, until_(until) {}
    void operator()(auto& machine) const
    {
        (machine.set(had_.template at<Facets>()), ...);
        machine.put_back(until_);
    }

private:
    facet_frame<facets<Facets...>> had_;
    weir::deadline until_;
};

} // namespace weir::inline v0::detail
