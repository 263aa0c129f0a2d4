// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/striped.hpp>
#include <weir/limit/load_window.hpp>

#include <algorithm>
#include <cstdint>

namespace weir::inline v0::detail {

/// Sums up calls for a `load_window`: each thread in words of its own, merged when a window is read, which one thread at a time does. What
/// is counted while it is read belongs to this window or the next. Cost: no locked instruction.
template<threading_model Threading>
class load_sampler {
public:
    struct sample {
        duration rtt;
        std::uint32_t inflight;
        bool dropped;
        bool counts; ///< the call began late enough for its time to count, or its drop
    };
    [[gnu::always_inline]] void count(sample s)
    {
        std::uint64_t const most = std::uint64_t{window_.load()} << 32 | s.inflight;
        if (stripe* const own = stripes_.own()) [[likely]]
            own->count(s, most, true);
        else
            count_slowly(s, most);
    }

    /// What was counted since the window began.
    [[nodiscard]] load_window seen(duration length) const
    {
        sums const now = sum();
        load_window w;
        w.length = length;
        w.served = now.served - before_.served;
        w.ended = now.ended - before_.ended;
        w.dropped = now.dropped - before_.dropped;
        w.rtt = mean(now.rtt - before_.rtt, w.served);
        w.dropped_rtt = mean(now.dropped_rtt - before_.dropped_rtt, w.dropped);
        w.inflight = now.inflight;
        return w;
    }
    void begin()
    {
        before_ = sum();
        window_.store(window_.load() + 1);
    }
    [[nodiscard]] std::uint64_t dropped() const { return sum().dropped; }

private:
    struct stripe {
        count_cell served, rtt, ended, dropped, dropped_rtt;
        count_cell most; // the number of the window above the most calls inside in it: the greatest counts
        void count(sample s, std::uint64_t inside, bool alone)
        {
            auto const time = static_cast<std::uint64_t>(std::max(s.rtt, duration::zero()).count());
            if (!s.dropped) ended.add(1, alone);
            if (s.counts) {
                (s.dropped ? dropped : served).add(1, alone);
                (s.dropped ? dropped_rtt : rtt).add(time, alone);
            }
            if (most.load() < inside) most.word().store(inside, std::memory_order_relaxed);
        }
    };
    struct sums {
        std::uint64_t served = 0, rtt = 0, ended = 0, dropped = 0, dropped_rtt = 0;
        std::uint32_t inflight = 0;
    };
    static duration mean(std::uint64_t sum, std::uint64_t calls) noexcept
    {
        return calls == 0 ? duration::zero() : duration(static_cast<std::int64_t>(sum / calls));
    }
    [[nodiscard]] sums sum() const
    {
        sums all;
        stripes_.for_each([&](stripe const& s) {
            all.served += s.served.load();
            all.rtt += s.rtt.load();
            all.ended += s.ended.load();
            all.dropped += s.dropped.load();
            all.dropped_rtt += s.dropped_rtt.load();
            if (std::uint64_t const most = s.most.load(); most >> 32 == window_.load())
                all.inflight = std::max(all.inflight, static_cast<std::uint32_t>(most));
        });
        return all;
    }
    [[gnu::noinline, gnu::cold]] void count_slowly(sample s, std::uint64_t most)
    {
        auto const mine = stripes_.local();
        mine->count(s, most, mine.alone);
    }

    striped<stripe, Threading> stripes_;
    typename Threading::template cell<std::uint32_t> window_{1};
    sums before_;
};

} // namespace weir::inline v0::detail
