// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir::inline v0 {

/// Why a call has no value.
enum class errc : std::uint16_t {
    rate_limited = 1,       ///< a limit of calls by time is used up; `retry_after` says when to come back
    circuit_open,           ///< the circuit breaker keeps calls away from a failing handler
    bulkhead_full,          ///< no free place for a call at the same time, and none came free in the time to wait
    overloaded,             ///< the service sheds load
    deadline_exceeded,      ///< the call's time was up
    cancelled,              ///< the caller gave the call up
    handler_threw,          ///< the handler threw; the exception is kept in the call
    upstream_failed,        ///< a service behind this one failed
    unavailable,            ///< what answers the call is not there now
    not_found,              ///< there is no such thing: a negative answer, which a cache may keep
    invalid_request,        ///< the request does not meet the rules of its route
    unauthenticated,        ///< nobody has proved who makes the call
    forbidden,              ///< who makes the call may not make it
    replayed,               ///< a signed message was seen before, or is too old to tell
    payload_too_large,      ///< the body is longer than the route takes
    unsupported_media_type, ///< the body is not of a type that the route takes
    method_not_allowed,     ///< the route exists, but not for this method
    foreign,                ///< an error of another category, see `error::code()`
    conflict,               ///< the same request, by its idempotency key, is being answered now
    key_reused,             ///< the idempotency key was used before, for another request
};

/// The name of an `errc`, as it stands in logs, metrics and problem documents: `"rate_limited"`.
[[nodiscard]] constexpr std::string_view to_string(errc e) noexcept
{
    switch (e) {
    case errc::rate_limited: return "rate_limited";
    case errc::circuit_open: return "circuit_open";
    case errc::bulkhead_full: return "bulkhead_full";
    case errc::overloaded: return "overloaded";
    case errc::deadline_exceeded: return "deadline_exceeded";
    case errc::cancelled: return "cancelled";
    case errc::handler_threw: return "handler_threw";
    case errc::upstream_failed: return "upstream_failed";
    case errc::unavailable: return "unavailable";
    case errc::not_found: return "not_found";
    case errc::invalid_request: return "invalid_request";
    case errc::unauthenticated: return "unauthenticated";
    case errc::forbidden: return "forbidden";
    case errc::replayed: return "replayed";
    case errc::payload_too_large: return "payload_too_large";
    case errc::unsupported_media_type: return "unsupported_media_type";
    case errc::method_not_allowed: return "method_not_allowed";
    case errc::foreign: return "foreign";
    case errc::conflict: return "conflict";
    case errc::key_reused: return "key_reused";
    }
    return "unknown";
}

/// The category of `errc`: named "weir", with the equivalents of `std::errc` where there are any.
inline boost::system::error_category const& weir_category() noexcept
{
    struct category final : boost::system::error_category {
        char const* name() const noexcept override { return "weir"; }
        std::string message(int value) const override { return std::string(to_string(static_cast<errc>(value))); }
        boost::system::error_condition default_error_condition(int value) const noexcept override
        {
            namespace generic = boost::system::errc;
            switch (static_cast<errc>(value)) {
            case errc::deadline_exceeded: return generic::make_error_condition(generic::timed_out);
            case errc::cancelled: return generic::make_error_condition(generic::operation_canceled);
            case errc::bulkhead_full:
            case errc::overloaded:
            case errc::rate_limited:
            case errc::circuit_open:
            case errc::unavailable: return generic::make_error_condition(generic::resource_unavailable_try_again);
            case errc::forbidden: return generic::make_error_condition(generic::permission_denied);
            case errc::invalid_request: return generic::make_error_condition(generic::invalid_argument);
            case errc::payload_too_large: return generic::make_error_condition(generic::message_size);
            default: return {value, *this};
            }
        }
    };
    static category const instance;
    return instance;
}

inline boost::system::error_code make_error_code(errc e) noexcept
{
    return {static_cast<int>(e), weir_category()};
}

namespace detail {
/// The categories that an `error` can name in eight bits; grows by one at the first error of a category, never past 255.
struct category_table {
    static constexpr std::size_t capacity = 255;
    std::array<std::atomic<boost::system::error_category const*>, capacity> entries{};

