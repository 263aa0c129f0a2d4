// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/cache/detail/lent_values.hpp>
#include <weir/cache/store_options.hpp>
#include <weir/cache/store_write.hpp>
#include <weir/core/detail/reader_word.hpp>
#include <weir/core/striped.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace weir::inline v0::detail {

/// What one thread counts in a store, beside the word by which it announces itself.
struct store_tally {
    reader_word reading;
    count_cell hits, stale_hits, negative_hits, misses, writes, refused, dropped;
    std::array<count_cell, 5> gone; // by cause
    loan_cells loans;

    void count(std::array<std::uint64_t, 5> const& more, bool alone) noexcept
    {
        for (std::size_t cause = 0; cause < gone.size(); ++cause)
            if (more[cause] != 0) gone[cause].add(more[cause], alone);
    }
    void add_to(store_stats& s) const noexcept
    {
        auto const of = [this](removal cause) { return gone[static_cast<std::size_t>(cause)].load(); };
        s.hits += hits.load();
        s.stale_hits += stale_hits.load();
        s.negative_hits += negative_hits.load();
        s.misses += misses.load();
        s.writes += writes.load();
        s.refused += refused.load();
        s.dropped += dropped.load();
        s.replaced += of(removal::replaced);
        s.erased += of(removal::erased);
        s.expired += of(removal::expired);
        s.evicted += of(removal::evicted);
        s.cleared += of(removal::cleared);
    }
};

} // namespace weir::inline v0::detail
