// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <utility>

namespace weir::inline v0 {

namespace detail {
struct verified_maker;
} // namespace detail

/// The facet that holds what a verifier found to be authentic: `verified<claims>`. Only a verifier makes one, so who is handed one needs
/// not ask where it comes from. A share: copies are cheap, and what it holds lives as long as any of them.
template<class T>
class verified {
public:
    /// Nothing was verified. Behind a policy that provides it, it is never empty.
    verified() noexcept = default;
    [[nodiscard]] explicit operator bool() const noexcept { return value_ != nullptr; }
    /// What was verified; there has to be something.
    [[nodiscard]] T const& operator*() const noexcept { return *value_; }
    [[nodiscard]] T const* operator->() const noexcept { return value_.get(); }

private:
    friend detail::verified_maker;
    explicit verified(std::shared_ptr<T const> value) noexcept : value_(std::move(value)) {}

    std::shared_ptr<T const> value_;
};

namespace detail {
struct verified_maker {
    template<class T>
    static verified<T> make(std::shared_ptr<T const> value) noexcept
    {
        return verified<T>(std::move(value));
    }
};
} // namespace detail

} // namespace weir::inline v0
