// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <utility>

namespace weir::inline v0::detail {

/// A value that is made later, if at all, outside of the coroutine's frame, in memory that Asio keeps for the thread: frames above a
/// kilobyte are not kept by Asio, and push smaller ones out.
template<class T>
class recycled {
public:
    recycled() noexcept = default;
    recycled(recycled const&) = delete;
    recycled& operator=(recycled const&) = delete;
    ~recycled() { reset(); }

    template<class... Arguments>
    T& emplace(Arguments&&... arguments)
    {
        reset();
        T* const room = boost::asio::recycling_allocator<T>().allocate(1);
        value_ = std::construct_at(room, std::forward<Arguments>(arguments)...);
        return *value_;
    }
    T* operator->() noexcept { return value_; }

private:
    void reset() noexcept
    {
        if (value_ == nullptr) return;
        std::destroy_at(value_);
        boost::asio::recycling_allocator<T>().deallocate(std::exchange(value_, nullptr), 1);
    }
    T* value_ = nullptr;
};

} // namespace weir::inline v0::detail
