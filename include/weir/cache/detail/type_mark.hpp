// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace weir::inline v0::detail {

/// Its address stands for the type, where something is kept whose type is forgotten.
template<class T>
inline constexpr char type_mark = 0;

} // namespace weir::inline v0::detail
