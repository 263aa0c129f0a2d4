// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/parts.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <algorithm> // also for the concepts of ranges: <ranges> takes a tenth of a second more
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

struct tagged_options {
    /// Cells for the times of invalidations, eight bytes each; rounded up to a power of two. Tags that share one are invalidated together:
    /// with fewer than a tenth as many tags as cells, that is one tag in ten. In [1, 2^28].
    std::size_t cells = 4'096;
    std::optional<std::uint64_t> seed = {}; ///< of hashing; nobody knows it if it is left out
};

/// A part of a `cached` that lets values be invalidated by what they have in common:
/// `tagged{[](symbol const&, quote const& q) { return q.exchange; }}`, and then
/// `svc.get<cached>().part<tagged>().invalidate(exchange::oslo, now)`. The function gives a tag or a range of tags of a key and its value;
/// it is asked on each hit, and has to give the same as long as they do.
///
/// A value keeps nothing of its tags: what is kept is when each tag was last invalidated, in a table of fixed size. `invalidate` costs one
/// cell, whatever the number of values, which go when they are asked for next, or when their time is up. A value counts as old as its load,
/// so that one that was read before the invalidation is not kept after it; who waited for such a load asks again. The store knows ages to
/// within a thousandth of the time to live: for that long after an invalidation values are loaded more often than they would have to be.
///
/// `now` is a time after the source was changed, of the clock that the pipeline has. Thread-safe. Cost: a hash and a load for each tag of a
/// hit.
template<class TagsOf, threading_model Threading = shared>
class tagged {
public:
    using options = tagged_options;

    /// Throws `std::invalid_argument` that names the member.
    explicit tagged(TagsOf tags_of, options const& o = {})
        : tags_of_(std::move(tags_of)),
          hash_(o.seed.value_or(detail::random_seed())),
          mask_(std::bit_ceil(checked(o).cells) - 1),
          cells_(new cell[mask_ + 1]())
    {
        for (std::size_t i = 0; i <= mask_; ++i) cells_[i].store(std::numeric_limits<std::int64_t>::min());
    }

    /// From now on no value with this tag is given that was loaded before `now`.
    template<class Tag>
    void invalidate(Tag const& tag, time_point now)
    {
        cell& of = cells_[hash_(tag) & mask_];
        std::int64_t const at = now.time_since_epoch().count();
        std::int64_t before = of.load(std::memory_order_acquire);
        while (before < at && !of.replace(before, at)) {}
    }

    template<class Key, class Value>
    requires std::invocable<TagsOf const&, Key const&, Value const&>
    [[nodiscard]] bool is_valid(Key const& key, Value const& value, time_point written_at) const
    {
        decltype(auto) tags = std::invoke(tags_of_, key, value);
        if constexpr (is_one_tag<std::remove_cvref_t<decltype(tags)>>)
            return holds(tags, written_at);
        else
            return std::ranges::all_of(tags, [&](auto const& tag) { return holds(tag, written_at); });
    }

private:
    using cell = typename Threading::template cell<std::int64_t>;
    template<class Tags>
    static constexpr bool is_one_tag = detail::string_like<Tags> || !std::ranges::range<Tags>;

    static options const& checked(options const& o)
    {
        expect(o.cells >= 1 && o.cells <= std::size_t{1} << 28, "tagged.cells", "a number in [1, 2^28]");
        return o;
    }
    [[nodiscard]] bool holds(auto const& tag, time_point written_at) const
    {
        return cells_[hash_(tag) & mask_].load(std::memory_order_acquire) < written_at.time_since_epoch().count();
    }

    [[no_unique_address]] TagsOf tags_of_;
    detail::seeded_hash hash_;
    std::size_t mask_;
    detail::owner<cell[]> cells_;
};
template<class TagsOf>
tagged(TagsOf) -> tagged<TagsOf>;
template<class TagsOf>
tagged(TagsOf, tagged_options) -> tagged<TagsOf>;

} // namespace weir::inline v0
