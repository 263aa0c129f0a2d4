// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>
#include <utility>

namespace weir::inline v0 {

/// An rvalue that a call is to own: `co_await svc(weir::owned{std::move(request)})`. Needed with g++ 12 for aggregates whose destructor
/// does something: it destroys a temporary of theirs twice when it stands in a `co_await` expression.
template<class T>
class owned {
public:
    explicit owned(T&& value) noexcept(std::is_nothrow_move_constructible_v<T>) : value_(std::move(value)) {}
    [[nodiscard]] T&& release() && noexcept { return std::move(value_); }

private:
    T value_;
};

namespace detail {
template<class T>
constexpr bool is_owned = false;
template<class T>
constexpr bool is_owned<owned<T>> = true;
} // namespace detail

} // namespace weir::inline v0
