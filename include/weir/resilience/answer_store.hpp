// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/heap_bytes.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>
#include <weir/core/threading.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace weir::inline v0 {

struct answer_store_options {
    /// Requests that are known at a time, under way or answered; at least 1.
    required<std::size_t> capacity;
    /// Memory for names and answers together; at least 1,024. An answer that does not fit beside those under way is not kept.
    std::size_t max_bytes = std::numeric_limits<std::size_t>::max();
    /// How long an answer is kept. Above 0.
    duration ttl = std::chrono::hours(24);
    /// Whether a request that finds the store full is refused; else the oldest answer is forgotten, and its request, repeated, runs again.
    bool refuse_when_full = false;
};

/// Which requests are under way or were answered, by a name that the client gave them: what `idempotency_key` remembers. Each name has a
/// fingerprint of its request, so that a name which is used again for something else is noticed.
///
/// Bounded by `capacity` names and by `max_bytes`; requests under way are never forgotten. When all are under way new ones are refused. A
/// value that keeps memory elsewhere says how much by `std::size_t weir_heap_bytes(Value const&)` beside it; strings and `http::response`
/// do. Thread-safe if `Threading` is `shared`: one lock, held for a look-up and a copy of a shared pointer. It outlives its tickets.
template<class Value, threading_model Threading = shared>
class answer_store {
public:
    using value_type = Value;
    using answer = result<Value>;
    using options = answer_store_options;
    enum class claim : std::uint8_t {
        mine,      ///< nobody has: run it, then `keep` or `forget`
        answered,  ///< `answer_of` the ticket
        under_way, ///< another call is at it
        another,   ///< the name belongs to another request
        full,      ///< there is no room for one more
    };
    struct stats_type {
        std::size_t names = 0;
        std::uint64_t evicted = 0; ///< answers forgotten before their time, or not kept, for want of room
        std::size_t bytes = 0;     ///< that names and answers take
    };

private:
    struct entry {
        std::uint64_t fingerprint = 0;
        std::size_t bytes = 0;
        std::shared_ptr<answer const> kept{}; // null: under way
        time_point until = never;
        waiter_list waiting{};
        entry* before = nullptr; // among the answered
        entry* behind = nullptr;
        std::string const* name = nullptr;
    };

public:
    /// What a call has of the store; it lies in the call's frame. One that ends without a word gives its claim up.
    class ticket {
    public:
        ticket() = default;
        ticket(ticket const&) = delete;
        ticket& operator=(ticket const&) = delete;
        ~ticket()
        {
            if (store_ != nullptr) store_->give_up(*this);
        }
        [[nodiscard]] waiter& waiting() noexcept { return waiter_; }
        [[nodiscard]] bool abandon() noexcept { return store_ != nullptr && store_->leave(*this); }
        [[nodiscard]] bool is_mine() const noexcept { return mine_; }
        [[nodiscard]] answer const& found() const noexcept { return *kept_; }

    private:
        friend answer_store;
        answer_store* store_ = nullptr;
        entry* entry_ = nullptr; // ours, or that which we wait for
        std::shared_ptr<answer const> kept_;
        waiter waiter_;
        bool mine_ = false;
    };

    explicit answer_store(options const& o) : settings_(checked(o)) {}
    answer_store(answer_store&& other) noexcept : settings_(other.settings_.load()) {}

