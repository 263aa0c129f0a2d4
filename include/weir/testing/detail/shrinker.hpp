// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

/// Makes a record of draws that fails shorter, and its numbers smaller, as long as it fails: chunks are left out, from half of it to single
/// draws (delta debugging: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002), numbers are set to
/// zero and halved (D. MacIver, A. Donaldson, ECOOP 2020). It works on what was drawn, not on what was made of it, so that every candidate
/// is a schedule that may come up.
class shrinker {
public:
    using record = std::vector<std::uint64_t>;
    /// Runs a candidate: whether it fails as it should, and what was really drawn.
    using trial = std::function<std::pair<bool, record>(record const&)>;

    shrinker(record first, std::uint64_t most_runs, trial t) : best_(std::move(first)), most_(most_runs), trial_(std::move(t)) {}

    /// How many runs it took.
    std::uint64_t run()
    {
        for (bool better = true; better && runs_ < most_;) {
            better = leave_out();
            better = set_to_zero() || better;
            better = lower() || better;
            if (!better) better = lower_and_leave_out();
        }
        return runs_;
    }
    [[nodiscard]] record const& best() const noexcept { return best_; }

private:
    /// Shorter, or as long and smaller where they first differ.
    static bool is_simpler(record const& a, record const& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

    bool fails(record const& candidate)
    {
        if (runs_ >= most_ || !is_simpler(candidate, best_)) return false;
        ++runs_;
        auto [as_it_should, drawn] = trial_(candidate);
        if (!as_it_should || !is_simpler(drawn, best_)) return false;
        best_ = std::move(drawn);
        return true;
    }
    [[nodiscard]] record without(std::size_t at, std::size_t count) const
    {
        record candidate(best_);
        auto const from = candidate.begin() + static_cast<std::ptrdiff_t>(at);
        candidate.erase(from, from + static_cast<std::ptrdiff_t>(std::min(count, best_.size() - at)));
        return candidate;
    }
    bool leave_out()
    {
        bool better = false;
        for (std::size_t chunk = best_.size(); chunk > 0; chunk = chunk > 8 ? chunk / 2 : chunk - 1)
            for (std::size_t at = best_.size(); at > 0;) { // from the end: what comes last decides least
                at = std::min(at, best_.size());
                at -= std::min(at, chunk);
                while (at < best_.size() && fails(without(at, chunk))) better = true;
            }
        return better;
    }
    bool set_to_zero()
    {
        bool better = false;
        for (std::size_t chunk = best_.size(); chunk > 1; chunk /= 2)
            for (std::size_t at = 0; at < best_.size(); at += chunk) {
                record candidate(best_);
                for (std::size_t i = at; i < std::min(at + chunk, candidate.size()); ++i) candidate[i] = 0;
                while (!candidate.empty() && candidate.back() == 0) candidate.pop_back();
                better = fails(candidate) || better;
            }
        return better;
    }
    bool lower()
    {
        bool better = false;
        for (std::size_t i = 0; i < best_.size(); ++i) {
            std::uint64_t low = 0; // one below the least that may fail
            if (best_[i] != 0 && with(i, 0)) {
                better = true;
                continue;
            }
            while (i < best_.size() && best_[i] > low + 1 && runs_ < most_) {
                std::uint64_t const middle = low + (best_[i] - low) / 2;
                if (with(i, middle))
                    better = true;
                else
                    low = middle;
            }
        }
        return better;
    }
    bool with(std::size_t at, std::uint64_t value)
    {
        record candidate(best_);
        candidate[at] = value;
        while (!candidate.empty() && candidate.back() == 0) candidate.pop_back();
        return fails(candidate);
    }
    /// A number may say how many others follow: one less of them, wherever it is.
    bool lower_and_leave_out()
    {
        std::uint64_t const until = runs_ + std::min<std::uint64_t>(most_ - runs_, 1'000);
        for (std::size_t i = 0; i < best_.size(); ++i)
            for (std::size_t chunk = 1; best_[i] != 0 && chunk <= 8; ++chunk)
                for (std::size_t at = i + 1; at < best_.size(); ++at) {
                    record candidate = without(at, chunk);
                    --candidate[i];
                    if (fails(candidate)) return true;
                    if (runs_ >= until) return false;
                }
        return false;
    }

    record best_;
    std::uint64_t most_;
    std::uint64_t runs_ = 0;
    trial trial_;
};

} // namespace weir::inline v0::detail
