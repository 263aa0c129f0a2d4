// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/contracts.hpp>
#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/resilience/time_text.hpp>

#include <string_view>

namespace weir::inline v0 {

/// Tells the service behind how much time the call has left: sets the field `Request-Timeout` to a time such as `200m` (see
/// `read_time_text`), or `send_deadline<"grpc-timeout">{}` another one. `deadline_from` reads it there. A call without a deadline goes out
/// as it is. Stand it inside of retries and hedges, so that each attempt tells what is left then; it is asked again for each. A call whose
/// time is up is refused with `errc::deadline_exceeded`, and nothing is sent. Thread-safe; costs a field and a copy of the request.
template<fixed_string Field = "Request-Timeout">
class send_deadline {
public:
    using role = transform;
    using traits = weir::traits<rewrites_request>;
    using reads = reads_request<customisation::set_header_fn>;
    static constexpr std::string_view name = "send_deadline";

    admission<> down(auto& call) const
    {
        time_point const until = call.deadline().at;
        if (until == never) return admitted;
        duration const left = call.deadline().left(call.now());
        if (left.count() <= 0) return errc::deadline_exceeded;
        set_header(call.request(), Field.view(), time_text(left).view());
        return admitted;
    }
    void describe(auto&& field) const { field("field", Field.view()); }
};

} // namespace weir::inline v0