    /// Claims a name for a call. With `wait` a call whose request is under way is linked in, to be woken when that has ended; then it
    /// claims again.
    [[nodiscard]] claim take(std::string_view name, std::uint64_t fingerprint, time_point now, bool wait, ticket& t)
    {
        options const o = settings_.load();
        std::scoped_lock const lock(mutex_);
        std::string key(name);
        auto found = entries_.find(key);
        if (found != entries_.end() && found->second.kept != nullptr && found->second.until <= now) {
            remove(found->second);
            found = entries_.end();
        }
        if (found != entries_.end()) {
            entry& e = found->second;
            if (e.fingerprint != fingerprint) return claim::another;
            if (e.kept != nullptr) {
                t.kept_ = e.kept;
                return claim::answered;
            }
            if (wait) {
                t.store_ = this;
                t.entry_ = &e;
                e.waiting.push_back(t.waiter_);
            }
            return claim::under_way;
        }
        while (oldest_ != nullptr && oldest_->until <= now) remove(*oldest_);
        std::size_t const bytes = of_a_name + detail::heap_bytes(key);
        while (entries_.size() >= *o.capacity || bytes_ + bytes > o.max_bytes) {
            if (o.refuse_when_full || oldest_ == nullptr) return claim::full;
            remove(*oldest_);
            ++evicted_;
        }
        auto const made = entries_.try_emplace(std::move(key)).first;
        made->second.bytes = bytes;
        bytes_ += bytes;
        made->second.fingerprint = fingerprint;
        made->second.name = &made->first;
        t.store_ = this;
        t.entry_ = &made->second;
        t.mine_ = true;
        return claim::mine;
    }
    /// The answer to a request that is `mine`; all who wait are woken.
    void keep(ticket& t, answer what, time_point now)
    {
        auto kept = std::make_shared<answer const>(std::move(what)); // made without the lock: it may be big
        std::size_t const bytes = of_an_answer + (kept->has_value() ? bytes_of(*kept) : 0);
        options const o = settings_.load();
        std::scoped_lock const lock(mutex_);
        while (bytes_ + bytes > o.max_bytes && !o.refuse_when_full && oldest_ != nullptr) {
            remove(*oldest_);
            ++evicted_;
        }
        if (bytes_ + bytes > o.max_bytes) {
            ++evicted_;
            return drop(t);
        }
        entry& e = *t.entry_;
        e.kept = std::move(kept);
        e.bytes += bytes;
        bytes_ += bytes;
        e.until = after(now, o.ttl);
        e.before = newest_;
        (newest_ != nullptr ? newest_->behind : oldest_) = &e;
        newest_ = &e;
        end(t);
    }
    /// The request that is `mine` may run again; all who wait are woken, and the first of them claims it.
    void forget(ticket& t) noexcept
    {
        std::scoped_lock const lock(mutex_);
        drop(t);
    }

    [[nodiscard]] stats_type stats() const
    {
        std::scoped_lock const lock(mutex_);
        return {entries_.size(), evicted_, bytes_};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other bounds for what comes from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }

private:
    static options const& checked(options const& o)
    {
        expect(*o.capacity >= 1, "answer_store.capacity", "at least 1");
        expect(o.max_bytes >= 1'024, "answer_store.max_bytes", "at least 1,024");
        expect(o.ttl.count() > 0, "answer_store.ttl", "more than 0");
        return o;
    }
    // With what the map and the allocator keep beside them.
    static constexpr std::size_t of_a_name = sizeof(std::pair<std::string const, entry>) + 4 * sizeof(void*);
    static constexpr std::size_t of_an_answer = sizeof(answer) + 4 * sizeof(void*);
    static std::size_t bytes_of([[maybe_unused]] answer const& a)
    {
        if constexpr (std::is_void_v<Value>)
            return 0;
        else
            return detail::heap_bytes(*a);
    }
    void remove(entry& e)
    {
        (e.before != nullptr ? e.before->behind : oldest_) = e.behind;
        (e.behind != nullptr ? e.behind->before : newest_) = e.before;
        forget_name(e);
    }
    void forget_name(entry& e)
    {
        bytes_ -= e.bytes;
        entries_.erase(entries_.find(*e.name));
    }
    static void end(ticket& t) noexcept
    {
        while (waiter* const next = t.entry_->waiting.pop_front()) next->wake(); // under the lock, under which they give up
        t.store_ = nullptr;
        t.mine_ = false;
    }
    void drop(ticket& t) noexcept
    {
        entry& e = *t.entry_;
        end(t);
        forget_name(e);
    }
    bool leave(ticket& t) noexcept
    {
        std::scoped_lock const lock(mutex_);
        if (!t.waiter_.linked()) return false;
        t.entry_->waiting.remove(t.waiter_);
        return true;
    }
    void give_up(ticket& t) noexcept
    {
        std::scoped_lock const lock(mutex_);
        if (t.mine_)
            drop(t);
        else if (t.waiter_.linked())
            t.entry_->waiting.remove(t.waiter_);
    }

    live<options> settings_;
    mutable typename Threading::mutex mutex_;
    std::unordered_map<std::string, entry> entries_;
    entry* oldest_ = nullptr; // of the answered
    entry* newest_ = nullptr;
    std::uint64_t evicted_ = 0;
    std::size_t bytes_ = 0;
};

} // namespace weir::inline v0
