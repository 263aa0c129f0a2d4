// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/result.hpp>

#include <cstdint>
#include <string_view>

namespace weir::inline v0::event {

/// Where an event happened: the policy's place in its pipeline, the outermost is 0, and its name or the label it was given.
struct place {
    std::uint8_t index;
    std::string_view name;
};

/// A policy let the call go on. Exactly one `settled` or `dropped` of the same place follows before the call is over.
struct admitted {
    place at;
};
/// A policy ended the call with an error of its own; it is not settled.
struct refused {
    place at;
    error why;
};
/// A policy answered by itself; it is not settled.
struct answered {
    place at;
};
/// A policy holds the call back for a while; then it goes on: `admitted` follows at once.
struct delayed {
    place at;
    duration time;
};
/// A policy parked the call until it wakes it, or until then.
struct parked {
    place at;
    time_point until;
};
/// A policy asks elsewhere.
struct asks {
    place at;
};
/// A policy runs the inside on its own.
struct forked {
    place at;
};
/// A loop lets the inside run again after a while.
struct repeated {
    place at;
    duration delay;
};
/// A policy was told how the call went.
struct settled {
    place at;
    bool has_error;
};
/// The caller gave up, or a policy threw: the policy's permit was taken back, or, of a call that was parked or asked, its place in the
/// line.
struct dropped {
    place at;
};
/// The handler is about to run, and has ended.
struct called {};
struct returned {
    bool has_error;
};
/// The call is over: the last of its events, unless its coroutine was destroyed or a policy threw. `by` is the place of the policy that
/// answered or refused by itself, `error::no_policy` if the handler's outcome came through.
struct ended {
    std::uint8_t by;
    bool has_error;
};

} // namespace weir::inline v0::event
