// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/entry_table.hpp>
#include <weir/cache/finding.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <type_traits>
#include <utility>

namespace weir::inline v0::detail {

/// A part of a `store`: values and negative answers under one lock, and the number by which readers without the lock notice a writer.
/// A key has a value or a negative answer or neither. All but `peek` and the sizes need the lock.
template<class Key, class Value, threading_model Threading>
class alignas(64) store_shard {
    struct nothing {};

public:
    /// Whether hits can do without the lock: key and value are plain bits in a few words, and the key does not refer to others' bits.
    static constexpr bool readable = Threading::is_shared && std::is_trivially_copyable_v<Key> && std::is_trivially_copyable_v<Value> &&
                                     sizeof(Key) + sizeof(Value) <= 128 && !string_like<Key>;

    /// Holds the lock and tells readers that there is a writer.
    class writing {
    public:
        explicit writing(store_shard& part) : part_(part), lock_(part.mutex) { part_.sequence_.store(part_.sequence_.load() + 1); }
        writing(writing const&) = delete;
        writing& operator=(writing const&) = delete;
        ~writing() { part_.sequence_.store(part_.sequence_.load() + 1, std::memory_order_release); }

    private:
        store_shard& part_;
        std::scoped_lock<typename Threading::mutex> lock_;
    };

    store_shard(std::size_t slots, store_settings const& s, std::uint64_t seed)
        : settings(s), random_(seed), values_(slots), absences_(std::max<std::size_t>(slots / 10, 1))
    {
    }

    /// Looks the key up beside the writers, without the lock. False: there was a writer, or one has to look closer.
    [[nodiscard]] bool peek(Key const& key, std::uint32_t hash, time_point now, finding<Value>& found) noexcept
    {
        std::uint64_t const before = sequence_.load(std::memory_order_acquire);
        if (before % 2 != 0) return false;
        auto const undisturbed = [&] { return sequence_.load() == before; };
        // Bytes, not `==`: what is read beside a writer may be no `Key` at all.
        auto const same = [&](Key const& seen) { return std::memcmp(&seen, &key, sizeof key) == 0; };

        if (auto const at = values_.find(hash, any); at != none) {
            Key const seen = values_.key(at);
            time_point const expiry = values_.expiry(at);
            Value const value = values_.value(at);
            if (!undisturbed() || !same(seen)) return false;
            if (expiry > now) {
                values_.touch(at);
                found = finding<Value>(value);
            }
            return true;
        }
        if (absences_.size() != 0) {
            if (auto const at = absences_.find(hash, any); at != none) {
                Key const seen = absences_.key(at);
                time_point const expiry = absences_.expiry(at);
                if (!undisturbed() || !same(seen)) return false;
                if (expiry > now) {
                    absences_.touch(at);
                    found = finding<Value>::absent();
                }
                return true;
            }
        }
        return undisturbed();
    }

    /// Looks the key up; what has been out of date for less than `stale` is found, too.
    template<class Like>
    [[nodiscard]] finding<Value> find(Like const& key, std::uint32_t hash, time_point now, duration stale = {})
    {
        time_point const good_after = before(now, stale);
        auto const age = [&](time_point expiry) { return expiry > now ? duration::zero() : now - expiry; };

        if (auto const at = values_.find(hash, is(values_, key)); at != none) {
            if (values_.expiry(at) <= good_after) return finding<Value>();
            values_.touch(at);
            return finding<Value>(values_.value(at), age(values_.expiry(at)));
        }
        if (auto const at = absences_.find(hash, is(absences_, key)); at != none) {
            if (absences_.expiry(at) <= good_after) return finding<Value>();
            absences_.touch(at);
            return finding<Value>::absent(age(absences_.expiry(at)));
        }
        return finding<Value>();
    }

    drops put(Key&& key, Value&& value, std::uint32_t hash, time_point now) noexcept
    {
        remove(absences_, key, hash);
        return write(values_, {std::move(key), std::move(value), expiry(now, settings.ttl), hash}, now);
    }
    drops put_absent(Key&& key, std::uint32_t hash, time_point now) noexcept
    {
        remove(values_, key, hash);
        return write(absences_, {std::move(key), nothing{}, expiry(now, settings.negative_ttl), hash}, now);
    }

    template<class Like>
    bool erase(Like const& key, std::uint32_t hash)
    {
        bool const value = remove(values_, key, hash);
        return remove(absences_, key, hash) || value;
    }

    void clear() noexcept
    {
        values_.clear();
        absences_.clear();
    }

    [[nodiscard]] std::size_t values() const noexcept { return values_.size(); }
    [[nodiscard]] std::size_t absences() const noexcept { return absences_.size(); }

    mutable typename Threading::mutex mutex;
    store_settings settings;

private:
    static constexpr auto none = ~std::uint32_t{};
    static constexpr auto any = [](std::uint32_t) { return true; };

    template<class Table, class Like>
    static auto is(Table const& table, Like const& key)
    {
        return [&](std::uint32_t at) { return table.key(at) == key; };
    }

    template<class Table>
    drops write(Table& table, typename Table::entry_type&& entry, time_point now)
    {
        time_point const reclaim_before = before(now, settings.keep_stale);
        drops out{.for_room = 0, .expired = table.sweep(reclaim_before)};
        if (auto const at = table.find(entry.hash, is(table, entry.key)); at != none) {
            table.replace(at, std::move(entry));
            return out;
        }
        drops const more = table.insert(std::move(entry), reclaim_before);
        return {.for_room = more.for_room, .expired = out.expired + more.expired};
    }

    template<class Table, class Like>
    static bool remove(Table& table, Like const& key, std::uint32_t hash)
    {
        if (table.size() == 0) return false;
        auto const at = table.find(hash, is(table, key));
        if (at == none) return false;
        table.erase(at);
        return true;
    }

    static time_point before(time_point now, duration d) noexcept { return now < time_point::min() + d ? time_point::min() : now - d; }

    /// Uniform in `[ttl * (1 - jitter), ttl]` from now.
    time_point expiry(time_point now, duration ttl) noexcept
    {
        __extension__ using wide = unsigned __int128;
        auto const span = static_cast<std::uint64_t>(static_cast<double>(ttl.count()) * settings.jitter);
        auto const drawn = static_cast<duration::rep>(static_cast<wide>(splitmix64(random_)) * (span + 1) >> 64);
        return after(now, std::max(ttl - duration(drawn), duration(1)));
    }

    typename Threading::template cell<std::uint64_t> sequence_; // odd while there is a writer
    std::uint64_t random_;
    entry_table<Key, Value, Threading, readable> values_;
    entry_table<Key, nothing, Threading, readable> absences_;
};

} // namespace weir::inline v0::detail
