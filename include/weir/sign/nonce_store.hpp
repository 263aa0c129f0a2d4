// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/timestamp.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct nonce_store_options {
    required<std::size_t> capacity;          ///< nonces of one window, `late` and `early` together; 1 to 2^30
    std::chrono::milliseconds late{300'000}; ///< how long after its timestamp a message passes; as `canonical_options` has it
    std::chrono::milliseconds early{60'000}; ///< how long before; together at least a second
};

/// What a nonce store says to a nonce.
enum class nonce_verdict : std::uint8_t {
    fresh,    ///< not seen before; it is remembered now
    replayed, ///< seen before
    full,     ///< not seen before, and there is no place to remember it: refuse the message and raise an alarm
    outside,  ///< the timestamp is outside the window, or so old that the store cannot tell any more
};

/// Remembers the nonces of accepted messages for as long as these could come again, in a fixed amount of memory.
///
/// Time is cut into periods of `late + early`. What passes at one moment lies in two of them, so there are two tables, and one starts anew
/// when a message of the next period comes: O(1), nothing is swept. A nonce is remembered for as long as its message could pass, and at
/// most two periods longer. Within its period and the neighbouring ones an app uses a nonce once, whatever the timestamps.
///
/// What was seen is never `fresh`, also when the clock is set back (such messages are `outside`); a clock that runs ahead for a while
/// does no harm unless messages agree with it. What is `fresh` is taken for `replayed` with a probability of about capacity x 2^-96, as
/// fingerprints are compared, keyed by a seed of the process. Nothing survives a restart: until `late` has passed, a message from
/// before it can come once more.
///
/// `reconfigure` begins new tables of another capacity or window while others ask, and keeps the old ones for as long as what lies in them
/// could pass: nothing that was seen becomes `fresh`. Where the window grows, messages older than what the old tables know are `outside`.
///
/// Feed it verified messages only, else strangers fill it. One app can fill it for all: give each its own where they do not trust
/// each other. Cost: two look-ups of about one cache line each, under one mutex if `shared`. Memory: 43 bytes a nonce of `capacity`,
/// allocated at construction.
template<threading_model Threading = shared>
class nonce_store {
public:
    /// Throws `std::invalid_argument` for a bad member. Give a seed to repeat a run.
    explicit nonce_store(nonce_store_options const& options, std::uint64_t seed = detail::random_seed())
        : head_(detail::splitmix64(seed)), tail_(detail::splitmix64(seed)), own_(options)
    {
    }

    /// Asks for the nonce of a message of `app` and remembers it if it is fresh.
    [[nodiscard]] nonce_verdict remember(std::string_view app, std::string_view nonce, wall_time signed_at, wall_time now)
    {
        fingerprint const print = fingerprint_of(app, nonce);

        std::lock_guard const lock(mutex_);
        if (signed_at < now - own_.late || signed_at > now + own_.early || signed_at < floor_) return nonce_verdict::outside;
        if (!earlier_.empty()) [[unlikely]]
            if (was_seen_earlier(print, signed_at)) return nonce_verdict::replayed;
        std::int64_t const period = own_.period_of(signed_at);
        table& own = own_.tables[static_cast<std::size_t>(period & 1)];
        table& other = own_.tables[static_cast<std::size_t>(~period & 1)];
        if (period < own.period) return nonce_verdict::outside;
        if (period > own.period) own.start(period);
        slot& place = own.find(print);
        bool const neighbours = other.period == period - 1 || other.period == period + 1;
        if (own.holds(place) || (neighbours && other.holds(other.find(print)))) return nonce_verdict::replayed;
        if (own.count == own_.capacity) return nonce_verdict::full;
        place = {print.head, print.tail, own.stamp};
        ++own.count;
        return nonce_verdict::fresh;
    }

    /// How many nonces are remembered.
    [[nodiscard]] std::size_t size() const
    {
        std::lock_guard const lock(mutex_);
        std::size_t sum = own_.size();
        for (generation const& g : earlier_) sum += g.size();
        return sum;
    }
    /// The bytes of all tables.
    [[nodiscard]] std::size_t memory() const
    {
        std::lock_guard const lock(mutex_);
        std::size_t sum = own_.memory();
        for (generation const& g : earlier_) sum += g.memory();
        return sum;
    }

    [[nodiscard]] nonce_store_options settings() const
    {
        std::lock_guard const lock(mutex_);
        return {.capacity = own_.capacity, .late = own_.late, .early = own_.early};
    }
    /// Another capacity and window from now on. Throws `std::invalid_argument` for a bad member, or where the store was changed three times
    /// within one window; then all stays as it is.
    void reconfigure(nonce_store_options const& options)
    {
        generation fresh(options);
        std::lock_guard const lock(mutex_);
        if (own_.size() != 0) {
            expect(earlier_.size() < max_earlier, "nonce_store", "less than three other changes within one window");
            earlier_.reserve(max_earlier);
            floor_ = std::max(floor_, own_.known_from());
            earlier_.push_back(std::move(own_));
        }
        own_ = std::move(fresh);
    }

private:
    struct fingerprint {
        std::uint64_t head;
        std::uint32_t tail;
    };
    struct slot {
        std::uint64_t head = 0;
        std::uint32_t tail = 0;
        std::uint32_t stamp = 0; // taken if it is the table's; so a table is emptied by changing its stamp
    };
    struct table {
        std::vector<slot> slots{};
        std::int64_t period = std::numeric_limits<std::int64_t>::min();
        std::uint32_t stamp = 1;
        std::size_t count = 0;

        void start(std::int64_t next) noexcept
        {
            period = next;
            ++stamp; // once in two periods of a second or more: it takes centuries to wrap
            count = 0;
        }
        bool holds(slot const& s) const noexcept { return s.stamp == stamp; }
        /// Where the fingerprint is, or else where it goes. A quarter of the slots is free, so there is an end.
        slot& find(fingerprint print) noexcept
        {
            std::size_t i = static_cast<std::size_t>((print.head >> 32) * slots.size() >> 32);
            while (holds(slots[i]) && (slots[i].head != print.head || slots[i].tail != print.tail)) {
                if (++i == slots.size()) i = 0;
            }
            return slots[i];
        }
    };

    /// Two tables of one capacity and window.
    struct generation {
        std::size_t capacity;
        std::chrono::milliseconds late, early;
        std::array<table, 2> tables{};

        explicit generation(nonce_store_options const& o) : capacity(*o.capacity), late(o.late), early(o.early)
        {
            using namespace std::chrono_literals;
            expect(capacity >= 1 && capacity <= std::size_t{1} << 30, "capacity", "1 to 2^30");
            expect(late >= 0ms && late <= std::chrono::days(3650), "late", "0 to 3650 days");
            expect(early >= 0ms && early <= std::chrono::days(3650), "early", "0 to 3650 days");
            expect(late + early >= 1s, "late", "a second or more together with early");
            for (table& t : tables) t.slots.resize(capacity + capacity / 3 + 1);
        }
        [[nodiscard]] std::int64_t period_of(wall_time t) const noexcept
        {
            std::int64_t const count = t.time_since_epoch().count(), length = (late + early).count();
            return count / length - (count % length < 0 ? 1 : 0);
        }
        [[nodiscard]] wall_time begin_of(std::int64_t period) const noexcept { return wall_time((late + early) * period); }
        [[nodiscard]] std::int64_t newest() const noexcept { return std::max(tables[0].period, tables[1].period); }
        /// All that was accepted since then is in the tables, if anything was.
        [[nodiscard]] wall_time known_from() const noexcept { return begin_of(newest() - 1); }
        /// All that is in the tables was signed before that.
        [[nodiscard]] wall_time until() const noexcept { return begin_of(newest() + 1); }
        [[nodiscard]] std::size_t size() const noexcept { return tables[0].count + tables[1].count; }
        [[nodiscard]] std::size_t memory() const noexcept { return 2 * sizeof(slot) * tables[0].slots.size(); }
    };

    /// Whether earlier tables have it. Those of which nothing can pass any more, now that a message has come that was signed a whole window
    /// later, are dropped: should the clock be set back, what they knew is outside.
    [[gnu::noinline, gnu::cold]] bool was_seen_earlier(fingerprint print, wall_time signed_at)
    {
        std::erase_if(earlier_, [&](generation const& g) {
            bool const past = g.until() <= signed_at - own_.late - own_.early;
            if (past) floor_ = std::max(floor_, g.until());
            return past;
        });
        for (generation& g : earlier_)
            for (table& t : g.tables)
                if (t.holds(t.find(print))) return true;
        return false;
    }
    fingerprint fingerprint_of(std::string_view app, std::string_view nonce) const
    {
        std::pair const key(app, nonce);
        return {head_(key), static_cast<std::uint32_t>(tail_(key) >> 32)};
    }

    static constexpr std::size_t max_earlier = 3;

    detail::seeded_hash head_, tail_;
    mutable typename Threading::mutex mutex_;
    generation own_;
    std::vector<generation> earlier_;    // those that reconfigure has replaced
    wall_time floor_ = wall_time::min(); // what was signed before may have been forgotten
};

} // namespace weir::inline v0
