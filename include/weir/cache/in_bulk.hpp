// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/key_batch.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/laws.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// The facet by which `batched` tells `in_bulk` what is to be loaded.
template<class Key>
struct batch_of {
    std::shared_ptr<detail::key_batch<Key>> batch;
};

namespace advice {
template<class Answers>
struct the_handler_behind_in_bulk_returns {
    struct but_has_to_return_a_vector_of_results_or_optionals_in_the_order_of_the_keys_or_a_map;
};
template<class Batched>
struct joins_keys {
    template<class Other>
    struct and_wants_weir_in_bulk_of_the_same_key_further_in__before;
};
} // namespace advice

namespace detail {

/// How the answers of a load are read, key by key: of a vector in the order of the keys, or of a map.
template<class Answers>
struct bulk_answers {
    static_assert(sizeof(typename advice::the_handler_behind_in_bulk_returns<
                         Answers>::but_has_to_return_a_vector_of_results_or_optionals_in_the_order_of_the_keys_or_a_map) != 0);
    using value_type = void;
};
template<class T>
struct bulk_answers<std::vector<result<T>>> {
    using value_type = T;
    static bool fits(std::vector<result<T>> const& answers, std::size_t keys) { return answers.size() == keys; }
    static result<T> take(std::vector<result<T>>& answers, std::size_t at, auto const&) { return std::move(answers[at]); }
};
template<class T>
struct bulk_answers<std::vector<std::optional<T>>> {
    using value_type = T;
    static bool fits(std::vector<std::optional<T>> const& answers, std::size_t keys) { return answers.size() == keys; }
    static result<T> take(std::vector<std::optional<T>>& answers, std::size_t at, auto const&)
    {
        if (!answers[at].has_value()) return errc::not_found;
        return *std::move(answers[at]);
    }
};
template<class Answers>
requires requires
{
    typename Answers::mapped_type;
}
struct bulk_answers<Answers> {
    using value_type = typename Answers::mapped_type;
    static bool fits(Answers const&, std::size_t) { return true; }
    static result<value_type> take(Answers& answers, std::size_t, auto const& key)
    {
        auto const found = answers.find(key);
        if (found == answers.end()) return errc::not_found;
        return std::move(found->second);
    }
};

template<class P>
concept joins_keys = requires
{
    typename P::joined_key;
};
template<class P>
concept parts_keys = requires
{
    typename P::parted_key;
};
template<class Outer, class Inner>
constexpr bool parts_what_is_joined()
{
    if constexpr (joins_keys<Outer> && parts_keys<Inner>)
        return std::is_same_v<typename Outer::joined_key, typename Inner::parted_key>;
    else
        return false;
}

} // namespace detail

/// The first codec inward of a `batched` is the `in_bulk` of its keys.
struct batches_meet_their_in_bulk {
    template<class... P>
    static constexpr breach find_among()
    {
        constexpr std::size_t size = sizeof...(P);
        constexpr std::array<bool, size> joins{detail::joins_keys<P>...}, is_codec{detail::is_role<P, codec>...};
        for (std::size_t i = 0; i < size; ++i) {
            if (!joins[i]) continue;
            std::size_t next = i + 1;
            while (next < size && !is_codec[next]) ++next;
            if (next == size || !meet<P...>(i, next)) return {i, next};
        }
        return {};
    }
    template<class, class Batched, class Other>
    using sentence = typename advice::joins_keys<Batched>::template and_wants_weir_in_bulk_of_the_same_key_further_in__before<Other>;

private:
    /// Whether the policy at `inner` parts what that at `outer` joins.
    template<class... P>
    static constexpr bool meet(std::size_t outer, std::size_t inner)
    {
        bool met = false;
        std::size_t i = 0;
        ((i++ == outer ? static_cast<void>(met = meets<P, P...>(inner)) : void()), ...);
        return met;
    }
    template<class Outer, class... P>
    static constexpr bool meets(std::size_t inner)
    {
        constexpr std::array<bool, sizeof...(P)> fits{detail::parts_what_is_joined<Outer, P>()...};
        return fits[inner];
    }
};

/// Makes the one request of a `batched` out of its keys, a `std::vector<Key>`, each once, and parts what comes back among the calls. The
/// handler returns, or awaits, a `std::vector<result<T>>` or `std::vector<std::optional<T>>` in the order of the keys, or a map from `Key`
/// to `T`; an empty optional, or a key that is not in the map, is `errc::not_found`. Another number of answers than of keys is
/// `errc::upstream_failed`, for all.
///
/// What stands between `batched` and this sees one call: its outcome is the first value among the answers, else `errc::not_found` if that
/// is among them, else the first error. What such a policy writes into a value reaches nobody; if it makes a failure of it, that reaches
/// all.
template<class Key>
struct in_bulk {
    using role = codec;
    using traits = weir::traits<wants_whole_outcome>;
    using needs = facets<batch_of<Key>>;
    using inner_request = std::vector<Key>;
    using parted_key = Key;
    template<class Answers>
    using outer_value = typename detail::bulk_answers<Answers>::value_type;
    static constexpr std::string_view name = "in_bulk";

    admission<> decode(auto& call, inner_request& into)
    {
        auto& batch = *call.template get<batch_of<Key>>().batch;
        batch.forget_answers();
        into = batch.keys();
        return admitted;
    }
    template<class Answers>
    auto encode(auto& call, Answers&& answers) -> result<outer_value<std::remove_cvref_t<Answers>>>
    {
        using bulk = detail::bulk_answers<std::remove_cvref_t<Answers>>;
        using outcome = result<typename bulk::value_type>;
        auto& batch = *call.template get<batch_of<Key>>().batch;
        std::vector<Key> const& keys = batch.keys();
        if (!bulk::fits(answers, keys.size())) return errc::upstream_failed;
        detail::key_answers<outcome> parted;
        parted.of.reserve(keys.size());
        std::size_t speaks = 0; // whose answer stands for all
        for (std::size_t i = 0; i < keys.size(); ++i) {
            parted.of.push_back(bulk::take(answers, i, keys[i]));
            if (rank(parted.of[i]) > rank(parted.of[speaks])) speaks = i;
        }
        parted.some_have_values = parted.of[speaks].has_value();
        outcome one = parted.of[speaks];
        batch.answer(std::move(parted));
        return one;
    }

private:
    static int rank(auto const& answer) noexcept { return answer.has_value() ? 2 : answer.error() == errc::not_found ? 1 : 0; }
};

} // namespace weir::inline v0
