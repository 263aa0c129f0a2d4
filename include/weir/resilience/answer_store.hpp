// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/live.hpp>
#include <weir/core/options.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>
#include <weir/core/threading.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace weir::inline v0 {

struct answer_store_options {
    /// Requests that are known at a time, under way or answered; at least 1.
    required<std::size_t> capacity;
    /// How long an answer is kept. Above 0.
    duration ttl = std::chrono::hours(24);
    /// Whether a request that finds the store full is refused; else the oldest answer is forgotten, and its request, repeated, runs again.
    bool refuse_when_full = false;
};

/// Which requests are under way or were answered, by a name that the client gave them: what `idempotency_key` remembers. Each name has a
/// fingerprint of its request, so that a name which is used again for something else is noticed.
///
/// Bounded: `capacity` names, each with its answer as it is; requests under way are never forgotten. When all are under way new ones are
/// refused. Thread-safe if `Threading` is `shared`: one lock, held for a look-up and a copy of a shared pointer. It outlives its tickets.
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
        std::uint64_t evicted = 0; ///< answers forgotten before their time, for want of room
    };

private:
    struct entry {
        std::uint64_t fingerprint = 0;
        std::shared_ptr<answer const> kept{}; // null: under way
        time_point until = never;
        waiter_list waiting{};
        typename std::list<entry*>::iterator place{}; // among the answered
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
        while (!answered_.empty() && answered_.front()->until <= now) remove(*answered_.front());
        if (entries_.size() >= *o.capacity) {
            if (o.refuse_when_full || answered_.empty()) return claim::full;
            remove(*answered_.front());
            ++evicted_;
        }
        auto const made = entries_.try_emplace(std::move(key)).first;
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
        duration const ttl = settings_.load().ttl;
        std::list<entry*> place{t.entry_};
        std::scoped_lock const lock(mutex_);
        entry& e = *t.entry_;
        e.kept = std::move(kept);
        e.until = after(now, ttl);
        answered_.splice(answered_.end(), place);
        e.place = std::prev(answered_.end());
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
        return {entries_.size(), evicted_};
    }
    [[nodiscard]] options settings() const noexcept { return settings_.load(); }
    /// Other bounds for what comes from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o) { settings_.store(checked(o)); }

private:
    static options const& checked(options const& o)
    {
        expect(*o.capacity >= 1, "answer_store.capacity", "at least 1");
        expect(o.ttl > duration::zero(), "answer_store.ttl", "more than 0");
        return o;
    }
    void remove(entry& e)
    {
        answered_.erase(e.place);
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
        entries_.erase(entries_.find(*e.name));
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
    std::list<entry*> answered_; // the oldest first
    std::uint64_t evicted_ = 0;
};

} // namespace weir::inline v0
