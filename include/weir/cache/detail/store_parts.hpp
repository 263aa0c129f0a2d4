// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/grace_periods.hpp>
#include <weir/cache/detail/removals.hpp>
#include <weir/cache/detail/store_shard.hpp>
#include <weir/cache/detail/store_tally.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/reader_word.hpp>
#include <weir/core/striped.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// The parts of a `store`, which of them a key belongs to, and how they are read and changed: its readers announce themselves if they
/// have to, its writers wait for them, count what goes and tell of it.
template<class Key, class Value, threading_model Threading>
class store_parts {
protected:
    using tally = store_tally;
    using shard = store_shard<Key, Value, Threading>;
    using loan = lent_by<Value>;
    using listener = typename removals<Key, Value>::listener;

    explicit store_parts(std::uint64_t seed) : hash_(seed) {}

    /// Makes the parts: up to 64, of at least 1,024 entries.
    void make(table_shape const& whole, store_settings const& settings, std::uint64_t seed)
    {
        std::size_t const heaviest = whole.weighed ? static_cast<std::size_t>(whole.weight) : std::numeric_limits<std::size_t>::max();
        std::size_t const parts =
            Threading::is_shared ? std::bit_floor(std::clamp<std::size_t>(std::min(whole.entries / 1'024, heaviest), 1, 64)) : 1;
        last_ = parts - 1;
        shards_.reserve(parts);
        for (std::size_t i = 0; i < parts; ++i)
            shards_.emplace_back(table_shape{.entries = share(whole.entries, i, parts),
                                             .weighed = whole.weighed,
                                             .weight = share(whole.weight, i, parts),
                                             .idle = whole.idle},
                                 settings, splitmix64(seed));
    }

    // A part is chosen by the six highest bits of the hash, a place in it by the lower half.
    static std::uint32_t half(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash); }
    std::size_t index_of(std::uint64_t hash) const noexcept { return hash >> 58 & last_; }
    shard& shard_of(std::uint64_t hash) noexcept { return shards_[index_of(hash)]; }
    template<class Whole>
    static Whole share(Whole whole, std::size_t part, std::size_t parts) noexcept
    {
        return whole == 0 ? 0 : std::max<Whole>(whole / parts + (part < whole % parts), 1);
    }
    template<class Whole>
    Whole share(Whole whole, std::size_t part) const noexcept
    {
        return share(whole, part, shards_.size());
    }

    /// A thread that reads what writers may destroy has told them that it is there.
    using announced = std::conditional_t<shard::how == reading::guarded, reading_if_known, not_announced>;
    static constexpr bool lends = loan::can && shard::how == reading::guarded;

    template<class Like>
    [[gnu::noinline]] finding<Value> find_at_length(Like const& wanted, std::uint64_t hash, time_point now)
    {
        finding<Value> found;
        look_up(wanted, hash, now, [&](auto const&... what) { found.set(what...); });
        return found;
    }
    template<class Like, class Seen>
    void look_up(Like const& wanted, std::uint64_t hash, time_point now, Seen&& seen)
    {
        shard& part = shard_of(hash);
        auto const mine = tallies_.local();
        count_cell tally::*what = &tally::misses;
        auto const say = [&](auto const&... found) {
            what = sizeof...(found) == 2 ? &tally::hits : &tally::negative_hits;
            seen(found...);
        };
        if (!peek(part, wanted, half(hash), now, mine, say)) {
            std::scoped_lock const lock(part.mutex);
            part.find(wanted, half(hash), now, duration::zero(), say);
        }
        (mine.stripe.*what).add(1, mine.alone);
    }
    template<class Like, class Mine, class Seen>
    bool peek(shard& part, Like const& key, std::uint32_t hash, time_point now, [[maybe_unused]] Mine const& mine, Seen&& seen)
    {
        if constexpr (!Threading::is_shared) {
            return false;
        } else if constexpr (shard::how == reading::guarded) {
            if (!mine.alone || mine->reading.inside()) return false;
            announced const here(mine->reading);
            if (here) return part.peek(key, hash, now, seen);
            periods_.join(mine->reading);
            reading_now const arrived(mine->reading);
            return part.peek(key, hash, now, seen);
        } else {
            return part.peek(key, hash, now, seen);
        }
    }

    /// Whether some thread has it on loan; with null, whether one has anything.
    bool is_lent(void const* what) const noexcept
    {
        bool named = false;
        tallies_.for_each([&](tally const& each) { named = named || (what != nullptr ? each.loans.name(what) : each.loans.any()); });
        return named;
    }
    /// How a writer waits for the readers, and keeps what they have on loan.
    class readers_left {
    public:
        explicit readers_left(store_parts& parts) noexcept : parts_(parts) {}
        void operator()()
        {
            if constexpr (shard::how == reading::guarded)
                parts_.periods_.pass([this](auto wait) { parts_.tallies_.for_each([&](tally& each) { wait(each.reading); }); });
        }
        [[nodiscard]] std::uint64_t latest() noexcept { return parts_.periods_.latest(); }
        [[nodiscard]] bool over_since(std::uint64_t number) const noexcept { return parts_.periods_.over_since(number); }

        /// Nobody can borrow any more what the writer hands to `keep` from here on.
        void look_for_loans()
        {
            if constexpr (lends) {
                any_ = parts_.is_lent(nullptr);
                parts_.lent_.settle([this](void const* what) { return parts_.is_lent(what); });
            }
        }
        template<class What>
        void keep([[maybe_unused]] What& what)
        {
            if constexpr (lends && std::is_same_v<What, Value>)
                if (any_ && what != nullptr && parts_.is_lent(what.get()))
                    parts_.lent_.keep(std::move(what), [this](void const* other) { return parts_.is_lent(other); });
        }

    private:
        store_parts& parts_;
        bool any_ = false;
    };

    /// Lets `act` change a part, and tells those who want to know what went, after the lock.
    template<class Act>
    auto change(listener const& to, shard& part, Act&& act)
    {
        removals<Key, Value> gone(to);
        auto const result = [&] {
            typename shard::writing const guard(part);
            return act(part, readers_left(*this), gone);
        }();
        if (gone.any()) {
            auto const mine = tallies_.local();
            mine->count(gone.counts, mine.alone);
        }
        gone.tell();
        return result;
    }
    template<class Act>
    bool write(listener const& to, shard& part, Act&& act)
    {
        using fate = typename shard::fate;
        fate const became = change(to, part, act);
        auto const mine = tallies_.local();
        (became == fate::kept ? mine->writes : became == fate::refused ? mine->refused : mine->dropped).add(1, mine.alone);
        return became == fate::kept;
    }

    seeded_hash hash_;
    std::size_t last_ = 0; // the number of the last part; there is a power of two of them
    std::vector<shard> shards_;
    striped<tally, Threading> tallies_;
    grace_periods periods_;
    [[no_unique_address]] std::conditional_t<lends, lent_values<Value>, not_lent> lent_;
};

} // namespace weir::inline v0::detail
