// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/entry_table.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/cache/store_write.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// A write as the store has planned it before it takes the lock.
struct planned_write {
    std::uint32_t hash;
    std::uint32_t weight = 0;
    duration ttl{};     // zero: as the settings say
    bool exact = false; // no jitter
    bool kept = true;   // false: the value is not to be kept
    duration took{};
    bool leased = false; // only if `lease` holds; no optional: g++ 12 at -O1 warns of it
    store_lease lease{};

    explicit planned_write(std::uint32_t of, store_write const& how)
        : hash(of),
          ttl(how.left.count() > 0 ? how.left : std::max(how.ttl, duration::zero())),
          exact(how.left.count() > 0),
          took(how.took),
          leased(how.lease.has_value()),
          lease(how.lease.value_or(store_lease()))
    {
    }
};

/// A part of a `store`: values and negative answers under one lock, and the number by which readers without the lock notice a writer.
/// A key has a value or a negative answer or neither. All but `peek`, `lease` and the sizes need the lock.
///
/// Writers are given `wait`, as `entry_table` is, and `gone`, which hears of the values that go, `gone(key, value, cause)`, and of the
/// negative answers, `gone(cause)`.
template<class Key, class Value, threading_model Threading>
class alignas(64) store_shard {
    struct nothing {};

public:
    /// How hits do without the lock: beside the writers where key and value are plain bits in a few words, and the key does not refer to
    /// others' bits; else announced.
    static constexpr bool plain =
        std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value> && sizeof(Key) + sizeof(Value) <= 128 && !string_like<Key>;
    static constexpr reading how = !Threading::is_shared ? reading::locked : plain ? reading::plain : reading::guarded;

    using plain_value = std::conditional_t<how == reading::plain, Value, nothing>;

    /// Holds the lock and tells readers that there is a writer.
    class writing {
    public:
        explicit writing(store_shard& part) : part_(part), lock_(part.mutex)
        {
            part_.sequence_.store(part_.sequence_.load() + 1, std::memory_order_release);
        }
        writing(writing const&) = delete;
        writing& operator=(writing const&) = delete;
        ~writing() { part_.sequence_.store(part_.sequence_.load() + 1, std::memory_order_release); }

    private:
        store_shard& part_;
        std::scoped_lock<typename Threading::mutex> lock_;
    };

    store_shard(table_shape const& shape, store_settings const& s, std::uint64_t seed)
        : values_(shape), settings(s), random_(seed), absences_({.entries = s.negative_ttl.count() == 0 ? 0 : tenth(shape.entries)})
    {
        for (auto& stamp : stamps_) stamp.store(1);
    }

    /// What a look without the lock comes to.
    enum class sight : std::uint8_t {
        hit,
        miss,
        unclear, ///< there was a writer, or one has to look closer
    };
    struct glimpse {
        sight what;
        std::uint32_t at;          // of a hit, unless it is plain
        bits_of<plain_value> bits; // of a hit that is plain
        answer_times times;
    };

    /// The short way of a hit, beside the writers. Where `how` is `guarded`, the caller has announced itself until it is done with what it saw.
    template<class Like>
    [[nodiscard, gnu::always_inline]] glimpse glance(Like const& key, std::uint32_t hash, time_point now)
    {
        glimpse seen; // NOLINT: a miss leaves the rest as it is
        seen.what = sight::unclear;
        std::uint64_t const before = how == reading::guarded ? sequence_.load(std::memory_order_acquire) : last_settled();
        if constexpr (how == reading::guarded)
            if (before % 2 != 0) return seen; // entries may be moving
        std::uint32_t at = values_.likely(hash);
        auto there = values_.at(at < values_.further ? at : 0);
        if (at >= values_.further || !values_.is_of(there, key)) [[unlikely]] {
            at = search_at_length(key, hash);
            if (at >= values_.further) {
                if (at == none && undisturbed(before) && absences_.size() == 0) seen.what = sight::miss;
                return seen;
            }
            there = values_.at(at);
        }
        time_point const expiry = there.expiry();
        entry_notes const notes = there.notes();
        if constexpr (how == reading::plain) {
            seen.bits = there.bits();
            if (!undisturbed(before)) [[unlikely]]
                return seen;
        }
        seen.times = {.left = values_.span(expiry, now), .spans = notes.spans};
        seen.at = at;
        if (expiry <= now || values_.idles()) return seen;
        there.touch(notes);
        seen.what = sight::hit;
        return seen;
    }
    /// The value of a hit: a copy where it is plain, else the value itself.
    [[nodiscard]] decltype(auto) value(glimpse const& seen) const noexcept
    {
        if constexpr (how == reading::plain)
            return values_.value_of(seen.bits);
        else
            return values_.value(seen.at);
    }

