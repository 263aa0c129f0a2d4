// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/gated_sieve.hpp>
#include <weir/cache/detail/growing_array.hpp>
#include <weir/cache/detail/slab.hpp>
#include <weir/cache/detail/slot_index.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/store_write.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// How entries are read.
enum class reading : std::uint8_t {
    locked,  ///< under the owner's lock
    plain,   ///< beside writers: key and value are plain bits in atomic words; the reader then checks that there was no writer
    guarded, ///< beside writers: a reader announces itself, and a slot is used again only after those who may look at it have left
};

/// What a table is made for.
struct table_shape {
    std::size_t entries;
    bool weighed = false;
    std::uint64_t weight = 0; // at most, if weighed
    duration idle{};          // zero: what is not asked for stays good
};

/// One shard's entries: where each key is (`slot_index`), the entries (a slab), and which of them to drop (`gated_sieve`). It never holds
/// more than it is made for and takes all its memory at once.
///
/// Thread-safety: its owner's lock; what is `const`, and `touch`, may run beside a writer as `Reading` says. A writer is given `wait()`,
/// which returns when all readers who had announced themselves have left, with `wait.latest()` and `wait.over_since(number)` as
/// `grace_periods` has them, and with `wait.keep(value)`, which takes a value that somebody still has on loan, as it was when
/// `wait.look_for_loans()` was called; and `gone(at, cause)`, which hears of an entry before it goes.
template<class Key, class Value, threading_model Threading, reading Reading>
class entry_table {
    using slab = std::conditional_t<Reading == reading::plain, word_slab<Key, Value, Threading>, object_slab<Key, Value, Threading>>;

public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{};

    using entry_type = cache_entry<Key, Value>;
    using view = typename slab::view;
    static constexpr slot further = none - 1;

    explicit entry_table(table_shape const& shape)
        : index_(slots_for(shape.entries)),
          entries_(slots_for(shape.entries)),
          used_(shape.idle.count() != 0 ? slots_for(shape.entries) : 0),
          idle_(shape.idle),
          order_(slots_for(shape.entries), shape.entries),
          weights_(shape.weighed ? slots_for(shape.entries) : 0),
          weight_limit_(shape.weight),
          limit_(shape.entries),
          most_(shape.entries)
    {
        give_out(0);
        left_.reserve(spares(shape.entries));
    }
    entry_table(entry_table&&) noexcept = default;
    entry_table& operator=(entry_table&&) = delete;
    ~entry_table()
    {
        for (slot at = 0; at < order_.slots(); ++at) // none if moved from
            if (order_.contains(at)) entries_.drop(at);
        for (leaving const& each : left_) entries_.drop(each.at);
    }

