// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>

namespace weir::inline v0 {

/// A list of facets: typed facts about a call, such as `principal` or `correlation_id`. A policy states
/// `using needs = facets<A>;` what it reads, `using provides = facets<B>;` what it sets on the way down for the policies and
/// the handler further in, and `using reports = facets<C>;` what it may tell the caller on the way up. A facet is any type that
/// can be default-constructed; it lives in the call's frame as a plain member, found by its type when the program is compiled.
template<class... Facets>
struct facets {
    static constexpr std::size_t size = sizeof...(Facets);
    template<class F>
    static constexpr bool contains = (std::is_same_v<F, Facets> || ...);
};

namespace detail {

template<class List, class F>
struct facets_with;
template<class... Facets, class F>
struct facets_with<facets<Facets...>, F> {
    using type = std::conditional_t<facets<Facets...>::template contains<F>, facets<Facets...>, facets<Facets..., F>>;
};

/// The facets of all lists, each once, in the order of their first mention.
template<class... Lists>
struct facet_union;
template<class List>
struct facet_union<List> {
    using type = List;
};
template<>
struct facet_union<> {
    using type = facets<>;
};
template<class List, class... Rest>
struct facet_union<List, facets<>, Rest...> : facet_union<List, Rest...> {
};
template<class List, class F, class... More, class... Rest>
struct facet_union<List, facets<F, More...>, Rest...> : facet_union<typename facets_with<List, F>::type, facets<More...>, Rest...> {
};

template<class F>
struct facet_member {
    F value{};
};

template<class List>
struct facet_frame;
template<class... Facets>
struct facet_frame<facets<Facets...>> : facet_member<Facets>... {
    template<class F>
    F& at() noexcept
    {
        return static_cast<facet_member<F>&>(*this).value;
    }
    template<class F>
    F const& at() const noexcept
    {
        return static_cast<facet_member<F> const&>(*this).value;
    }
};

/// Facets on the way up may be missing: nobody had anything to report.
template<class List>
struct reported;
template<class... Facets>
struct reported<facets<Facets...>> {
    using type = facets<std::optional<Facets>...>;
};

} // namespace detail

/// What a handler reads of its call: take `weir::view<principal, deadline>` as second parameter. It is a plain type that a
/// function in a .cpp file can name; it borrows from the call and is valid until the handler has ended.
template<class... Facets>
class view {
public:
    template<class Call>
    explicit view(Call const& call) noexcept : facets_{{&call.template get<Facets>()}...}
    {
    }
    template<class F>
    [[nodiscard]] F const& get() const noexcept
    {
        return *facets_.template at<F const*>();
    }

private:
    detail::facet_frame<facets<Facets const*...>> facets_;
};

} // namespace weir::inline v0
