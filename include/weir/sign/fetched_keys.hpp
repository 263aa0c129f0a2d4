// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/single_flight.hpp>
#include <weir/core/contracts.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/options.hpp>
#include <weir/core/pipeline.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/detail/fetching.hpp>
#include <weir/sign/key_set.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct fetched_keys_options {
    key_set_options set{}; ///< of which algorithms keys may be, how many, how long their text; `.algorithms` has no default
    duration refresh = std::chrono::minutes(10);    ///< keys older than this are fetched anew by the next call; 1 s to 30 days
    duration keep = std::chrono::hours(24);         ///< how long keys are trusted if no fetch succeeds; `refresh` to 365 days
    duration cool_down = std::chrono::seconds(30);  ///< between the starts of two fetches at least, whoever asks; 1 ms to `refresh`
    std::size_t unknown = 1'024;                    ///< names of keys remembered that the issuer does not have; 1 to 2^20
    duration unknown_for = std::chrono::minutes(5); ///< for how long; `cool_down` to 1 day
};

struct fetched_keys_stats {
    std::uint64_t fetched = 0; ///< fetches that brought keys
    std::uint64_t failed = 0;  ///< fetches that failed, or brought what is no key set
    std::uint64_t joined = 0;  ///< calls that waited for the fetch of another
    std::uint64_t cooling = 0; ///< fetches not made since the last one was too short ago
    std::uint64_t unknown = 0; ///< fetches not made since the name was known to be unknown
    void each(auto&& field) const
    {
        field("fetched_total", fetched);
        field("failed_total", failed);
        field("joined_total", joined);
        field("cooling_total", cooling);
        field("unknown_total", unknown);
    }
};

namespace detail {

/// What is known of an issuer's keys, and when they may be asked for again.
template<threading_model Threading>
class jwks_book {
public:
    explicit jwks_book(fetched_keys_options const& o) : options_(checked(o)), keys(none, o.set), unknown_(o.unknown) {}

    [[nodiscard]] std::optional<jwks_reason> is_due(time_point now, auto in_flight)
    {
        if (now.time_since_epoch().count() < check_at_.load(std::memory_order_acquire)) [[likely]]
            return std::nullopt;
        std::lock_guard const lock(mutex_);
        if (fetched_at_ && now - *fetched_at_ >= options_.keep) drop();
        bool const flying = in_flight();
        if (!fetched_at_) return flying || rested(now) ? std::optional(jwks_reason::first) : std::nullopt;
        bool const due = now - *fetched_at_ >= options_.refresh && !flying && rested(now);
        return due ? std::optional(jwks_reason::stale) : std::nullopt;
    }
    [[nodiscard]] bool may_learn(std::optional<std::string> const& kid, time_point now, auto in_flight)
    {
        if (!kid || kid->empty()) return false;
        std::lock_guard const lock(mutex_);
        std::uint64_t const print = hash_(*kid);
        entry const& e = unknown_[print % unknown_.size()];
        if (e.print == print && now < e.until) return count_.unknown += 1, false;
        if (in_flight() || rested(now)) return true;
        return count_.cooling += 1, false;
    }
    void is_unknown(std::optional<std::string> const& kid, time_point now)
    {
        if (!kid) return;
        std::lock_guard const lock(mutex_);
        // Nothing was learned where the fetch failed, or came before the call: then nothing is to be remembered.
        if (!fetched_at_ || failed_last_ || *fetched_at_ < now) return;
        std::uint64_t const print = hash_(*kid);
        unknown_[print % unknown_.size()] = {print, now + options_.unknown_for};
    }
    [[nodiscard]] std::optional<duration> missing_for(time_point now) const
    {
        std::lock_guard const lock(mutex_);
        if (fetched_at_) return std::nullopt;
        return asked_at_ ? std::max(duration(0), *asked_at_ + options_.cool_down - now) : duration(0);
    }

