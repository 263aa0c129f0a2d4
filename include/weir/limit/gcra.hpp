// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/threading.hpp>
#include <weir/limit/detail/ruled.hpp>
#include <weir/limit/limiter.hpp>
#include <weir/limit/pace.hpp>

namespace weir::inline v0 {

/// The generic cell rate algorithm (ITU-T I.371, 2004, annex A): `permits` each `per`, evenly spread, and after a rest a `burst` at
/// once. `weir::gcra{{.permits = 100, .per = 1s, .burst = 20}}` admits 20 calls at once, then one each 10 ms; in any span of time t
/// no more than `burst + permits * t / per`.
///
/// Exact to the nanosecond where `permits` divides `per`; see `pace` for what is lost elsewhere, and for the arithmetic. `exact_gcra`
/// loses nothing.
/// Time: any `time_point`. An earlier time than before gives nothing back, and the call is judged as of that earlier time; one that
/// is 292 years earlier counts as later. While a `reconfigure` is under way, calls told a time below zero or above 146 years may be
/// judged by either settings or a mixture.
///
/// Thread-safe and lock-free as `gcra<shared>`: one compare-and-swap if admitted, and a refusal writes nothing. `gcra<confined>` is
/// for one thread or strand, without atomic instructions. `settings`, `reconfigure`, and the first call after it take a lock.
/// Cost: 5 ns, or 4 confined, with the time given. Memory: 120 bytes with the lock, or 88 confined.
/// Choose `sliding_window` where a client must not get `burst + permits` within one `per`.
template<threading_model Threading = shared>
class gcra : public detail::ruled<gcra<Threading>, pace, rate, Threading> {
public:
    /// Full from the beginning. Throws `std::invalid_argument` for bad options.
    explicit gcra(rate const& r) : detail::ruled<gcra<Threading>, pace, rate, Threading>(r) {}
};

} // namespace weir::inline v0
