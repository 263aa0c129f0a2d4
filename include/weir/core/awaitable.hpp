// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::inline v0 {

/// Whether a type is something to `co_await`, and what that yields. `weir/asio.hpp` says so of `boost::asio::awaitable`; another kind of
/// coroutine comes with a specialisation of this and of `driver_for`.
template<class T>
struct awaitable_traits {
    static constexpr bool is_awaitable = false;
    using value_type = T;
};

template<class T>
concept awaitable = awaitable_traits<T>::is_awaitable;

} // namespace weir::inline v0