    template<class Matches>
    [[nodiscard, gnu::always_inline]] slot find(std::uint32_t hash, Matches&& matches) const
    {
        return index_.find(hash, matches);
    }
    /// Whether an entry is of that key. Bytes, not `==`, where what is read beside a writer may be no `Key` at all.
    template<class Like>
    [[nodiscard, gnu::always_inline]] static bool is_of(view there, Like const& key)
    {
        if constexpr (Reading == reading::plain) {
            Key const other = there.key();
            return std::memcmp(&other, &key, sizeof key) == 0;
        } else {
            return there.key() == key;
        }
    }
    /// Where the key is, told beside writers: `none` if nowhere, `further` if one has to look closer.
    template<class Like>
    [[nodiscard]] slot search(Like const& key, std::uint32_t hash) const
    {
        [[maybe_unused]] bool unlike = false;
        slot const there = find(hash, [&](slot candidate) {
            bool const is = is_of(at(candidate), key);
            unlike = unlike || !is;
            return is;
        });
        // Equal keys may differ in their bytes where some of these mean nothing.
        constexpr bool in_doubt = Reading == reading::plain && !std::has_unique_object_representations_v<Key>;
        return in_doubt && there == none && unlike ? further : there;
    }
    [[nodiscard, gnu::always_inline]] slot likely(std::uint32_t hash) const noexcept { return index_.likely(hash); }
    [[nodiscard]] decltype(auto) key(slot at) const noexcept { return entries_.at(at).key(); }
    [[nodiscard]] decltype(auto) value(slot at) const noexcept { return entries_.at(at).value(); }
    /// The entry as the slab has it, without the time of its last use.
    [[nodiscard, gnu::always_inline]] view at(slot there) const noexcept { return entries_.at(there); }
    [[nodiscard]] static Value value_of(bits_of<Value> const& bits) noexcept { return slab::value_of(bits); }
    /// For the order: what it asks of its entries.
    [[nodiscard]] std::uint32_t hash(slot at) const noexcept { return entries_.at(at).notes().hash(); }
    [[nodiscard]] bool visited(slot at) const noexcept { return entries_.at(at).notes().visited(); }
    void forgive(slot at) noexcept { entries_.at(at).forgive(); }
    /// Whether what is not asked for goes out of date.
    [[nodiscard]] bool idles() const noexcept { return idle_.count() != 0; }
    /// When it goes out of date, as far as is known now.
    [[nodiscard]] time_point expiry(slot at) const noexcept
    {
        time_point const written = entries_.at(at).expiry();
        if (idle_.count() == 0) [[likely]]
            return written;
        return std::min(written, after(time_point(duration(used_[at].load())), idle_));
    }
    [[nodiscard]] answer_times times(slot at, time_point expiry, time_point now) const noexcept
    {
        return {.left = span(expiry, now), .spans = entries_.at(at).notes().spans};
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    [[nodiscard]] std::uint64_t weight() const noexcept { return weight_.load(std::memory_order_acquire); }
    [[nodiscard]] std::size_t most() const noexcept { return most_; }

    /// From `now` until then; as long as may be if that is too long for a duration.
    [[nodiscard, gnu::always_inline]] static duration span(time_point until, time_point now) noexcept
    {
        std::int64_t left = 0;
        if (!__builtin_sub_overflow(until.time_since_epoch().count(), now.time_since_epoch().count(), &left)) return duration(left);
        return duration::max();
    }

    /// Notes a hit.
    void touch(slot at, time_point now) noexcept
    {
        spare(at);
        if (idle_.count() == 0) [[likely]]
            return;
        // Not each time: a hot entry's line stays shared between the cores.
        if (span(now, time_point(duration(used_[at].load()))) > idle_ / 32) used_[at].store(now.time_since_epoch().count());
    }

    /// Notes a hit, where nothing `idles` or of what is out of date.
    void spare(slot at) noexcept
    {
        auto const there = entries_.at(at);
        there.touch(there.notes());
    }

    /// Puts an answer in, in the place of the one that its key has, if need be at the cost of others. It has room for it.
    template<class Wait, class Gone>
    void put(entry_type&& e, std::uint32_t weight, time_point now, time_point reclaim_before, Wait&& wait, Gone&& gone)
    {
        std::uint32_t const hash = e.notes.mark = e.notes.hash();
        slot at = find(hash, [&](slot there) { return key(there) == e.key; });
        if (at != none && weight > weight_of(at) && !fits(weight - weight_of(at))) {
            erase(at, removal::replaced, wait, gone); // others have to go, not what is written here
            at = none;
        }
        if (at != none) {
            gone(at, removal::replaced);
            e.notes.mark |= entry_notes::hit;
            if constexpr (Reading == reading::guarded) {
                slot const before = std::exchange(at, take(wait));
                entries_.write(at, std::move(e));
                order_.replace(before, at);
                index_.replace(hash, before, at);
                weigh(at, weight, weight_of(before));
                leave(before, wait);
            } else {
                entries_.drop(at);
                entries_.write(at, std::move(e));
                weigh(at, weight, weight_of(at));
            }
        } else {
            while (size() >= limit_ || (size() != 0 && !fits(weight))) evict(reclaim_before, wait, gone);
            at = take(wait);
            entries_.write(at, std::move(e));
            index_.insert(hash, at);
            order_.insert(at, hash);
            weigh(at, weight, 0);
            size_.store(size_.load() + 1, std::memory_order_release);
        }
        if (idle_.count() != 0) used_[at].store(now.time_since_epoch().count());
    }

    /// Takes out the entry at `at`.
    template<class Wait, class Gone>
    void erase(slot at, removal cause, Wait&& wait, Gone&& gone)
    {
        gone(at, cause);
        order_.erase(at);
        index_.erase(hash(at), at, [this](slot other) { return hash(other); });
        weigh(at, 0, weight_of(at));
        size_.store(size_.load() - 1, std::memory_order_release);
        leave(at, wait);
    }
    /// Takes out what `which(at)` says.
    template<class Which, class Wait, class Gone>
    std::size_t erase_if(Which&& which, removal cause, Wait&& wait, Gone&& gone)
    {
        std::size_t erased = 0;
        for (slot at = 0; at < order_.slots(); ++at) {
            if (!order_.contains(at) || !which(at)) continue;
            erase(at, cause, wait, gone);
            ++erased;
        }
        return erased;
    }
    template<class Visit>
    void for_each(Visit&& visit) const
    {
        for (slot at = 0; at < order_.slots(); ++at)
            if (order_.contains(at)) visit(at);
    }

    /// Takes out what expired at or before `reclaim_before` among the next two slots: called by each write, it visits every slot in time.
    template<class Wait, class Gone>
    void sweep(time_point reclaim_before, Wait&& wait, Gone&& gone)
    {
        constexpr unsigned slots_a_write = 2;
        for (unsigned i = 0; i < slots_a_write; ++i) {
            cursor_ = cursor_ + 1 < order_.slots() ? cursor_ + 1 : 0;
            if (order_.contains(cursor_) && expiry(cursor_) <= reclaim_before) erase(cursor_, removal::expired, wait, gone);
        }
    }

    /// Destroys what was taken out, when its readers have left.
    template<class Wait>
    void settle(Wait&& wait)
    {
        if (left_.empty()) return;
        if (!wait.over_since(left_.back().since)) wait();
        drop_left(left_.size(), wait);
    }

    /// From now on for so many entries and so much weight. Nobody else reads meanwhile where entries are `guarded`.
    template<class Wait, class Gone>
    void resize(std::size_t entries, std::uint64_t weight, time_point reclaim_before, Wait&& wait, Gone&& gone)
    {
        settle(wait);
        if (entries > most_) grow(std::max(entries, 2 * most_));
        order_.resize(order_.slots(), entries);
        limit_ = entries;
        weight_limit_ = weight;
        while (size() > limit_ || !fits(0)) evict(reclaim_before, wait, gone);
        settle(wait);
    }

    [[nodiscard]] bool fits_alone(std::uint32_t weight) const noexcept { return weights_.empty() || weight <= weight_limit_; }

private:
    /// What was taken out, perhaps still looked at, and since which grace period.
    struct leaving {
        slot at;
        std::uint64_t since;
    };

    /// Slots beyond the entries, for what was taken out while somebody looked at it.
    static constexpr std::size_t slots_for(std::size_t entries) noexcept { return entries + spares(entries); }
    static constexpr std::size_t spares(std::size_t entries) noexcept
    {
        return Reading == reading::guarded ? std::clamp<std::size_t>(entries / 64, 4, 256) : 0;
    }
    template<class Wait, class Gone>
    void evict(time_point reclaim_before, Wait&& wait, Gone&& gone)
    {
        slot const victim = order_.victim(*this);
        erase(victim, expiry(victim) <= reclaim_before ? removal::expired : removal::evicted, wait, gone);
    }
    /// What was taken out is destroyed, at once or when its readers have left.
    template<class Wait>
    void leave(slot at, [[maybe_unused]] Wait&& wait)
    {
        if constexpr (Reading == reading::guarded) {
            if (left_.size() == left_.capacity()) settle_some(wait);
            left_.push_back({at, wait.latest()});
        } else {
            entries_.drop(at);
            give_back(at);
        }
    }

    /// Destroys those whose readers have left: at least the one that was taken out first.
    template<class Wait>
    void settle_some(Wait&& wait)
    {
        if (!wait.over_since(left_.front().since)) wait();
        std::size_t gone = 1;
        while (gone < left_.size() && wait.over_since(left_[gone].since)) ++gone;
        drop_left(gone, wait);
    }
    template<class Wait>
    void drop_left(std::size_t how_many, [[maybe_unused]] Wait&& wait)
    {
        auto const end = left_.begin() + static_cast<std::ptrdiff_t>(how_many);
        wait.look_for_loans();
        for (auto each = left_.begin(); each != end; ++each) {
            if constexpr (Reading == reading::guarded) wait.keep(entries_.leaving(each->at));
            entries_.drop(each->at);
            give_back(each->at);
        }
        left_.erase(left_.begin(), end);
    }

    std::uint32_t weight_of(slot at) const noexcept { return weights_.empty() ? 0 : weights_[at]; }
    void weigh(slot at, std::uint32_t weight, std::uint32_t before) noexcept
    {
        if (weights_.empty()) return;
        weights_[at] = weight;
        weight_.store(weight_.load() + weight - before, std::memory_order_release);
    }
    bool fits(std::uint32_t weight) const noexcept { return weights_.empty() || weight_.load() + weight <= weight_limit_; }

    // Free slots are a list through the order's notes.
    template<class Wait>
    slot take(Wait&& wait)
    {
        if (free_ == none) settle_some(wait);
        return std::exchange(free_, order_.noted(free_));
    }
    void give_back(slot at) noexcept { order_.note(at, std::exchange(free_, at)); }
    void give_out(std::size_t from) noexcept
    {
        for (std::size_t at = order_.slots(); at-- > from;) give_back(static_cast<slot>(at));
    }

    void grow(std::size_t entries)
    {
        std::size_t const slots = slots_for(entries);
        std::size_t const before = order_.slots();
        auto const each = [&table = *this](auto&& visit) { table.for_each(visit); };
        if (!weights_.empty()) weights_.resize(slots);
        left_.reserve(spares(entries));
        if (idle_.count() != 0) used_.grow(slots);
        order_.resize(slots, entries);
        entries_.grow(slots, each);
        index_.grow(slots, [&](auto&& enter) { for_each([&](slot at) { enter(hash(at), at); }); });
        give_out(before);
        most_ = entries;
    }

    // What a hit reads comes first.
    slot_index<Threading, Reading == reading::guarded ? 8 : 9> index_; // those that are guarded spend a byte on spare slots
    slab entries_;
    growing_array<std::int64_t, Threading> used_; // when each was asked for last, if `idle_`
    duration idle_;
    gated_sieve order_;
    typename Threading::template cell<std::size_t> size_;

    std::vector<std::uint32_t> weights_;
    typename Threading::template cell<std::uint64_t> weight_;
    std::uint64_t weight_limit_;
    std::size_t limit_;         // entries, at most
    std::size_t most_;          // entries there are slots for
    std::vector<leaving> left_; // the oldest first
    slot free_ = none;
    slot cursor_ = 0;
};

} // namespace weir::inline v0::detail