    /// The same at length: `seen(value, times)` or `seen(times)`, for a negative answer, hears what was found. False: one has to look under the
    /// lock.
    template<class Like, class Seen>
    [[nodiscard]] bool peek(Like const& key, std::uint32_t hash, time_point now, Seen&& seen)
    {
        std::uint64_t const before = last_settled();
        if (!undisturbed(before)) return false;
        auto const look = [&](auto& table, auto&& say) {
            std::uint32_t const at = table.search(key, hash);
            if (at >= table.further) return at == none ? sight::miss : sight::unclear;
            time_point const expiry = table.expiry(at);
            answer_times const times = table.times(at, expiry, now);
            if constexpr (how == reading::plain) {
                auto const bits = table.at(at).bits();
                if (!undisturbed(before)) return sight::unclear;
                if (expiry <= now) return sight::hit;
                table.touch(at, now);
                say(table.value_of(bits), times);
            } else {
                if (expiry <= now) return sight::hit;
                table.touch(at, now);
                say(table.value(at), times);
            }
            return sight::hit;
        };
        if (sight const s = look(values_, seen); s != sight::miss) return s == sight::hit;
        if (absences_.size() != 0) {
            answer_times found;
            bool negative = false;
            sight const s = look(absences_, [&](nothing, answer_times const& times) {
                found = times;
                negative = true;
            });
            if (s == sight::unclear || !undisturbed(before)) return false;
            if (negative) seen(found);
            return true;
        }
        return undisturbed(before);
    }

    /// Looks the key up; what has been out of date for less than `stale` is found, too.
    template<class Like, class Seen>
    void find(Like const& key, std::uint32_t hash, time_point now, duration stale, Seen&& seen)
    {
        time_point const good_after = before(now, stale);
        auto const tell = [&](auto& table, std::uint32_t at, auto&& say) {
            time_point const expiry = table.expiry(at);
            if (expiry <= good_after) return;
            if (expiry > now)
                table.touch(at, now);
            else
                table.spare(at);
            say(table.times(at, expiry, now));
        };
        if (auto const at = values_.find(hash, is(values_, key)); at != none)
            tell(values_, at, [&](answer_times const& times) { seen(values_.value(at), times); });
        else if (auto const there = absences_.find(hash, is(absences_, key)); there != none)
            tell(absences_, there, seen);
    }

    /// What a later write of the key shows that nothing came in between.
    [[nodiscard]] store_lease lease(std::uint32_t hash) const noexcept
    {
        return store_lease(stamps_[hash % stamps_.size()].load(std::memory_order_acquire));
    }

    /// What became of a write.
    enum class fate : std::uint8_t { kept, refused, dropped };

    template<class Wait, class Gone>
    fate put(Key&& key, Value&& value, planned_write const& w, time_point now, Wait&& wait, Gone&& gone)
    {
        if (!admits(w)) return fate::refused;
        remove(absences_, key, w.hash, removal::replaced, wait, as_absence(gone));
        if (!w.kept || !values_.fits_alone(w.weight)) {
            remove(values_, key, w.hash, removal::replaced, wait, as_value(gone));
            return fate::dropped;
        }
        write(values_, std::move(key), std::move(value), w, settings.ttl, now, wait, as_value(gone));
        return fate::kept;
    }
    template<class Wait, class Gone>
    fate put_absent(Key&& key, planned_write const& w, time_point now, Wait&& wait, Gone&& gone)
    {
        if (!admits(w)) return fate::refused;
        remove(values_, key, w.hash, removal::replaced, wait, as_value(gone));
        if (settings.negative_ttl.count() == 0) {
            remove(absences_, key, w.hash, removal::replaced, wait, as_absence(gone));
            return fate::dropped;
        }
        write(absences_, std::move(key), nothing{}, w, settings.negative_ttl, now, wait, as_absence(gone));
        return fate::kept;
    }

    template<class Like, class Wait, class Gone>
    bool erase(Like const& key, std::uint32_t hash, Wait&& wait, Gone&& gone)
    {
        outdate(hash);
        bool const value = remove(values_, key, hash, removal::erased, wait, as_value(gone));
        bool const absence = remove(absences_, key, hash, removal::erased, wait, as_absence(gone));
        settle(wait);
        return value || absence;
    }

    /// Forgets the values for which `which(key, value)` holds, and with `absences_too` all negative answers.
    template<class Which, class Wait, class Gone>
    std::size_t erase_if(Which&& which, bool absences_too, removal cause, Wait&& wait, Gone&& gone)
    {
        for (auto& stamp : stamps_) stamp.add(1);
        std::size_t const erased =
            values_.erase_if([&](std::uint32_t at) { return which(std::as_const(values_).key(at), std::as_const(values_).value(at)); },
                             cause, wait, as_value(gone));
        if (absences_too) absences_.erase_if(any, cause, wait, as_absence(gone));
        settle(wait);
        return erased;
    }

    template<class Wait, class Gone>
    void resize(std::size_t entries, std::uint64_t weight, time_point now, Wait&& wait, Gone&& gone)
    {
        time_point const reclaim_before = before(now, settings.keep_stale);
        wait(); // from here on readers see that there is a writer: nobody looks at what moves
        values_.resize(entries, weight, reclaim_before, wait, as_value(gone));
        bool const none_ever = settings.negative_ttl.count() == 0 && absences_.most() == 0;
        absences_.resize(none_ever ? 0 : tenth(entries), 0, reclaim_before, wait, as_absence(gone));
    }

