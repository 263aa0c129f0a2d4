// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/type_mark.hpp>
#include <weir/core/park.hpp>
#include <weir/core/result.hpp>
#include <weir/core/scope.hpp>
#include <weir/core/threading.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// What a load came to, for all calls of its batch.
template<class Outcome>
struct whole_outcome {
    Outcome outcome;
    std::exception_ptr thrown;
};

/// The answers of a load, one a key, and whether there is a value among them.
template<class Outcome>
struct key_answers {
    std::vector<Outcome> of;
    bool some_have_values = false;
};

/// Keys that are loaded together, and the calls that wait for them. Guarded by the lock of its `batched`, all but the keys once it is
/// loading, and the answers.
template<class Key>
class key_batch {
public:
    enum class standing : std::uint8_t {
        collecting, ///< it waits for more
        loading,    ///< somebody carries the load
        orphaned,   ///< who carried it has given up, and nobody was there to take over
        done,       ///< there are answers: nothing changes any more
    };

    explicit key_batch(void const* type) noexcept : type_(type) {}

    /// The place of the key, which is new or was there.
    std::uint32_t add(Key&& key, std::uint64_t hash)
    {
        for (std::size_t i = 0; i < keys_.size(); ++i)
            if (hashes_[i] == hash && keys_[i] == key) return ++wanted_[i], static_cast<std::uint32_t>(i);
        hashes_.reserve(keys_.size() + 1);
        wanted_.reserve(keys_.size() + 1);
        keys_.push_back(std::move(key));
        hashes_.push_back(hash);
        wanted_.push_back(1);
        return static_cast<std::uint32_t>(keys_.size() - 1);
    }
    void drop(std::uint32_t place) noexcept
    {
        if (stands == standing::collecting) --wanted_[place];
    }
    /// From now on the keys are those that somebody wants.
    void begin()
    {
        stands = standing::loading;
        if (!places_.empty()) return; // it began before
        places_.resize(keys_.size());
        std::size_t kept = 0;
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            places_[i] = static_cast<std::uint32_t>(kept);
            if (wanted_[i] == 0) continue;
            if (kept != i) keys_[kept] = std::move(keys_[i]);
            ++kept;
        }
        keys_.resize(kept);
    }
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    [[nodiscard]] void const* type() const noexcept { return type_; }

    /// For the load, without the lock.
    [[nodiscard]] std::vector<Key> const& keys() const noexcept { return keys_; }
    /// An attempt begins: what another one was answered does not count any more.
    void forget_answers() noexcept
    {
        std::scoped_lock const lock(answering_);
        if (!sealed_) answers_.reset();
    }
    template<class Outcome>
    void answer(key_answers<Outcome>&& answers)
    {
        auto kept = std::make_shared<key_answers<Outcome> const>(std::move(answers));
        std::scoped_lock const lock(answering_);
        if (sealed_ || type_ != &type_mark<Outcome>) return;
        some_have_values_ = kept->some_have_values;
        answers_ = std::move(kept);
    }

    /// The load is over. The answers count, unless a policy between has made a failure of them: then all get what it made.
    template<class Outcome>
    void finish(Outcome const& outcome, std::exception_ptr thrown)
    {
        std::scoped_lock const lock(answering_);
        if (answers_ == nullptr || (outcome.has_error() && some_have_values_)) {
            auto whole = std::make_shared<whole_outcome<Outcome> const>(whole_outcome<Outcome>{outcome, std::move(thrown)});
            answers_.reset();
            whole_ = std::move(whole);
        }
        sealed_ = true;
        stands = standing::done;
        load = nullptr;
    }
    /// What the call whose key is at `place` is answered, once it is done.
    template<class Outcome>
    void say(std::uint32_t place, auto& call, Outcome& outcome) const
    {
        if (answers_ != nullptr) {
            outcome = static_cast<key_answers<Outcome> const*>(answers_.get())->of[places_[place]];
        } else {
            auto const& whole = *static_cast<whole_outcome<Outcome> const*>(whole_.get());
            outcome = whole.outcome;
            if constexpr (requires { call.thrown(whole.thrown); })
                if (whole.thrown != nullptr) call.thrown(whole.thrown);
        }
    }

    standing stands = standing::collecting;
    std::size_t members = 0;
    waiter_list waiting;
    work* load = nullptr; // if it runs as a fork

private:
    void const* type_; // of the calls' outcomes
    std::vector<Key> keys_;
    std::vector<std::uint64_t> hashes_; // these three by the place that `add` gave
    std::vector<std::uint32_t> wanted_;
    std::vector<std::uint32_t> places_; // among the keys that are loaded
    shared::mutex answering_;           // attempts may run beside each other
    std::shared_ptr<void const> answers_;
    std::shared_ptr<void const> whole_;
    bool some_have_values_ = false;
    bool sealed_ = false;
};

} // namespace weir::inline v0::detail
