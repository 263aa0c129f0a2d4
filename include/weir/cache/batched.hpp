// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/key_batch.hpp>
#include <weir/cache/detail/load_outcome.hpp>
#include <weir/cache/in_bulk.hpp>
#include <weir/core/charter.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/layer.hpp>
#include <weir/core/detail/random_seed.hpp>
#include <weir/core/key.hpp>
#include <weir/core/options.hpp>
#include <weir/core/scope.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

struct batched_options {
    /// Keys in one load at most; in [1, 10'000].
    required<std::uint32_t> max_size;
    /// How long a call waits for others before its batch is loaded, but never longer than half of the time that it has left; 0 or more.
    duration max_wait = std::chrono::milliseconds(1);
};

struct batched_stats {
    std::uint64_t calls = 0;   ///< that came
    std::uint64_t loads = 0;   ///< begun
    std::uint64_t keys = 0;    ///< in them; `keys / loads` is how many a load has on average
    std::uint64_t full = 0;    ///< loads that began as their batch was full; the others as a call had waited long enough
    std::uint64_t waiting = 0; ///< calls now in batches that have no answer yet
    void each(auto&& field) const
    {
        field("calls_total", calls);
        field("loads_total", loads);
        field("keys_total", keys);
        field("full_total", full);
        field("waiting", waiting);
    }
};

/// Joins the look-ups of a short time into one load of many keys (the request collapser of Hystrix; `DataLoader` of GraphQL):
/// ```cpp
/// // std::vector<result<double>> fetch(std::vector<std::string> const& symbols), or an awaitable of it
/// weir::pipeline prices{weir::batched{weir::keyed_by(&price_query::symbol), {.max_size = 100, .max_wait = 2ms}},
///                       weir::timeout{500ms}, weir::in_bulk<std::string>{}, fetch};
/// ```
/// - **The load** begins when `max_size` keys are there, or when a call of the batch has waited for `max_wait`, or for half of the time that it has
///   left if that is shorter. `in_bulk`, further in, makes the one request of the keys, each once, and parts the answers; what stands
///   between guards the load as a whole (a breaker, a timeout, a retry): it sees one call, which fails if the whole load fails.
/// - **Each call gets the answer of its key**, a value or an error; if the load as a whole fails, all get its error or exception.
/// - **A call that leaves**, by cancellation or deadline, leaves the others alone. In an asynchronous pipeline `within` a scope the load is a
///   fork: it is cancelled when the last call has left, and no caller's deadline reaches it. In any other pipeline the call that began it carries
///   it; if that one gives up, the next one loads.
///
/// Behind `cached` it joins the misses of many keys. A call costs a lock and a key, a load three allocations. Thread-safe if `shared`.
template<class KeyOf, threading_model Threading = shared>
class batched {
    using key_type = typename KeyOf::key_type;
    using batch = detail::key_batch<key_type>;
    using standing = typename batch::standing;

public:
    using role = source;
    using traits = weir::traits<waits, wants_whole_outcome>;
    using needs = typename detail::needs_of<KeyOf>::type;
    using reads = typename detail::reads_of<KeyOf>::type;
    using provides = facets<batch_of<key_type>>;
    using demands = weir::demands<batches_meet_their_in_bulk>;
    using joined_key = key_type;
    using options = batched_options;
    using stats_type = batched_stats;
    static constexpr std::string_view name = "batched";

    /// What a call, or a load, has of its batch.
    class token : private waiter {
    public:
        token() noexcept {} // NOLINT: the waiter is left as it is
        ~token()
        {
            if (owner_ != nullptr) owner_->leave(*this);
        }
        [[nodiscard]] waiter& waiting() noexcept { return *this; }
        [[nodiscard]] bool abandon() noexcept { return owner_->stop_waiting(*this); }
        [[nodiscard]] time_point until() const noexcept { return until_; }
        void runs_as(work& load) noexcept { owner_->runs_as(*this, load); }

    private:
        friend batched;
        batched* owner_ = nullptr; // null: it has no part in a batch
        std::shared_ptr<batch> batch_;
        time_point until_ = never;
        std::uint32_t place_ = 0; // of its key
        bool loads_ = false;      // it carries the load
        bool is_fork_ = false;    // it is no call
    };

    /// Throws `std::invalid_argument` that names the member.
    explicit batched(KeyOf key_of, options const& o) : key_of_(std::move(key_of)), options_(checked(o)) {}

    template<class Outcome>
    lookup look_up(auto& call, token& t, Outcome&)
    {
        decltype(auto) key = key_of_(call);
        key_type mine(detail::as_key<key_type>(key));
        std::uint64_t const hash = hash_(mine);
        time_point const now = call.now();
        std::scoped_lock const lock(mutex_);
        t.batch_ = batch_for(&detail::type_mark<Outcome>);
        t.place_ = t.batch_->add(std::move(mine), hash);
        t.owner_ = this;
        ++t.batch_->members;
        ++counts_.calls;
        ++counts_.waiting;
        bool const full = t.batch_->size() >= *options_.max_size;
        duration const wait = std::min(options_.max_wait, call.deadline().left(now) / 2);
        if (full || wait.count() <= 0 || t.batch_ != open_) {
            if (full) ++counts_.full;
            begin(call, t);
            return lookup::missed;
        }
        t.until_ = after(now, wait);
        t.batch_->waiting.push_back(t);
        return lookup::parked;
    }

