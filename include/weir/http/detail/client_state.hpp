// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/http/client_options.hpp>
#include <weir/http/detail/connect.hpp>
#include <weir/http/detail/pool.hpp>
#include <weir/http/detail/stream.hpp>
#include <weir/http/framing.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

namespace weir::inline v0::http::detail {

/// What the requests of a client share. They may outlive it.
template<class Stream>
struct client_state {
    client_state(asio::any_io_executor ex, context_of<Stream> c, client_options const& o)
        : executor(std::move(ex)), context(std::move(c)), options(o), pools(options)
    {
        check(options);
    }
    [[nodiscard]] framing_limits limits() const noexcept
    {
        return {.line_bytes = options.header_bytes,
                .field_bytes = options.header_bytes,
                .header_bytes = options.header_bytes,
                .fields = options.header_bytes,
                .body_bytes = std::numeric_limits<std::uint64_t>::max()}; // the call counts
    }

    /// Counts a failure and tells whoever wants to know.
    error fails(upstream const& to, client_trouble const& t, client_failure* told)
    {
        ++pools.stats.failed;
        bool const loud = options.on_failure && t.kind != errc::cancelled;
        if (told == nullptr && !loud) return t.kind;
        client_failure made{to.address(), t.stage, t.why ? t.why : make_error_code(t.kind), std::string(t.detail)};
        if (loud) options.on_failure(made);
        if (told != nullptr) *told = std::move(made);
        return t.kind;
    }

    asio::any_io_executor executor;
    [[no_unique_address]] context_of<Stream> context;
    client_options options;
    client_pools<Stream> pools;
};

} // namespace weir::inline v0::http::detail
