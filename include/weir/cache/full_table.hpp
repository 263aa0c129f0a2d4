// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/generations.hpp>
#include <weir/cache/guard.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm> // also for the concepts of ranges: <ranges> takes a tenth of a second more
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct full_table_options {
    required<std::size_t> capacity;         ///< keys it holds at most, in [1, 2^32]; it takes memory as they come
    std::optional<std::uint64_t> seed = {}; ///< of hashing; nobody knows it if it is left out
};

/// Holds every key that exists, and its value: what it does not hold does not exist. For a few hundred thousand keys that seldom change,
/// where a request must never wait for a load: currencies, tariffs, feature flags. `preloaded` answers calls from it; as a guard it knows
/// exactly what a `bloom_guard` knows but for a few.
///
/// **Reload.** A successor is built beside it by whoever calls, in pieces if he wants, and takes its place at once. What is put or erased
/// meanwhile is newer than what the reload brings, and stays so. Begin before you read the source; who changes something changes it
/// there first, then here.
/// ```cpp
/// if (auto fresh = table.begin_reload()) {
///     while (auto const page = co_await next_page()) for (auto& [key, value] : *page) fresh->put(key, value);
///     fresh->commit();                                     // without it, the table stays as it is
/// }
/// ```
///
/// Thread-safety: `shared`: any thread, any time; a look-up takes the lock of one of up to 64 parts. Cost: a hash, one look into an
/// open-addressing table, a copy of the value: keep `std::shared_ptr<T const>` if it is big. Memory: key and value at a load of at most
/// 7/8, and a byte.
template<class Key, class Value, threading_model Threading = shared>
class full_table {
    struct part {
        mutable typename Threading::mutex mutex;
        boost::unordered_flat_map<Key, Value, detail::seeded_hash, std::equal_to<>> values;
        boost::unordered_flat_set<Key, detail::seeded_hash, std::equal_to<>> gone; // of a successor: erased while it is loaded

