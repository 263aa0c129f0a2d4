// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/park.hpp>
#include <weir/core/scope.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct single_flight_options {
    std::size_t max_flights = 4'096;        ///< flights at a time, in [1, 2^24]; who comes beyond flies alone
    std::optional<std::uint64_t> seed = {}; ///< of hashing; nobody knows it if it is left out
};

/// Lets calls that want the same thing at the same time share one load: the first leads the flight, the others join it and wait, and
/// the leader's result goes to all. A leader that gives up without a result makes the one that waits longest the leader.
/// ```cpp
/// flights_type::ticket mine{key};              // in the call's frame
/// switch (flights.join(mine)) {
/// case flights_type::part::leads: ...          // load, then flights.settle(mine, make_result)
/// case flights_type::part::waits: ...          // park mine.waiting(); once woken, take(): the result, or null, "you lead now"
/// case flights_type::part::alone: ...          // too many flights: load, nobody waits for it
/// }
/// ```
/// What was loaded before a thing changed is not for those who ask after that: `forget(key)` lets the flight under way end for those who
/// have joined it, and the next one to come leads another.
///
/// The idea is that of Go's `golang.org/x/sync/singleflight`. A ticket lies in the call's frame, so a flight allocates nothing; a result
/// that somebody waits for is allocated once.
///
/// Thread-safety: `shared`: any thread, any time, a ticket in its own call's. Memory: eight bytes for each flight that may be, taken at
/// construction. Cost of `join` and `settle`: a lock of one part in up to 16; `settle` wakes each waiter under it. It outlives its tickets.
template<class Key, class Result, threading_model Threading = shared>
class single_flight {
public:
    using key_type = Key;
    using result_type = Result;
    using options = single_flight_options;
    /// The greatest `max_flights`.
    static constexpr std::size_t most = std::size_t{1} << 24;

    /// What a call is in the flight that it asked for.
    enum class part { leads, waits, alone };

    /// A call's part in a flight. Its end gives the part up: one who waits leaves the list, one who leads hands the lead on.
    class ticket : private waiter {
    public:
        explicit ticket(Key key) : key_(std::move(key)) {}
        ~ticket()
        {
            if (flights_ != nullptr) flights_->give_up(*this);
        }

        [[nodiscard]] Key const& key() const noexcept { return key_; }
        [[nodiscard]] waiter& waiting() noexcept { return *this; }
        /// Once woken: the leader's result; null if this call leads now.
        [[nodiscard]] std::shared_ptr<Result const> take() noexcept
        {
            if (result_ != nullptr) flights_ = nullptr;
            return std::move(result_);
        }
        /// Waits no more. False if it was woken, or is about to be. With `load_goes_on` the load is not cancelled, even if nobody else
        /// waits.
        bool abandon(bool load_goes_on = false) noexcept { return flights_->leave(*this, load_goes_on); }
        /// Whether it leads a flight that others can join.
        [[nodiscard]] bool leads() const noexcept { return flights_ != nullptr && result_ == nullptr && !linked(); }
        /// The load of this lead runs as a piece of work of its own: it is cancelled when the last one has left who waited for it.
        void runs_as(work& load) noexcept { load_.store(&load, std::memory_order_release); }
        /// Of one that waits: what the load for which it waits runs as; null if nobody has said so, or it was woken.
        [[nodiscard]] work const* waits_for() noexcept { return flights_->awaited_by(*this); }
        /// Of a ticket that found its part: a number of its key, the same for the same key.
        [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

    private:
        friend class single_flight;
        // What a flight needs beside this lies in the waiter's note: most tickets are in a call's frame, where room is dear.
        std::uint64_t& number() noexcept { return this->note.key; }     // of its flight, in its section
        bool& forgotten() noexcept { return this->note.refused; }       // of a lead: nobody joins any more
        std::uint32_t& unwatched() noexcept { return this->note.line; } // of a lead: 1 if its load goes on without anybody

        void leads_as(std::uint64_t flight) noexcept
        {
            number() = flight;
            forgotten() = false;
            unwatched() = 0;
        }

        Key key_;
        std::uint64_t hash_ = 0;
        single_flight* flights_ = nullptr; // null: it has no part in a flight, or no more
        std::shared_ptr<Result const> result_;
        ticket* next_ = nullptr;           // of those who lead, in the same bucket
        waiter_list waiting_;              // for this one, if it leads
        std::atomic<work*> load_{nullptr}; // of this one, if it leads
    };