    std::uint8_t index_of(boost::system::error_category const& wanted) noexcept
    {
        for (std::size_t i = 0; i < capacity; ++i) {
            boost::system::error_category const* seen = entries[i].load(std::memory_order_acquire);
            if (seen == nullptr && entries[i].compare_exchange_strong(seen, &wanted, std::memory_order_acq_rel)) seen = &wanted;
            if (*seen == wanted) return static_cast<std::uint8_t>(i + 1);
        }
        return 0;
    }
    boost::system::error_category const& at(std::uint8_t index) const noexcept
    {
        return index == 0 ? boost::system::generic_category() : *entries[index - 1u].load(std::memory_order_acquire);
    }
    static category_table& instance() noexcept
    {
        static category_table table;
        return table;
    }
};
} // namespace detail

/// Why a call failed, which policy says so, and when to come back. Sixteen bytes, trivially copyable: it travels in registers.
class error {
public:
    /// The `policy()` of an error that no policy made: it came from the handler.
    static constexpr std::uint8_t no_policy = 255;

    /// No error: what `result::error()` gives of a result that holds a value.
    constexpr error() noexcept : kind_{} {}

    constexpr error(errc kind, duration retry_after = {}) noexcept // NOLINT: implicit, so that `return errc::not_found;` reads well
        : retry_after_(retry_after.count()), kind_(kind)
    {
    }

    /// An error of any category: one of "weir" keeps its `errc`, every other is `errc::foreign` with its code.
    error(boost::system::error_code const& code) noexcept // NOLINT: implicit, as above
        : kind_(code.category() == weir_category() ? static_cast<errc>(code.value()) : errc::foreign)
    {
        if (kind_ == errc::foreign) {
            category_ = detail::category_table::instance().index_of(code.category());
            foreign_ = code.value();
        }
    }

    [[nodiscard]] constexpr errc kind() const noexcept { return kind_; }
    /// The soonest time, from when the error was made, at which the same call may fare better; zero if nobody knows.
    [[nodiscard]] constexpr duration retry_after() const noexcept { return duration{retry_after_}; }
    /// The place of the policy that made the error in its pipeline, outermost 0; `no_policy` if the handler made it.
    [[nodiscard]] constexpr std::uint8_t policy() const noexcept { return policy_; }
    /// The same error as an `error_code`.
    [[nodiscard]] boost::system::error_code code() const noexcept
    {
        if (kind_ != errc::foreign) return make_error_code(kind_);
        return {foreign_, detail::category_table::instance().at(category_)};
    }
    operator boost::system::error_code() const noexcept { return code(); } // NOLINT: implicit, errors go where error codes go

    /// The same error, made by the policy at `index`.
    [[nodiscard]] constexpr error by(std::size_t index) const noexcept
    {
        error made = *this;
        made.policy_ = static_cast<std::uint8_t>(index);
        return made;
    }
    /// The same error with another time to come back.
    [[nodiscard]] constexpr error with_retry_after(duration d) const noexcept
    {
        error made = *this;
        made.retry_after_ = d.count();
        return made;
    }

    /// Writes the name, for tests and logs.
    template<class Stream>
    friend auto operator<<(Stream& out, error const& e) -> decltype(out << std::string_view{})
    {
        return out << (e.kind_ == errc::foreign ? std::string_view(e.code().category().name()) : to_string(e.kind_));
    }
    friend constexpr bool operator==(error const& a, error const& b) noexcept
    {
        return a.kind_ == b.kind_ && a.category_ == b.category_ && a.foreign_ == b.foreign_;
    }
    friend constexpr bool operator==(error const& a, errc b) noexcept { return a.kind_ == b; }

private:
    std::int64_t retry_after_ = 0;
    errc kind_;
    std::uint8_t policy_ = no_policy;
    std::uint8_t category_ = 0;
    std::int32_t foreign_ = 0;
};

static_assert(sizeof(error) == 16 && std::is_trivially_copyable_v<error>);

/// A value, or why there is none.
template<class T>
using result = boost::system::result<T, error>;

/// Found by `result<T>::value()`: throws `boost::system::system_error`. A template, so that only who calls that compiles the exception.
template<std::same_as<error> E>
[[noreturn]] void throw_exception_from_error(E const& e, boost::source_location const& where)
{
    boost::throw_exception(boost::system::system_error(e.code()), where);
}

} // namespace weir::inline v0

template<>
struct boost::system::is_error_code_enum<weir::errc> : std::true_type {
};
