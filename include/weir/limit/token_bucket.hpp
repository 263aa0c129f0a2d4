// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>
#include <weir/limit/detail/ruled.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

namespace weir::inline v0 {

/// A bucket that holds `burst` tokens and is filled steadily with `permits` of them each `per`; a call takes what it costs, or is
/// refused if that is not there. Full from the beginning. (Turner, "New directions in communications", 1986; RFC 2697.)
///
/// Tokens come continuously: a half of one is kept. It admits exactly what `gcra` admits. The two are one algorithm seen from
/// two sides (ITU-T I.371, annex A): the level of the bucket is the time since it was last empty. So the state is the
/// instant at which it was, one word, and not a level with a time beside it, which no single compare-and-swap could replace.
///
/// Exactness, thread-safety, cost and memory are those of `gcra`; `exact_gcra` is the exact variant of both. Choose it where the rest of a
/// service speaks of tokens.
template<threading_model Threading = shared>
class token_bucket : public detail::ruled<token_bucket<Threading>, pace, rate, Threading> {
public:
    /// Full from the beginning. Throws `std::invalid_argument` for bad options.
    explicit token_bucket(rate const& r) : detail::ruled<token_bucket<Threading>, pace, rate, Threading>(r) {}
};

} // namespace weir::inline v0
