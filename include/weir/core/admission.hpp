// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/result.hpp>

#include <utility>

namespace weir::inline v0 {

/// The permit of a gate that has nothing to remember.
struct pass {};

/// "I cannot say yet: park the call until I wake its waiter, at most until then." For a gate or a source that has linked the waiter in.
struct park_until {
    time_point at;
};

/// "I have to ask elsewhere: await `admit_later`." For a gate, or a transform, of an asynchronous pipeline.
struct pending_decision {};
inline constexpr pending_decision pending{};

/// "Let the call sleep first, then go on." For a loop.
struct sleep_for {
    duration time;
};

/// What a gate answers: a permit, a refusal, or, from one that waits, "later". A small trivially copyable value, so that asking costs
/// next to nothing: the permit is what the gate wants to know again when the call is settled, and the pipeline gives it back once.
template<class Permit = pass>
class [[nodiscard]] admission {
    static_assert(__is_trivially_copyable(Permit), "a permit is a small trivially copyable value"); // see live

public:
    using permit_type = Permit;

    /// Refused, as cancelled: for who needs a value before there is an answer.
    constexpr admission() noexcept : error_(errc::cancelled) {}
    constexpr admission(Permit permit) noexcept : permit_(permit) {} // NOLINT: implicit, as all below: gates read `return errc::...;`
    constexpr admission(error refusal) noexcept : error_(refusal) {} // NOLINT
    constexpr admission(errc refusal) noexcept : error_(refusal) {}  // NOLINT
    constexpr admission(park_until t) noexcept : error_(parked_code, t.at.time_since_epoch()) {} // NOLINT
    constexpr admission(sleep_for d) noexcept : error_(asleep_code, d.time) {}                   // NOLINT
    constexpr admission(pending_decision) noexcept : error_(pending_code) {}                     // NOLINT

    [[nodiscard]] constexpr bool is_admitted() const noexcept { return error_.kind() == admitted_code; }
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return is_admitted(); }
    [[nodiscard]] constexpr bool is_parked() const noexcept { return error_.kind() == parked_code; }
    [[nodiscard]] constexpr bool is_asleep() const noexcept { return error_.kind() == asleep_code; }
    [[nodiscard]] constexpr bool is_pending() const noexcept { return error_.kind() == pending_code; }
    [[nodiscard]] constexpr time_point parked_until() const noexcept { return time_point{error_.retry_after()}; }
    [[nodiscard]] constexpr duration sleep_time() const noexcept { return error_.retry_after(); }
    /// Why not; meaningful if it was refused.
    [[nodiscard]] constexpr error refusal() const noexcept { return error_; }
    /// The permit; meaningful if it was admitted.
    [[nodiscard]] constexpr Permit permit() const noexcept { return permit_; }

private:
    static constexpr errc admitted_code{0};
    static constexpr errc pending_code{0xfffd};
    static constexpr errc parked_code{0xfffe};
    static constexpr errc asleep_code{0xffff};

    error error_{admitted_code};
    [[no_unique_address]] Permit permit_{};
};

/// "Go on": the admission of a gate that has nothing to remember.
inline constexpr pass admitted{};

/// What a loop says when it is told an outcome: `done`, or `again{delay}`.
class [[nodiscard]] next_step {
public:
    constexpr next_step() noexcept = default;
    constexpr explicit next_step(duration delay) noexcept : delay_(delay), again_(true) {}
    [[nodiscard]] constexpr bool again() const noexcept { return again_; }
    [[nodiscard]] constexpr duration delay() const noexcept { return delay_; }

private:
    duration delay_{0};
    bool again_ = false;
};
inline constexpr next_step done{};
[[nodiscard]] constexpr next_step again(duration delay) noexcept
{
    return next_step{delay};
}

/// What a source says when a call reaches it.
enum class lookup {
    missed,   ///< go on: somebody further in has to answer
    answered, ///< the outcome is there
    parked,   ///< another call is about to answer: park until its policy wakes the waiter
    later,    ///< the answer lies elsewhere: await `look_up_later`
};

/// What a gate says that may settle elsewhere: `later`, await `settle_later`.
enum class settlement { at_once, later };

/// What a source wants of a pipeline that can fork, when it has found nothing, or something to be refreshed.
enum class split {
    none,      ///< nothing: the call goes on as it is
    and_wait,  ///< run the inside on its own, in the pipeline's scope, and park the call until the source wakes it
    and_go_on, ///< run the inside on its own, and let the call go up with the answer that it has
};

} // namespace weir::inline v0
