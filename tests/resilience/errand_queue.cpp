// SPDX-License-Identifier: BSL-1.0
#include <weir/resilience/errand_queue.hpp>

#include "../schedules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace {

struct numbered : weir::errand {
    ~numbered() override = default;
    bool carry_out() noexcept override { return true; }
    void fail(weir::error) noexcept override {}
    void tidy_up() noexcept override {}
};

/// One random history of the queue beside lists that are searched from end to end. Empty, or what went wrong.
std::string compare(std::uint64_t seed)
{
    std::minstd_rand random(static_cast<unsigned>(seed * 2'654'435'761u % 2'147'483'647u) + 1);
    auto const draw = [&](unsigned below) { return static_cast<std::uint32_t>(random() >> 4) % below; };
    constexpr std::array<std::uint32_t, 4> bounds{0, 1, 2, 5};
    auto const options = [&] {
        return weir::worker_pool_options{
            .core_size = 1 + draw(3), .max_queue = bounds[draw(4)], .queue_size_rejection_threshold = draw(2) == 0 ? ~0u : bounds[draw(4)]};
    };
    weir::worker_pool_options o = options();
    weir::errand_queue queue(o);
    std::array<numbered, 24> errands;
    std::deque<weir::errand*> waits;
    std::vector<weir::errand*> runs, done; // done: their calls are about to be told
    std::size_t next = 0, most = 0, most_waiting = 0;
    std::string story = "seed " + std::to_string(seed) + ':';
    auto const takes = [&](weir::errand& e) {
        std::size_t const idle = *o.core_size > runs.size() ? *o.core_size - runs.size() : 0;
        bool const room = waits.size() < idle + std::min(o.max_queue, o.queue_size_rejection_threshold);
        if (room) waits.push_back(&e);
        return room;
    };
    for (int step = 0; step < 40; ++step) {
        switch (unsigned const what = draw(8); what) {
        case 0:
        case 1:
        case 2:
            if (next == errands.size()) break;
            story += " push";
            if (bool const taken = queue.push(errands[next]); taken != takes(errands[next])) return story;
            ++next;
            break;
        case 3:
        case 4: {
            story += " begin";
            weir::errand* expected = nullptr;
            if (runs.size() < *o.core_size && !waits.empty()) {
                expected = waits.front();
                waits.pop_front();
                runs.push_back(expected);
                most = std::max(most, runs.size());
                most_waiting = std::max(most_waiting, waits.size());
            }
            if (queue.begin() != expected) return story;
            break;
        }
        case 5:
            if (runs.empty()) break;
            story += " free";
            queue.free();
            done.push_back(runs.back());
            runs.pop_back();
            if (draw(3) == 0) break;
            story += " end";
            queue.end(*done.back());
            done.pop_back();
            break;
        case 6: {
            if (next == 0) break;
            weir::errand& e = errands[draw(static_cast<unsigned>(next))];
            story += " recall";
            auto const at = std::find(waits.begin(), waits.end(), &e);
            if (queue.recall(e) != (at != waits.end())) return story;
            if (at != waits.end()) waits.erase(at);
            break;
        }
        default:
            if (draw(4) == 0) {
                story += " reconfigure";
                o = options();
                queue.reconfigure(o);
            } else if (draw(8) == 0) {
                story += " recall_any";
                weir::errand* const expected = waits.empty() ? nullptr : waits.front();
                if (expected != nullptr) waits.pop_front();
                if (queue.recall_any() != expected) return story;
            }
        }
        std::size_t running = 0;
        queue.for_each_running([&](weir::errand&) { ++running; });
        if (queue.active() != runs.size() || queue.queued() != waits.size() || running != runs.size() + done.size() ||
            queue.largest() != most || queue.largest_queued() != most_waiting ||
            queue.is_empty() != (waits.empty() && runs.empty() && done.empty()))
            return story + " (figures)";
    }
    return {};
}

} // namespace

TEST_CASE("errand_queue: does what the model does, whatever the history")
{
    for (std::uint64_t i = 0; i < weir_test::schedules(); ++i)
        if (std::string const story = compare(weir_test::first_seed() + i); !story.empty()) FAIL(story);
}
