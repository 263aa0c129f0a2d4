// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/http/detail/exchange_limit.hpp>
#include <weir/http/detail/input.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/framing.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>

namespace weir::inline v0::http::detail {

template<class Stream>
struct client_pool;

/// A connection of a client, with what came on it and was not read yet.
template<class Stream>
class client_connection final : public exchange_limit {
public:
    client_connection(asio::any_io_executor const& executor, context_of<Stream> const& context, framing_limits const& limits)
        : exchange_limit(executor), stream(make_stream<Stream>(executor, context)), machine(limits, message_kind::response)
    {
    }

    Stream stream;
    input_buffer input;
    framing machine;
    time_point born{};
    time_point since{}; ///< when it was given back
    std::size_t requests = 0;
    client_pool<Stream>* idle_in = nullptr;

private:
    void time_is_up() override
    {
        if (idle_in != nullptr)
            idle_in->drop(*this);
        else
            exchange_limit::time_is_up();
    }
};

} // namespace weir::inline v0::http::detail