        explicit part(detail::seeded_hash const& hash) : values(0, hash), gone(0, hash) {}
    };
    struct content {
        content(std::size_t most, detail::seeded_hash const& h) : hash(h), capacity(most)
        {
            std::size_t const parts = Threading::is_shared ? std::bit_floor(std::clamp<std::size_t>(most / 1'024, 1, 64)) : 1;
            part_bits = static_cast<unsigned>(std::countr_zero(parts));
            all.reserve(parts);
            for (std::size_t i = 0; i < parts; ++i) all.emplace_back(hash);
        }
        part& of(auto const& key) { return all[hash(key) >> 1 >> (63 - part_bits)]; }
        part const& of(auto const& key) const { return const_cast<content&>(*this).of(key); }

        /// `put` and `erase` are for who holds the part's lock.
        bool put(part& mine, Key const& key, Value const& value, bool newest)
        {
            if (newest)
                mine.gone.erase(key);
            else if (mine.gone.contains(key))
                return true;
            if (auto const at = mine.values.find(key); at != mine.values.end()) {
                if (newest) at->second = value;
                return true;
            }
            if (size.add(1) >= capacity) {
                size.add(static_cast<std::size_t>(-1));
                return false;
            }
            mine.values.emplace(key, value);
            return true;
        }
        bool erase(part& mine, auto const& key)
        {
            auto const at = mine.values.find(key);
            if (at == mine.values.end()) return false;
            mine.values.erase(at);
            size.add(static_cast<std::size_t>(-1));
            return true;
        }
        void forget_gone()
        {
            for (part& each : all) {
                std::scoped_lock const lock(each.mutex);
                decltype(each.gone)(0, hash).swap(each.gone);
            }
        }

        detail::seeded_hash hash;
        std::size_t capacity;
        unsigned part_bits = 0;
        std::vector<part> all;
        typename Threading::template cell<std::size_t> size;
    };
    using state = detail::generations<content, Threading>;

public:
    using key_type = Key;
    using value_type = Value;
    using options = full_table_options;

    /// A successor that is being loaded. Its end without `commit` leaves the table as it is. The table outlives it; one thread at a time
    /// uses it.
    class reloading {
    public:
        reloading(reloading&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
        reloading& operator=(reloading&& other) noexcept
        {
            std::swap(state_, other.state_);
            return *this;
        }
        ~reloading()
        {
            if (state_ != nullptr) state_->abandon();
        }
        /// What the source has. False if there is no room.
        bool put(Key const& key, Value const& value)
        {
            content& fresh = state_->successor();
            part& mine = fresh.of(key);
            std::scoped_lock const lock(mine.mutex);
            return fresh.put(mine, key, value, false);
        }
        /// The table holds from now on what was put here, and what was put and erased there meanwhile. Once.
        void commit()
        {
            content& fresh = state_->successor();
            std::exchange(state_, nullptr)->commit();
            fresh.forget_gone();
        }

    private:
        friend full_table;
        explicit reloading(state& s) noexcept : state_(&s) {}
        state* state_;
    };

    /// Throws `std::invalid_argument` that names the member.
    explicit full_table(options const& o) : hash_(o.seed.value_or(detail::random_seed())), capacity_(o.capacity)
    {
        expect(capacity_ >= 1 && capacity_ <= (std::size_t{1} << 32), "full_table.capacity", "a number of keys in [1, 2^32]");
        state_ = detail::owner<state>(new state(detail::owner<content>(new content(capacity_, hash_))));
    }

    /// Keeps the value, in the place of whatever the key had. False, and what it had stays, if there is no room; in that of a reload's
    /// successor it may be kept.
    bool put(Key const& key, Value const& value)
    {
        return change(key, [&](content& c, part& mine, bool) { return c.put(mine, key, value, true); });
    }
    /// The key does not exist any more. Returns whether it did.
    template<detail::key_like<Key> Like>
    bool erase(Like const& key)
    {
        auto&& wanted = detail::as_key<Key>(key);
        bool erased = false;
        change(wanted, [&](content& c, part& mine, bool is_successor) {
            if (is_successor) mine.gone.insert(Key(wanted));
            bool const had = c.erase(mine, wanted);
            if (!is_successor) erased = had;
            return true;
        });
        return erased;
    }
    template<detail::key_like<Key> Like>
    [[nodiscard]] std::optional<Value> find(Like const& key) const
    {
        return look(key, [](part const& p, auto const& wanted) {
            auto const at = p.values.find(wanted);
            return at != p.values.end() ? std::optional<Value>(at->second) : std::nullopt;
        });
    }
    template<detail::key_like<Key> Like>
    [[nodiscard]] bool may_exist(Like const& key) const
    {
        return look(key, [](part const& p, auto const& wanted) { return p.values.contains(wanted); });
    }

    /// Begins a successor. Null if another one is under way.
    [[nodiscard]] std::optional<reloading> begin_reload()
    {
        detail::owner<content> fresh(new content(capacity_, hash_));
        if (!state_->begin(fresh)) return std::nullopt;
        return reloading(*state_);
    }
    /// Holds the pairs of a range instead of what it held. False, and nothing happens, if there is no room for them or another one is under
    /// way.
    template<std::ranges::input_range Range>
    bool reload(Range&& pairs)
    {
        auto fresh = begin_reload();
        if (!fresh) return false;
        for (auto const& [key, value] : pairs)
            if (!fresh->put(key, value)) return false;
        fresh->commit();
        return true;
    }

    [[nodiscard]] std::size_t size() const
    {
        return state_->read([](content const& c) { return c.size.load(); });
    }
    /// Keys that exist: as a guard.
    [[nodiscard]] std::size_t population() const { return size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    /// Changes the successor first, if there is one, and keeps its lock until both are changed: nobody sees an older value after a newer
    /// one.
    template<class F>
    bool change(auto const& key, F&& f)
    {
        return state_->write([&](content& now, content* next) {
            std::unique_lock<typename Threading::mutex> held;
            if (next != nullptr) {
                part& theirs = next->of(key);
                held = std::unique_lock(theirs.mutex);
                if (!f(*next, theirs, true)) return false;
            }
            part& mine = now.of(key);
            std::scoped_lock const lock(mine.mutex);
            return f(now, mine, false);
        });
    }
    auto look(auto const& key, auto&& in) const
    {
        auto&& wanted = detail::as_key<Key>(key);
        return state_->read([&](content const& c) {
            part const& mine = c.of(wanted);
            std::scoped_lock const lock(mine.mutex);
            return in(mine, wanted);
        });
    }

    detail::seeded_hash hash_;
    std::size_t capacity_;
    detail::owner<state> state_;
};

} // namespace weir::inline v0