    /// Whether who leads may ask now. An heir of one that gave up may, but not heirs without end: strangers give up as they like.
    [[nodiscard]] bool begin(time_point now, bool heir)
    {
        std::lock_guard const lock(mutex_);
        heirs_ = heir ? heirs_ + 1 : 0;
        if (heir ? heirs_ > most_heirs : !rested(now)) return count_.cooling += 1, false;
        asked_at_ = now;
        note();
        return true;
    }
    void take(std::string const& text, time_point now)
    {
        std::lock_guard const lock(mutex_);
        failed_last_ = true;
        try {
            if (text != text_) {
                keys.replace(text);
                text_ = text;
                std::fill(unknown_.begin(), unknown_.end(), entry());
            }
        } catch (std::invalid_argument const&) {
            count_.failed += 1;
            return;
        }
        failed_last_ = false;
        fetched_at_ = now;
        count_.fetched += 1;
        note();
    }
    void failed()
    {
        std::lock_guard const lock(mutex_);
        failed_last_ = true;
        count_.failed += 1;
    }
    void joined()
    {
        std::lock_guard const lock(mutex_);
        count_.joined += 1;
    }
    [[nodiscard]] fetched_keys_stats stats() const
    {
        std::lock_guard const lock(mutex_);
        return count_;
    }
    [[nodiscard]] fetched_keys_options options() const
    {
        std::lock_guard const lock(mutex_);
        return options_;
    }
    void reconfigure(fetched_keys_options o)
    {
        static_cast<void>(checked(o));
        key_set_options const& set = options_.set; // it never changes
        expect(o.set.algorithms == set.algorithms && o.set.max_keys == set.max_keys && o.set.max_bytes == set.max_bytes, "fetched_keys.set",
               "what it was: the keys were read by it");
        std::vector<entry> fresh(o.unknown);
        std::lock_guard const lock(mutex_);
        for (entry const& e : unknown_)
            if (entry& place = fresh[e.print % fresh.size()]; place.until < e.until) place = e;
        unknown_.swap(fresh);
        options_.refresh = o.refresh;
        options_.keep = o.keep;
        options_.cool_down = o.cool_down;
        options_.unknown = o.unknown;
        options_.unknown_for = o.unknown_for;
        note();
    }

private:
    static constexpr unsigned most_heirs = 3;
    static constexpr std::string_view none = R"({"keys":[]})";
    struct entry {
        std::uint64_t print = 0;
        time_point until = time_point::min();
    };

    static fetched_keys_options const& checked(fetched_keys_options const& o)
    {
        using namespace std::chrono_literals;
        expect(o.refresh >= 1s && o.refresh <= 24h * 30, "fetched_keys.refresh", "1 second to 30 days");
        expect(o.keep >= o.refresh && o.keep <= 24h * 365, "fetched_keys.keep", "refresh to 365 days");
        expect(o.cool_down >= 1ms && o.cool_down <= o.refresh, "fetched_keys.cool_down", "1 ms to refresh");
        expect(o.unknown >= 1 && o.unknown <= 1 << 20, "fetched_keys.unknown", "1 to 2^20");
        expect(o.unknown_for >= o.cool_down && o.unknown_for <= 24h, "fetched_keys.unknown_for", "cool_down to 1 day");
        return o;
    }
    [[nodiscard]] bool rested(time_point now) const noexcept { return !asked_at_ || now - *asked_at_ >= options_.cool_down; }
    void drop()
    {
        keys.replace(none);
        text_.clear();
        fetched_at_.reset();
        note();
    }
    /// Before this nobody has to look.
    void note() noexcept
    {
        time_point at = time_point::min();
        if (fetched_at_) at = std::max(*fetched_at_ + options_.refresh, *asked_at_ + options_.cool_down);
        if (fetched_at_) at = std::min(at, *fetched_at_ + options_.keep);
        check_at_.store(at.time_since_epoch().count(), std::memory_order_release);
    }

