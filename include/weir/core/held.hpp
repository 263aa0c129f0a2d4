// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/call.hpp>
#include <weir/core/clock.hpp>
#include <weir/core/detail/owner.hpp>
#include <weir/core/result.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace weir::inline v0 {

namespace detail {

/// A permit that is settled when a stream ends, and those of the policies further out.
struct kept_permit {
    owner<kept_permit> outer{};

    kept_permit() = default;
    kept_permit(kept_permit const&) = delete;
    kept_permit& operator=(kept_permit const&) = delete;
    virtual ~kept_permit() = default;
    virtual void settle(result<void> const& end) = 0;
    virtual void cancel() noexcept = 0;
};

} // namespace detail

/// What a handler returns whose answer goes on after it has returned: a download, server-sent events. `held<download>{...}` is a value
/// that carries the permits of the policies around the handler, and they settle when the stream ends: a place of a bulkhead is taken
/// until then, and a breaker learns how it ended.
///
/// Who consumes the stream says `finish()`, or `finish(error)`; one that is destroyed unfinished was cancelled. Both on the executor of the
/// call. A time limit holds until the handler has returned, not for the stream. What repeats calls or keeps or rewrites outcomes
/// refuses a handler of `held` when the pipeline is compiled. The pipeline outlives its streams.
///
/// Cost: one allocation for each policy that remembers a permit; none for the others.
template<class T>
class held {
public:
    using value_type = T;

    explicit held(T value) : value_(std::move(value)) {}
    held(held&&) noexcept = default;
    held& operator=(held&& other) noexcept
    {
        if (this != &other) {
            cancel();
            value_ = std::move(other.value_);
            permits_ = std::move(other.permits_);
            last_ = std::exchange(other.last_, nullptr);
        }
        return *this;
    }
    ~held() { cancel(); }

    [[nodiscard]] T& operator*() noexcept { return value_; }
    [[nodiscard]] T const& operator*() const noexcept { return value_; }
    [[nodiscard]] T* operator->() noexcept { return &value_; }
    [[nodiscard]] T const* operator->() const noexcept { return &value_; }

    /// The stream has ended: every permit is settled with how it did, innermost first. Only the first end counts.
    void finish(result<void> const& end = {})
    {
        while (permits_ != nullptr) {
            auto const now = std::exchange(permits_, std::move(permits_->outer));
            now->settle(end);
        }
    }
    /// Another value that carries the same permits: what a codec makes of a stream.
    template<class Other>
    [[nodiscard]] held<Other> with(Other value) &&
    {
        held<Other> made(std::move(value));
        made.permits_ = std::move(permits_);
        made.last_ = std::exchange(last_, nullptr);
        return made;
    }
    /// For the pipeline: one more permit, of a policy further out.
    void keep(detail::owner<detail::kept_permit> permit) noexcept
    {
        detail::kept_permit* const added = permit.get();
        (permits_ == nullptr ? permits_ : last_->outer) = std::move(permit);
        last_ = added;
    }

private:
    template<class>
    friend class held;

    void cancel() noexcept
    {
        while (permits_ != nullptr) {
            auto const now = std::exchange(permits_, std::move(permits_->outer));
            now->cancel();
        }
    }

    T value_;
    detail::owner<detail::kept_permit> permits_;
    detail::kept_permit* last_ = nullptr; // of the permits; means something while there are any
};

template<class T>
held(T) -> held<T>;

namespace advice {
template<class Policy>
struct settling {
    struct needs_more_than_the_time_and_cannot_wait_for_the_end_of_a_stream;
};
} // namespace advice

namespace detail {

template<class T>
constexpr bool is_held = false;
template<class T>
constexpr bool is_held<held<T>> = true;
template<class Outcome>
constexpr bool streams = is_held<typename Outcome::value_type>;

/// What is left of a call when its stream ends: the time and the classifier. To ask for the rest gives what is not defined, a sentence.
template<class Policy, class Clock, class Classifier>
class ended_call {
    using needs_more = typename advice::settling<Policy>::needs_more_than_the_time_and_cannot_wait_for_the_end_of_a_stream;

public:
    ended_call(Clock& clock, Classifier& classifier) noexcept : clock_(clock), classifier_(classifier) {}
    [[nodiscard]] time_point now() { return clock_.now(); }
    [[nodiscard]] bool failed(auto const& outcome) const { return classifier_(outcome); }
    void tell(auto const&) const noexcept {}

    needs_more request() const;
    needs_more deadline() const;
    needs_more thrown() const;
    template<class>
    needs_more get() const;
    needs_more set(auto&&) const;
    needs_more report(auto&&) const;

private:
    [[no_unique_address]] reference_unless_empty<Clock> clock_;
    [[no_unique_address]] reference_unless_empty<Classifier> classifier_;
};

template<class Policy, class Permit, class Call>
concept settles_at_the_end = requires(Policy& p, Permit permit, result<void> const& end, Call& call)
{
    {
        p.settle(permit, end, call)
        } -> std::same_as<void>;
};

template<class Policy, class Permit, class EndedCall>
class permit_of_stream final : public kept_permit {
public:
    permit_of_stream(Policy& policy, Permit permit, EndedCall call) : policy_(policy), permit_(permit), call_(call) {}
    void settle(result<void> const& end) override { policy_.settle(permit_, end, call_); }
    void cancel() noexcept override { policy_.cancel(permit_); }

private:
    Policy& policy_;
    [[no_unique_address]] Permit permit_;
    [[no_unique_address]] EndedCall call_;
};

/// Gives the permit to the stream that comes up. False if none comes: then it is settled now.
template<class Policy, class Permit, class Call, class Outcome>
bool carry(Policy& policy, Permit const& permit, Call& call, Outcome& outcome)
{
    using ended = ended_call<Policy, std::remove_reference_t<decltype(call.clock())>, std::remove_reference_t<decltype(call.classifier())>>;
    if constexpr (!settles_at_the_end<Policy, Permit, ended>) {
        static_cast<void>(sizeof(typename advice::settling<Policy>::needs_more_than_the_time_and_cannot_wait_for_the_end_of_a_stream));
        return false;
    } else {
        if (outcome.has_error()) return false;
        outcome->keep(
            owner<kept_permit>(new permit_of_stream<Policy, Permit, ended>(policy, permit, ended(call.clock(), call.classifier()))));
        return true;
    }
}

} // namespace detail

} // namespace weir::inline v0