    /// Throws `std::invalid_argument` that names the member.
    explicit single_flight(options const& o) : hash_(o.seed.value_or(detail::random_seed()))
    {
        expect(o.max_flights >= 1 && o.max_flights <= most, "single_flight.max_flights", "a number in [1, 2^24]");
        std::size_t const sections = Threading::is_shared ? std::bit_floor(std::clamp<std::size_t>(o.max_flights / 64, 1, 16)) : 1;
        section_bits_ = static_cast<unsigned>(std::countr_zero(sections));
        sections_.reserve(sections);
        for (std::size_t i = 0; i < sections; ++i) sections_.emplace_back(o.max_flights / sections);
    }

    /// Finds the ticket, which is new, its part.
    [[nodiscard]] part join(ticket& mine)
    {
        mine.hash_ = hash_(mine.key_);
        section& here = section_of(mine);
        std::scoped_lock const lock(here.mutex);
        if (ticket* const lead = here.lead_of(mine)) {
            mine.flights_ = this;
            mine.number() = lead->number();
            lead->waiting_.push_back(mine);
            return part::waits;
        }
        return begin(here, mine) ? part::leads : part::alone;
    }
    /// The same for one who would rather not wait: false if a flight is under way, or there are too many.
    [[nodiscard]] bool lead(ticket& mine)
    {
        mine.hash_ = hash_(mine.key_);
        section& here = section_of(mine);
        std::scoped_lock const lock(here.mutex);
        return here.lead_of(mine) == nullptr && begin(here, mine);
    }

    /// Hands the lead from `mine` to `other`, which is new and of the same key, and makes `mine` the first who waits for it.
    void hand_over(ticket& mine, ticket& other) noexcept
    {
        section& here = section_of(mine);
        std::scoped_lock const lock(here.mutex);
        give(here, mine, other);
        mine.flights_ = this;
        other.waiting_.push_back(mine);
    }
    /// The same, but `mine` waits for nothing: the load goes on also if nobody waits for it.
    void pass_on(ticket& mine, ticket& other) noexcept
    {
        section& here = section_of(mine);
        std::scoped_lock const lock(here.mutex);
        give(here, mine, other);
        other.unwatched() = 1;
    }

    /// A number of the key, the same as its tickets have.
    template<detail::key_like<Key> Like>
    [[nodiscard]] std::uint64_t hash_of(Like const& key) const
    {
        return hash_(detail::as_key<Key>(key));
    }

    /// Nobody joins the flight of `key` any more that is under way; those who wait for it get its result. False if there is none.
    template<detail::key_like<Key> Like>
    bool forget(Like const& key)
    {
        auto&& wanted = detail::as_key<Key>(key);
        std::uint64_t const hash = hash_(wanted);
        section& here = section_of(hash);
        std::scoped_lock const lock(here.mutex);
        for (ticket* lead = here.bucket_of(hash); lead != nullptr; lead = lead->next_)
            if (lead->hash_ == hash && lead->key_ == wanted && !lead->forgotten()) return lead->forgotten() = true;
        return false;
    }
    /// The same for every key. Visits every bucket.
    void forget_all() noexcept
    {
        for (section& each : sections_) {
            std::scoped_lock const lock(each.mutex);
            for (ticket* lead : each.buckets)
                for (; lead != nullptr; lead = lead->next_) lead->forgotten() = true;
        }
    }

    /// Ends the flight that `mine` leads and hands `make()`, a `Result`, to all who wait; without any it is not called. Does nothing if
    /// `mine` flies alone. If it throws, nothing was done.
    template<class Make>
    void settle(ticket& mine, Make&& make)
    {
        if (mine.flights_ == nullptr) return;
        section& here = section_of(mine);
        if (here.ends_unwatched(mine)) return;
        // Made without the lock: it may be big.
        auto const result = std::make_shared<Result const>(std::forward<Make>(make)());
        std::scoped_lock const lock(here.mutex);
        here.remove(mine);
        while (waiter* const next = mine.waiting_.pop_front()) {
            static_cast<ticket*>(next)->result_ = result;
            next->wake(); // under the lock: one that gives up meanwhile finds itself out of the list
        }
    }

    /// Flights under way.
    [[nodiscard]] std::size_t size() const
    {
        std::size_t all = 0;
        for (section const& each : sections_) {
            std::scoped_lock const lock(each.mutex);
            all += each.flights;
        }
        return all;
    }

private:
    struct alignas(64) section {
        explicit section(std::size_t bound) : max_flights(bound), buckets(std::bit_ceil(bound)) {}

