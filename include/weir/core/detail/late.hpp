// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// Room for a value that is made later, if at all. (An `std::optional` in a coroutine is zeroed whole by g++ 12, at every call.)
template<class T>
class late {
public:
    late() noexcept {} // NOLINT: leaves the room as it is
    late(late const&) = delete;
    late& operator=(late const&) = delete;
    ~late() { reset(); }

    template<class... Arguments>
    T& emplace(Arguments&&... arguments)
    {
        reset();
        std::construct_at(&value_, std::forward<Arguments>(arguments)...);
        made_ = true;
        return value_;
    }
    void reset() noexcept
    {
        if (made_) std::destroy_at(&value_);
        made_ = false;
    }
    explicit operator bool() const noexcept { return made_; }
    T& operator*() noexcept { return value_; }
    T* operator->() noexcept { return &value_; }
    T const* operator->() const noexcept { return &value_; }

private:
    union {
        T value_;
    };
    bool made_ = false;
};

} // namespace weir::inline v0::detail
