// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::inline v0 {

struct request_context_options {
    std::uint32_t max_answers = 64;     ///< kept at most, the oldest goes; in [1, 4'096]
    duration max_age = duration::max(); ///< an answer that is older is not used; above 0
};

/// What is known already while one request is answered: the answers of the calls made for it, of however many pipelines that have a
/// `request_cache`. Whoever answers the request holds it, and hands it along with its calls; it outlives them, and what it keeps ends with
/// it.
///
/// It takes no memory before the first answer is kept, then 56 bytes an answer beside key and value. A look-up walks over what is kept: it
/// is made for tens of answers. Thread-safe, so that the calls of one request may run beside each other.
class request_context {
public:
    using options = request_context_options;

    /// Throws `std::invalid_argument` that names the member.
    explicit request_context(options const& o = {}) : options_(o)
    {
        expect(o.max_answers >= 1 && o.max_answers <= 4'096, "request_context.max_answers", "a number in [1, 4'096]");
        expect(o.max_age.count() > 0, "request_context.max_age", "more than 0");
    }
    request_context(request_context const&) = delete;
    request_context& operator=(request_context const&) = delete;

    /// Forgets all answers: something was changed that they depend on.
    void clear()
    {
        std::scoped_lock const lock(mutex_);
        answers_.clear();
        oldest_ = 0;
    }
    /// Answers kept now.
    [[nodiscard]] std::size_t size() const
    {
        std::scoped_lock const lock(mutex_);
        return answers_.size();
    }

    /// What tells answers apart before their keys are compared.
    struct label {
        std::uint64_t owner; ///< the policy
        void const* type;    ///< stands for the type of the answer
        std::uint64_t hash;  ///< of the key
        friend bool operator==(label const&, label const&) = default;
    };
    /// For `request_cache`: the answer of that label for which `same(answer)` holds; null if there is none, or it is too old.
    template<class Same>
    [[nodiscard]] std::shared_ptr<void const> find(label const& wanted, time_point now, Same&& same) const
    {
        std::scoped_lock const lock(mutex_);
        for (answer const& each : answers_)
            if (each.of == wanted && now < after(each.made, options_.max_age) && same(each.what.get())) return each.what;
        return nullptr;
    }
    /// For `request_cache`: keeps an answer, in the place of one of that label for which `same(answer)` holds.
    template<class Same>
    void keep(label const& of, time_point now, std::shared_ptr<void const> what, Same&& same)
    {
        answer fresh{of, now, std::move(what)}; // what it takes the place of ends without the lock
        std::scoped_lock const lock(mutex_);
        for (answer& each : answers_)
            if (each.of == of && same(each.what.get())) return std::swap(each, fresh);
        if (answers_.size() < options_.max_answers) {
            answers_.push_back(std::move(fresh));
            return;
        }
        std::swap(answers_[oldest_], fresh);
        oldest_ = (oldest_ + 1) % answers_.size();
    }

private:
    struct answer {
        label of;
        time_point made;
        std::shared_ptr<void const> what;
    };

    options options_;
    mutable shared::mutex mutex_;
    std::vector<answer> answers_; // a ring once it is full
    std::size_t oldest_ = 0;
};

} // namespace weir::inline v0
