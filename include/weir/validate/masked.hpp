// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/validate/mask.hpp>
#include <weir/validate/write_json.hpp>

#include <string>

namespace weir::inline v0 {

/// A described struct as a log may have it: JSON, its members judged by a mask. `log("{}", weir::masked<our_mask>(order));`. Of what cannot be written as
/// JSON nothing is shown. A `secret` is no JSON at all: a struct that holds one does not compile here.
template<class Mask, class T>
[[nodiscard]] std::string masked(T const& value)
{
    std::string text;
    return write_json(value, text) ? Mask::json(text) : std::string(detail::hidden_text);
}

} // namespace weir::inline v0
