// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

namespace weir::inline v0::detail {

/// Something to do, on its way to an executor: `act(what, true)` does it, `act(what, false)` is called if nobody will any more, since the
/// context has ended. One type for waits and alarms: each further one costs a compiler some sixty functions of Asio.
class posted {
public:
    using function = void (*)(void* what, bool done);

    posted(function act, void* what) noexcept : act_(act), what_(what) {}
    posted(posted&& other) noexcept : act_(std::exchange(other.act_, nullptr)), what_(other.what_) {}
    posted& operator=(posted&&) = delete;
    ~posted()
    {
        if (act_ != nullptr) act_(what_, false);
    }
    void operator()() { std::exchange(act_, nullptr)(what_, true); }

private:
    function act_;
    void* what_;
};

} // namespace weir::inline v0::detail
