// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <utility>
#include <vector>

namespace weir_test {

/// One operation of a concurrent history: between `called` and `returned` it took effect at once, if the history is linearizable.
template<class What>
struct operation {
    What what;
    std::uint64_t called;
    std::uint64_t returned;
};

/// Whether there is an order of the operations that keeps each before those called after it had returned, and in which each does what
/// it says: `apply(state, what)` changes the state and returns whether it could have been so. States are compared and ordered.
/// The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993), which forgets what it has been through (Lowe, 2017). At most
/// 64 operations.
template<class What, class State, class Apply>
bool linearizable(std::vector<operation<What>> const& history, State const& start, Apply apply)
{
    std::uint64_t const all = history.size() == 64 ? ~std::uint64_t{} : (std::uint64_t{1} << history.size()) - 1;
    std::set<std::pair<std::uint64_t, State>> been;
    std::vector<std::pair<std::uint64_t, State>> open{{0, start}};
    while (!open.empty()) {
        auto const [done, state] = std::move(open.back());
        open.pop_back();
        if (done == all) return true;
        std::uint64_t first_return = std::numeric_limits<std::uint64_t>::max();
        for (std::size_t i = 0; i < history.size(); ++i)
            if ((done >> i & 1) == 0) first_return = std::min(first_return, history[i].returned);
        for (std::size_t i = 0; i < history.size(); ++i) {
            if ((done >> i & 1) != 0 || history[i].called > first_return) continue;
            State next = state;
            if (!apply(next, history[i].what)) continue;
            std::pair<std::uint64_t, State> place{done | std::uint64_t{1} << i, std::move(next)};
            if (been.insert(place).second) open.push_back(std::move(place));
        }
    }
    return false;
}

} // namespace weir_test