    /// Woken: there is an answer, or this call has to load. Not woken: it has waited long enough.
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        std::unique_lock lock(mutex_);
        if (t.batch_->stands == standing::done) {
            lock.unlock(); // it does not change any more
            t.batch_->say(t.place_, call, outcome);
            return lookup::answered;
        }
        if (t.batch_->stands == standing::loading && !t.loads_) { // somebody else was quicker
            t.until_ = never;
            t.batch_->waiting.push_back(t);
            return lookup::parked;
        }
        if (!detail::in_time_left(call)) {
            lock.unlock();
            outcome = detail::out_of_time(call);
            return lookup::answered; // the token's end hands the load on
        }
        begin(call, t);
        return lookup::missed;
    }

    [[nodiscard]] split splits(token& t) const noexcept { return t.loads_ ? split::and_wait : split::none; }
    void fork(token& t, token& load)
    {
        std::scoped_lock const lock(mutex_);
        load.owner_ = this;
        load.batch_ = t.batch_;
        load.loads_ = std::exchange(t.loads_, false);
        load.is_fork_ = true;
        t.until_ = never;
        t.batch_->waiting.push_back(t);
    }

    template<class Outcome>
    void learn(auto& call, token& t, Outcome& outcome)
    {
        if (!t.is_fork_ && detail::gave_up(call, outcome)) return; // as if it was cancelled: another call may have more time
        std::exception_ptr thrown = detail::thrown_by(call, outcome);
        {
            std::scoped_lock const lock(mutex_);
            t.batch_->finish(outcome, std::move(thrown));
            t.loads_ = false;
            while (waiter* const next = t.batch_->waiting.pop_front()) next->wake(); // under the lock, see `single_flight`
        }
        if (!t.is_fork_) t.batch_->say(t.place_, call, outcome);
    }

    [[nodiscard]] stats_type stats(time_point = {}) const
    {
        std::scoped_lock const lock(mutex_);
        return counts_;
    }
    [[nodiscard]] options settings() const
    {
        std::scoped_lock const lock(mutex_);
        return options_;
    }
    /// Other bounds for calls that come from now on. Throws `std::invalid_argument` and changes nothing if they are bad.
    void reconfigure(options const& o)
    {
        checked(o);
        std::scoped_lock const lock(mutex_);
        options_ = o;
    }
    void describe(auto&& field) const
    {
        options const o = settings();
        field("max_size", *o.max_size);
        field("max_wait", o.max_wait);
    }

private:
    static options const& checked(options const& o)
    {
        expect(*o.max_size >= 1 && *o.max_size <= 10'000, "batched.max_size", "a number in [1, 10'000]");
        expect(o.max_wait.count() >= 0, "batched.max_wait", "0 or more");
        return o;
    }

    // All that follows under the lock.

    /// The batch that takes calls in; where pipelines of other answers share the policy, one of the call's own.
    std::shared_ptr<batch> batch_for(void const* type)
    {
        if (open_ == nullptr) open_ = std::make_shared<batch>(type);
        return open_->type() == type ? open_ : std::make_shared<batch>(type);
    }
    void begin(auto& call, token& t)
    {
        if (open_ == t.batch_) open_.reset();
        t.batch_->begin();
        t.loads_ = true;
        call.set(batch_of<key_type>{t.batch_});
        ++counts_.loads;
        counts_.keys += t.batch_->size();
    }
    bool stop_waiting(token& t) noexcept
    {
        std::scoped_lock const lock(mutex_);
        return t.batch_->waiting.remove(t);
    }
    void runs_as(token& t, work& load) noexcept
    {
        std::scoped_lock const lock(mutex_);
        t.batch_->load = &load;
    }
    void leave(token& t) noexcept
    {
        std::scoped_lock const lock(mutex_);
        batch& left = *t.batch_;
        left.waiting.remove(t);
        if (!t.is_fork_) {
            --counts_.waiting;
            --left.members;
            left.drop(t.place_);
        }
        if (t.loads_) { // without an answer
            left.load = nullptr;
            hand_on(left);
        } else if (left.members == 0) {
            if (open_.get() == &left) open_.reset();
            if (left.load != nullptr) left.load->cancel();
        }
    }
    void hand_on(batch& left) noexcept
    {
        auto* const heir = static_cast<token*>(left.waiting.pop_front());
        if (heir == nullptr) {
            left.stands = standing::orphaned; // one that has waited long enough may be about to come
            return;
        }
        heir->loads_ = true;
        heir->wake();
    }

    [[no_unique_address]] KeyOf key_of_;
    detail::seeded_hash hash_{detail::random_seed()};
    mutable typename Threading::mutex mutex_; ///< guards what follows, and the batches
    options options_;
    std::shared_ptr<batch> open_;
    batched_stats counts_;
};
template<class KeyOf>
batched(KeyOf, batched_options) -> batched<KeyOf>;

} // namespace weir::inline v0
