// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>

namespace weir::inline v0::detail {

/// How an `owner` ends what it owns, if nobody says otherwise.
struct delete_object {
    template<class T>
    void operator()(T* object) const noexcept
    {
        delete object;
    }
};

/// Owns one object, as `std::unique_ptr` does. Headers that every user includes own by this, because each type in a `std::unique_ptr` has
/// g++ 12 make 1.4 to 1.9 MB of classes, ten milliseconds in every file; here it is a thirtieth of that. `Free` has no state.
template<class T, class Free = delete_object>
class owner {
public:
    constexpr owner(std::nullptr_t = nullptr) noexcept {} // NOLINT: implicit, as a pointer is
    constexpr explicit owner(T* object) noexcept : object_(object) {}
    owner(owner&& other) noexcept : object_(other.release()) {}
    owner& operator=(owner&& other) noexcept
    {
        T* const next = other.release();
        owner const before(release()); // ended last: it may own the other
        object_ = next;
        return *this;
    }
    ~owner()
    {
        if (object_ != nullptr) Free()(object_);
    }

    [[nodiscard]] T* get() const noexcept { return object_; }
    [[nodiscard]] T& operator*() const noexcept { return *object_; }
    [[nodiscard]] T* operator->() const noexcept { return object_; }
    [[nodiscard]] T* release() noexcept
    {
        T* const object = object_;
        object_ = nullptr;
        return object;
    }
    friend bool operator==(owner const& o, std::nullptr_t) noexcept { return o.object_ == nullptr; }

private:
    T* object_ = nullptr;
};

/// Owns an array: `owner<T[]>(new T[size])`.
template<class T>
class owner<T[], delete_object> {
public:
    constexpr owner(std::nullptr_t = nullptr) noexcept {} // NOLINT: implicit, as above
    constexpr explicit owner(T* array) noexcept : array_(array) {}
    owner(owner&& other) noexcept : array_(other.release()) {}
    owner& operator=(owner&& other) noexcept
    {
        T* const next = other.release();
        owner const before(release());
        array_ = next;
        return *this;
    }
    ~owner() { delete[] array_; }

    [[nodiscard]] T* get() const noexcept { return array_; }
    [[nodiscard]] T& operator[](std::size_t i) const noexcept { return array_[i]; }
    [[nodiscard]] T* release() noexcept
    {
        T* const array = array_;
        array_ = nullptr;
        return array;
    }
    friend bool operator==(owner const& o, std::nullptr_t) noexcept { return o.array_ == nullptr; }

private:
    T* array_ = nullptr;
};

} // namespace weir::inline v0::detail