    fetched_keys_options options_;

public:
    key_set<Threading> keys;

private:
    mutable typename Threading::mutex mutex_;
    std::vector<entry> unknown_;
    seeded_hash hash_{random_seed()};
    std::string text_;
    std::optional<time_point> fetched_at_, asked_at_;
    bool failed_last_ = false;
    unsigned heirs_ = 0; // of this fetch
    fetched_keys_stats count_;
    typename Threading::template cell<duration::rep> check_at_{time_point::min().time_since_epoch().count()};
};

/// Of all who want keys at the same time one fetches, the others wait for it.
template<threading_model Threading>
class jwks_flight {
    using flights_type = single_flight<int, bool, Threading>;
    using ticket = typename flights_type::ticket;

public:
    using role = source;
    using traits = weir::traits<may_answer_alone, waits>;
    static constexpr std::string_view name = "jwks_flight";
    class token {
    public:
        token() noexcept {} // NOLINT: leaves the room for the ticket as it is
        [[nodiscard]] waiter& waiting() noexcept { return ticket_->waiting(); }
        [[nodiscard]] bool abandon() noexcept { return ticket_->abandon(); }

    private:
        friend jwks_flight;
        std::optional<ticket> ticket_;
    };

    explicit jwks_flight(jwks_book<Threading>& book) : book_(book), flights_({.max_flights = 1}) {}

    template<class Outcome>
    lookup look_up(auto& call, token& t, Outcome& outcome)
    {
        ticket& mine = t.ticket_.emplace(0);
        if (flights_.join(mine) == flights_type::part::waits) {
            book_.joined();
            return lookup::parked;
        }
        if (book_.begin(call.request().now, false)) return lookup::missed;
        flights_.settle(mine, [] { return true; });
        outcome = std::string();
        return lookup::answered;
    }
    template<class Outcome>
    lookup look_up_again(auto& call, token& t, Outcome& outcome)
    {
        if (t.ticket_->take() == nullptr) { // this one leads now
            if (book_.begin(call.request().now, true)) return lookup::missed;
            flights_.settle(*t.ticket_, [] { return true; });
        }
        outcome = std::string();
        return lookup::answered;
    }
    template<class Outcome>
    void learn(auto& call, token& t, Outcome& outcome)
    {
        if (!t.ticket_ || !t.ticket_->leads()) return;
        if (outcome.has_error() && outcome.error() == errc::cancelled) return; // the token's end hands the lead on
        if (outcome.has_value())
            book_.take(*outcome, call.request().now);
        else
            book_.failed();
        flights_.settle(*t.ticket_, [] { return true; });
    }
    [[nodiscard]] bool under_way() const { return flights_.size() != 0; }

private:
    jwks_book<Threading>& book_;
    flights_type flights_;
};

} // namespace detail