        ticket*& bucket_of(std::uint64_t hash) noexcept { return buckets[hash & (buckets.size() - 1)]; }
        /// Of the flight that `t` can join.
        ticket* lead_of(ticket const& t) noexcept
        {
            ticket* lead = bucket_of(t.hash_);
            while (lead != nullptr && !(lead->hash_ == t.hash_ && !lead->forgotten() && lead->key_ == t.key_)) lead = lead->next_;
            return lead;
        }
        /// Of the flight that `t` has joined, forgotten or not.
        ticket& lead_for(ticket& t) noexcept
        {
            ticket* lead = bucket_of(t.hash_);
            while (lead->number() != t.number()) lead = lead->next_;
            return *lead;
        }
        void replace(ticket& lead, ticket* by) noexcept
        {
            ticket** at = &bucket_of(lead.hash_);
            while (*at != &lead) at = &(*at)->next_;
            *at = by;
            lead.flights_ = nullptr;
        }
        void remove(ticket& lead) noexcept
        {
            replace(lead, lead.next_);
            --flights;
        }
        bool ends_unwatched(ticket& lead)
        {
            std::scoped_lock const lock(mutex);
            if (!lead.waiting_.empty()) return false;
            remove(lead);
            return true;
        }

        mutable typename Threading::mutex mutex;
        std::size_t max_flights;
        std::size_t flights = 0;
        std::uint64_t begun = 0;
        std::vector<ticket*> buckets;
    };

    // A section is chosen by the highest bits of the hash, a bucket in it by the lowest.
    section& section_of(std::uint64_t hash) noexcept { return sections_[hash >> 1 >> (63 - section_bits_)]; }
    section& section_of(ticket const& t) noexcept { return section_of(t.hash_); }

    bool begin(section& here, ticket& mine) noexcept
    {
        if (here.flights == here.max_flights) return false;
        mine.flights_ = this;
        mine.leads_as(++here.begun);
        mine.next_ = std::exchange(here.bucket_of(mine.hash_), &mine);
        ++here.flights;
        return true;
    }
    void give(section& here, ticket& mine, ticket& other) noexcept
    {
        other.hash_ = mine.hash_;
        other.flights_ = this;
        other.leads_as(mine.number());
        other.forgotten() = mine.forgotten();
        other.next_ = mine.next_;
        other.waiting_.swap(mine.waiting_);
        here.replace(mine, &other);
    }
    bool leave(ticket& t, bool load_goes_on) noexcept
    {
        section& here = section_of(t);
        std::scoped_lock const lock(here.mutex);
        return take_out(here, t, load_goes_on);
    }
    static bool take_out(section& here, ticket& t, bool load_goes_on) noexcept
    {
        if (!t.linked()) return false;
        ticket& lead = here.lead_for(t);
        lead.waiting_.remove(t);
        t.flights_ = nullptr;
        if (load_goes_on) lead.unwatched() = 1;
        if (lead.unwatched() == 0 && lead.waiting_.empty())
            if (work* const load = lead.load_.load(std::memory_order_acquire)) load->cancel();
        return true;
    }
    work const* awaited_by(ticket& t) noexcept
    {
        section& here = section_of(t);
        std::scoped_lock const lock(here.mutex);
        return t.linked() ? here.lead_for(t).load_.load(std::memory_order_relaxed) : nullptr;
    }
    /// Those who wait for `gone` wait for `newer`, which is of the same key.
    static void join_instead(section& here, ticket& gone, ticket& newer) noexcept
    {
        while (waiter* const next = gone.waiting_.pop_front()) {
            static_cast<ticket*>(next)->number() = newer.number();
            newer.waiting_.push_back(*next);
        }
        here.remove(gone);
    }
    void give_up(ticket& t) noexcept
    {
        section& here = section_of(t);
        std::scoped_lock const lock(here.mutex);
        if (take_out(here, t, false) || t.result_ != nullptr) return;
        if (t.forgotten())
            if (ticket* const newer = here.lead_of(t)) return join_instead(here, t, *newer);
        ticket* const heir = static_cast<ticket*>(t.waiting_.pop_front());
        if (heir == nullptr) return here.remove(t);
        heir->leads_as(t.number()); // what it loads is new: others may join it
        heir->next_ = t.next_;
        heir->waiting_.swap(t.waiting_);
        here.replace(t, heir);
        heir->wake();
    }

    detail::seeded_hash hash_;
    unsigned section_bits_ = 0;
    std::vector<section> sections_;
};

} // namespace weir::inline v0
