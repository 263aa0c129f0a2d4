// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/detail/spare_texts.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// The facet that tells who makes the call, proved by a signature or a token. Only policies that verify one provide it.
struct principal {
    std::string name{};

    principal() noexcept = default;
    principal(std::string who) noexcept : name(std::move(who)) {} // NOLINT: implicit, as where it is an aggregate
    /// A copy of the name, in the room of one that the thread had before: names of up to 255 bytes cost no allocation, once there were
    /// some.
    [[nodiscard]] static principal of(std::string_view who) { return principal(detail::spare_texts::copy(who)); }
    principal(principal const&) = default;
    principal(principal&&) noexcept = default;
    principal& operator=(principal const&) = default;
    principal& operator=(principal&&) noexcept = default;
    ~principal() { detail::spare_texts::give(name); }

    [[nodiscard]] std::string_view key() const noexcept { return name; }
};

} // namespace weir::inline v0
