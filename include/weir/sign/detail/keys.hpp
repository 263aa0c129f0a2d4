// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/policy.hpp>
#include <weir/sign/key_ring.hpp>

#include <type_traits>

namespace weir::inline v0::detail {

template<class T>
struct ring_traits {
    static_assert(!std::is_same_v<T, T>, "the keys are a weir::key_ring, std::ref of one, or a shared_ptr to one");
};
template<threading_model Threading>
struct ring_traits<key_ring<Threading>> {
    using threading = Threading;
};

/// The key ring inside `Keys`, which is one, or refers to one, and its threading model.
template<class Keys>
struct ring_in : ring_traits<std::remove_const_t<policy_t<Keys>>> {
    static auto& of(Keys& keys) noexcept { return unwrapped<Keys>::of(keys); }
};

} // namespace weir::inline v0::detail