/// The keys of an issuer, fetched when they are wanted (RFC 7517 section 5; OpenID Connect Core 10.1.1): for `verify_jwt`.
/// ```cpp
/// weir::pipeline jwks{weir::timeout{2s}, weir::circuit_breaker{{...}}, weir::retry<3>{}, weir::idempotent{ask_the_issuer}};  // gives the text of the set
/// weir::pipeline svc{weir::verify_jwt{weir::fetched_keys{std::ref(jwks), {.set = {.algorithms = {weir::jws_algorithm::rs256}}}},
///                                     {.issuer = "bank", .audience = "quotes"}}, ...};
/// ```
/// The fetch is a handler or pipeline that takes a `jwks_request` and gives the text of a JWK Set, a `std::string`. It wants a limit of time, and a limit of bytes where
/// it reads; TLS says whose keys they are. If it is asynchronous, the pipeline of `verify_jwt` is, and awaits it; else it runs on the calling thread. A cache in it keeps nothing for
/// `jwks_reason::unknown_key`, or new keys are seen late.
///
/// | when                                            | then                                                                                    |
/// |-------------------------------------------------|-----------------------------------------------------------------------------------------|
/// | there are no keys yet                           | calls fetch them, and wait for it                                                       |
/// | keys are older than `refresh`                   | one call fetches them; others go on with the old ones meanwhile                         |
/// | a token names a key that is not there           | one call fetches, others that want keys, too, wait for it; then it is verified again    |
/// | the key is not there even then                  | 401; for `unknown_for` its name causes no other fetch                                   |
/// | the last fetch began less than `cool_down` ago  | there is none: an unknown name is 401 at once                                           |
/// | a fetch fails, or brings no key set             | the keys stay, for `keep` after the last success; then, and before the first, calls are |
/// |                                                 | refused with `errc::unavailable`, to come again when the cool-down is over              |
///
/// So strangers with made-up names cause a fetch each `cool_down`, no more; if the call that fetches is cancelled, one that waits begins anew, three times at most. A set without any key is obeyed: then nothing verifies. Names are remembered as keyed fingerprints in a table of
/// fixed size: two may share a place, then the older is forgotten. Keys that the issuer took back are gone after `refresh`, and so are the verdicts that are remembered.
///
/// A call for which nothing is to be fetched costs a comparison more than with a `key_set`. Thread-safe with `shared`. Memory: the keys, the text of the set, 16 bytes a name.
template<class Fetch, threading_model Threading = shared>
class fetched_keys {
    struct inside {
        detail::jwks_book<Threading> book;
        detail::jwks_flight<Threading> flight;
        pipeline<stack<std::reference_wrapper<detail::jwks_flight<Threading>>>, Fetch> line;
        inside(Fetch fetch, fetched_keys_options const& o) : book(o), flight(book), line(std::ref(flight), std::move(fetch)) {}
    };

public:
    using options = fetched_keys_options;
    using stats_type = fetched_keys_stats;

    /// Throws `std::invalid_argument` that names the member. What is given by `std::ref` outlives it.
    explicit fetched_keys(Fetch fetch, fetched_keys_options const& o) : inside_(std::make_unique<inside>(std::move(fetch), o)) {}

    [[nodiscard]] std::shared_ptr<jws_key const> find(std::optional<std::string_view> kid) const { return inside_->book.keys.find(kid); }
    [[nodiscard]] std::size_t version() const noexcept { return inside_->book.keys.version(); }
    /// How many keys there are.
    [[nodiscard]] std::size_t size() const { return inside_->book.keys.size(); }
    /// A sentence for each key of the set that is not used.
    [[nodiscard]] std::vector<std::string> left_out() const { return inside_->book.keys.left_out(); }

    /// Fetches, unless it is too early: the text of the set, or an awaitable of it, empty if another call fetched. To have keys before the first call, and for verifiers.
    [[nodiscard]] decltype(auto) fetch(jwks_request const& r) { return inside_->line(r); }
    /// For verifiers: whether keys should be fetched before one is looked for.
    [[nodiscard]] std::optional<jwks_reason> is_due(time_point now)
    {
        return inside_->book.is_due(now, [this] { return inside_->flight.under_way(); });
    }
    /// For verifiers: whether a fetch might bring this key, which was not found.
    [[nodiscard]] bool may_learn(std::optional<std::string> const& kid, time_point now)
    {
        return inside_->book.may_learn(kid, now, [this] { return inside_->flight.under_way(); });
    }
    /// For verifiers: it did not.
    void is_unknown(std::optional<std::string> const& kid, time_point now) { inside_->book.is_unknown(kid, now); }
    /// For verifiers: if there are no keys since none could be fetched, when to come again.
    [[nodiscard]] std::optional<duration> missing_for(time_point now) const { return inside_->book.missing_for(now); }

    [[nodiscard]] stats_type stats(time_point = {}) const { return inside_->book.stats(); }
    [[nodiscard]] fetched_keys_options settings() const { return inside_->book.options(); }
    /// Goes by these times from now on, of the keys that are there as well; names known to be unknown stay so until they were to be
    /// forgotten. `set` has to stay what it was. Throws `std::invalid_argument` that names the member, then the present ones stay.
    void reconfigure(fetched_keys_options const& o) { inside_->book.reconfigure(o); }

private:
    std::unique_ptr<inside> inside_;
};

} // namespace weir::inline v0
