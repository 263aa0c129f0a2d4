// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace weir::inline v0::detail {

/// The owner of one of OpenSSL's objects. A `std::unique_ptr` of each of its types takes the compiler longer than all else that is done with them.
template<class T, class Free>
class handle {
public:
    constexpr handle() noexcept = default;
    constexpr explicit handle(T* object) noexcept : object_(object) {}
    handle(handle&& other) noexcept : object_(other.release()) {}
    handle& operator=(handle&& other) noexcept
    {
        if (this != &other) {
            if (object_ != nullptr) Free()(object_);
            object_ = other.release();
        }
        return *this;
    }
    ~handle()
    {
        if (object_ != nullptr) Free()(object_);
    }

    [[nodiscard]] T* get() const noexcept { return object_; }
    [[nodiscard]] T* release() noexcept
    {
        T* const object = object_;
        object_ = nullptr;
        return object;
    }
    friend bool operator==(handle const& h, std::nullptr_t) noexcept { return h.object_ == nullptr; }

private:
    T* object_ = nullptr;
};

} // namespace weir::inline v0::detail
