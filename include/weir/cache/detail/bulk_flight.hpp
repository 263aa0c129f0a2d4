// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/cache_core.hpp>
#include <weir/cache/finding.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/blocked_thread.hpp>
#include <weir/core/detail/hash.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// Lets a function over a cache reach its insides.
struct insides {
    template<class Cached>
    static auto& core(Cached& of) noexcept
    {
        return of.core_;
    }
};

/// What a loader of many keys gives: for each key in turn a value, or an empty optional for "there is none"; or an error for all of them.
template<class Value>
using bulk_load = result<std::vector<std::optional<Value>>>;

/// Many look-ups of one cache, without the acts between: which keys to load, for whom to wait. What is to be loaded comes before what is
/// waited for, so that two that want each other's keys do not wait for each other.
template<class Core>
class bulk_flight {
    using key_type = typename Core::key_type;
    using value_type = typename Core::value_type;
    using flights_type = typename Core::flights_type;
    using flight = typename Core::flight;
    using tally = typename Core::tally;
    using loaded_type = typename Core::outcome_type;

    struct one {
        one(key_type key, std::size_t at) : mine(std::move(key)), place(at) {}
        flight mine;
        std::size_t place;
    };

public:
    /// Who blocks a thread while it loads or waits says which.
    bulk_flight(Core& core, std::span<key_type const> keys, time_point now, work* thread = nullptr) : core_(core), thread_(thread)
    {
        answers_.reserve(keys.size());
        for (key_type const& key : keys) {
            answers_.emplace_back(error(errc::cancelled));
            look_up(key, answers_.size() - 1, now);
        }
    }

    /// The keys that this call has to load now, each once. None: go on with `waits_for`.
    [[nodiscard]] std::vector<key_type> to_load() const
    {
        std::vector<key_type> keys;
        keys.reserve(loading_.size());
        for (one const* each : loading_) keys.push_back(each->mine.key());
        return keys;
    }
    /// What came of it.
    void loaded(bulk_load<value_type> const& what, time_point now)
    {
        for (std::size_t i = 0; i < loading_.size(); ++i) {
            if (what.has_error())
                end(*loading_[i], what.error(), nullptr, now);
            else if (i < what->size() && (*what)[i])
                end(*loading_[i], result<value_type>(boost::system::in_place_value, *(*what)[i]), nullptr, now);
            else
                end(*loading_[i], i < what->size() ? error(errc::not_found) : error(errc::upstream_failed), nullptr, now);
        }
        loading_.clear();
    }
    void threw(std::exception_ptr const& thrown, time_point now)
    {
        for (one* each : loading_) end(*each, error(errc::handler_threw), thrown, now);
        loading_.clear();
    }

    /// Another call's load for which this one waits; null: all is answered.
    [[nodiscard]] waiter* waits_for() noexcept
    {
        for (; next_ < waiting_.size(); ++next_) {
            one& next = *waiting_[next_];
            if (thread_ == nullptr || next.mine.ticket.waits_for() != thread_) return &next.mine.ticket.waiting();
            static_cast<void>(next.mine.ticket.abandon());
            answers_[next.place] = would_wait_for_itself();
        }
        return nullptr;
    }
    /// It was woken, or has waited in vain; then there may be something to load.
    void woken(bool in_time, time_point now)
    {
        one& of = *waiting_[next_++];
        bool const in_vain = !in_time && of.mine.ticket.abandon();
        of.mine.ticket.waiting().detach();
        if (in_vain) {
            answers_[of.place] = error(errc::deadline_exceeded);
        } else if (auto const result = of.mine.ticket.take()) {
            if (core_.still_holds(of.mine, *result))
                answers_[of.place] = result->outcome;
            else
                look_up(key_type(of.mine.key()), of.place, now);
        } else
            begin(of, now);
    }

    [[nodiscard]] std::vector<result<value_type>> answers() && { return std::move(answers_); }

private:
    void look_up(key_type const& key, std::size_t place, time_point now)
    {
        if (is_missing(key)) {
            answers_[place] = error(errc::not_found);
            return;
        }
        if (answer(place, core_.find_valid(key, now))) return;
        if (!core_.parts().may_exist(key)) {
            core_.count(&tally::spared);
            answers_[place] = error(errc::not_found);
            return;
        }
        ones_.push_back(owner<one>(new one(key, place)));
        one& of = *ones_.back();
        switch (core_.flights().join(of.mine.ticket)) {
        case flights_type::part::waits:
            core_.count(&tally::joined);
            waiting_.push_back(&of);
            break;
        case flights_type::part::leads:
            if (answer(place, core_.look_twice(key, now))) {
                core_.flights().settle(of.mine.ticket, [&] { return loaded_type{answers_[place], nullptr, now, {}}; });
                break;
            }
            [[fallthrough]];
        case flights_type::part::alone: begin(of, now);
        }
    }
    bool answer(std::size_t place, finding<value_type>&& found)
    {
        if (found.hit())
            answers_[place].emplace(*std::move(found));
        else if (found.negative())
            answers_[place] = error(errc::not_found);
        else
            return false;
        return true;
    }
    void begin(one& of, time_point now)
    {
        core_.begin(of.mine, now);
        if (thread_ != nullptr) of.mine.ticket.runs_as(*thread_);
        loading_.push_back(&of);
    }
    void end(one& of, result<value_type> outcome, std::exception_ptr const& thrown, time_point now)
    {
        bool const absent = outcome.has_error() && outcome.error() == errc::not_found;
        core_.ended(of.mine, now, outcome.has_error() && !absent, outcome.has_error() ? outcome.error() : error());
        if (absent) {
            core_.count(&tally::penetrations);
            core_.keep_absent(of.mine, now);
        } else if (outcome.has_value())
            core_.keep(of.mine, *outcome, now);
        core_.flights().settle(of.mine.ticket, [&] { return loaded_type{outcome, thrown, of.mine.began, {}}; });
        answers_[of.place] = std::move(outcome);
    }

    Core& core_;
    work* thread_;
    std::vector<result<value_type>> answers_;
    std::vector<owner<one>> ones_; // they stay where they are: others' tickets refer to them
    std::vector<one*> loading_;
    std::vector<one*> waiting_; // from `next_`
    std::size_t next_ = 0;
};

} // namespace weir::inline v0::detail
