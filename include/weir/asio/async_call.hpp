// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/asio/driver.hpp>

#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace weir::inline v0 {

/// Calls an asynchronous pipeline from code that is no coroutine, with any completion token of Asio: a callback, `use_future`, `deferred`.
/// It completes with `void(std::exception_ptr, result<T>)` on `executor`, which has to be serial: a context with one thread, or a strand.
/// The call owns an rvalue request and borrows an lvalue. The token's cancellation slot cancels the call.
template<class Executor, class Pipeline, class Request, class Token>
auto async_call(Executor const& executor, Pipeline& svc, Request&& request, Token&& token)
{
    return boost::asio::co_spawn(executor, svc(std::forward<Request>(request)), std::forward<Token>(token));
}

} // namespace weir::inline v0