    /// `visit(key, value, times)` for each value that is not out of date.
    template<class Visit>
    void for_each(time_point now, Visit&& visit) const
    {
        values_.for_each([&](std::uint32_t at) {
            time_point const expiry = values_.expiry(at);
            if (expiry > now) visit(values_.key(at), values_.value(at), values_.times(at, expiry, now));
        });
    }

    /// `visit(key, left)` for each negative answer that is not out of date.
    template<class Visit>
    void for_each_absent(time_point now, Visit&& visit) const
    {
        absences_.for_each([&](std::uint32_t at) {
            time_point const expiry = absences_.expiry(at);
            if (expiry > now) visit(absences_.key(at), absences_.span(expiry, now));
        });
    }

    [[nodiscard]] std::size_t values() const noexcept { return values_.size(); }
    [[nodiscard]] std::size_t absences() const noexcept { return absences_.size(); }
    [[nodiscard]] std::uint64_t weight() const noexcept { return values_.weight(); }

private:
    static constexpr auto none = ~std::uint32_t{};
    static constexpr auto any = [](std::uint32_t) { return true; };
    static constexpr std::size_t tenth(std::size_t entries) noexcept { return std::max<std::size_t>(entries / 10, 1); }

    template<class Table, class Like>
    static auto is(Table const& table, Like const& key)
    {
        return [&](std::uint32_t at) { return table.key(at) == key; };
    }
    template<class Gone>
    auto as_value(Gone& gone)
    {
        return [this, &gone](std::uint32_t at, removal cause) { gone(values_.key(at), values_.value(at), cause); };
    }
    template<class Gone>
    auto as_absence(Gone& gone)
    {
        return [&gone](std::uint32_t, removal cause) { gone(cause); };
    }

    /// Where the key is among the values, for the few that are not where it is likely.
    template<class Like>
    [[gnu::noinline]] std::uint32_t search_at_length(Like const& key, std::uint32_t hash) const
    {
        return values_.search(key, hash);
    }

    /// What the number is while nobody writes: a reader then sees whether there was a writer, from the first on.
    std::uint64_t last_settled() const noexcept { return sequence_.load(std::memory_order_acquire) & ~std::uint64_t{1}; }
    bool undisturbed(std::uint64_t before) const noexcept { return sequence_.load() == before; }

    void outdate(std::uint32_t hash) noexcept { stamps_[hash % stamps_.size()].add(1); }
    /// Whether a lease still holds. Who writes without one outdates those of others.
    bool admits(planned_write const& w) noexcept
    {
        if (w.leased) return w.lease == lease(w.hash);
        outdate(w.hash);
        return true;
    }

    template<class Table, class What, class Wait, class Gone>
    void write(Table& table, Key&& key, What&& what, planned_write const& w, duration usual, time_point now, Wait&& wait, Gone&& gone)
    {
        time_point const reclaim_before = before(now, settings.keep_stale);
        table.sweep(reclaim_before, wait, gone);
        duration const most = w.ttl.count() == 0 ? usual : w.ttl;
        duration const ttl = w.exact ? most : drawn(most);
        table.put({std::move(key), std::move(what), after(now, ttl), {{short_span(ttl), short_span(w.took)}, w.hash}}, w.weight, now,
                  reclaim_before, wait, gone);
    }

    template<class Table, class Like, class Wait, class Gone>
    static bool remove(Table& table, Like const& key, std::uint32_t hash, removal cause, Wait&& wait, Gone&& gone)
    {
        if (table.size() == 0) return false;
        auto const at = table.find(hash, is(table, key));
        if (at == none) return false;
        table.erase(at, cause, wait, gone);
        return true;
    }
    template<class Wait>
    void settle(Wait&& wait)
    {
        values_.settle(wait);
        absences_.settle(wait);
    }

    static time_point before(time_point now, duration d) noexcept { return now < time_point::min() + d ? time_point::min() : now - d; }

    /// Uniform in `[ttl * (1 - jitter), ttl]`.
    duration drawn(duration ttl) noexcept
    {
        __extension__ using wide = unsigned __int128;
        auto const span = static_cast<std::uint64_t>(static_cast<double>(ttl.count()) * settings.jitter);
        auto const off = static_cast<duration::rep>(static_cast<wide>(splitmix64(random_)) * (span + 1) >> 64);
        return std::max(ttl - duration(off), duration(1));
    }

    // What a hit reads comes first and lies in one line.
    typename Threading::template cell<std::uint64_t> sequence_; // odd while there is a writer
    entry_table<Key, Value, Threading, how> values_;

public:
    mutable typename Threading::mutex mutex;
    store_settings settings;

private:
    std::uint64_t random_;
    entry_table<Key, nothing, Threading, how> absences_;
    std::array<typename Threading::template cell<std::uint64_t>, 64> stamps_;
};

} // namespace weir::inline v0::detail
