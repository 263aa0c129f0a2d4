// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

/// What one scene of the demo sent, what came back, and what it expected.
class scene {
public:
    explicit scene(std::string title) : title_(std::move(title)) {}

    void sent() { ++sent_; }
    /// An answer with its status, the policy that made it (if one did), and whether it was less than the service's own.
    void answered(unsigned status, std::string_view policy, bool degraded, weir::duration took)
    {
        took_.push_back(took);
        ++statuses_[status];
        if (!policy.empty()) ++refused_[std::string(policy)];
        if (status < 300 && degraded) ++degraded_;
    }
    /// What a policy did that no answer shows.
    void note(std::string what) { note_ = std::move(what); }
    void calls_behind(std::uint64_t calls) { behind_ = calls; }
    /// Something that has to be so.
    void expect(bool met, std::string what)
    {
        if (!met) unmet_.push_back(std::move(what));
    }

    [[nodiscard]] std::string const& title() const noexcept { return title_; }
    [[nodiscard]] std::uint64_t total() const noexcept { return sent_; }
    [[nodiscard]] std::uint64_t with_status(unsigned status) const
    {
        auto const found = statuses_.find(status);
        return found == statuses_.end() ? 0 : found->second;
    }
    [[nodiscard]] std::uint64_t good() const
    {
        std::uint64_t sum = 0;
        for (auto const& [status, count] : statuses_) sum += status >= 200 && status < 300 ? count : 0;
        return sum;
    }
    [[nodiscard]] std::uint64_t refused() const
    {
        std::uint64_t sum = 0;
        for (auto const& [policy, count] : refused_) sum += count;
        return sum;
    }
    [[nodiscard]] std::uint64_t refused_by(std::string_view policy) const
    {
        auto const found = refused_.find(std::string(policy));
        return found == refused_.end() ? 0 : found->second;
    }
    [[nodiscard]] std::uint64_t degraded() const noexcept { return degraded_; }
    [[nodiscard]] std::uint64_t behind() const noexcept { return behind_; }
    /// Requests that did not reach a service.
    [[nodiscard]] std::uint64_t spared() const noexcept { return sent_ > behind_ ? sent_ - behind_ : 0; }
    [[nodiscard]] std::vector<std::string> const& unmet() const noexcept { return unmet_; }
    /// `"rate_limit 151, cached 3"`, and the note.
    [[nodiscard]] std::string refusals() const
    {
        std::string text;
        for (auto const& [policy, count] : refused_) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", policy, count);
        return note_.empty() ? text : fmt::format("{}{}({})", text, text.empty() ? "" : " ", note_);
    }
    /// The time within which this part of the answers came; `"-"` if there were none.
    [[nodiscard]] std::string within(double part) const
    {
        if (took_.empty()) return "-";
        std::vector<weir::duration> sorted = took_;
        auto const at = sorted.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(sorted.size() - 1));
        std::nth_element(sorted.begin(), at, sorted.end());
        return fmt::format("{:.2f} ms", std::chrono::duration<double, std::milli>(*at).count());
    }

private:
    std::string title_;
    std::string note_;
    std::uint64_t sent_ = 0, degraded_ = 0, behind_ = 0;
    std::map<unsigned, std::uint64_t> statuses_;
    std::map<std::string, std::uint64_t> refused_;
    std::vector<weir::duration> took_;
    std::vector<std::string> unmet_;
};

/// A line a scene.
inline std::string table_of(std::deque<scene> const& scenes)
{
    constexpr std::string_view line = "{:<26}{:>6}{:>9}{:>10}{:>9}{:>9}{:>10}{:>10}   {}\n";
    std::string text = fmt::format(line, "scene", "sent", "answered", "degraded", "calls", "spared", "p50", "p99", "refused by");
    std::uint64_t sent = 0, good = 0, degraded = 0, behind = 0, spared = 0;
    for (scene const& s : scenes) {
        text += fmt::format(line, s.title(), s.total(), s.good(), s.degraded(), s.behind(), s.spared(), s.within(0.5), s.within(0.99),
                            s.refusals());
        sent += s.total();
        good += s.good();
        degraded += s.degraded();
        behind += s.behind();
        spared += s.spared();
    }
    return text + fmt::format(line, "all", sent, good, degraded, behind, spared, "", "", "");
}

} // namespace gateway
