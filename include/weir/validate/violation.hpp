// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace weir::inline v0 {

/// Reported with a refusal: what was wrong with the request, and what would be right. The HTTP edge writes it into the problem document.
///
/// All of it may be shown to a stranger: it holds nothing of what the request said, and nothing of a secret.
struct violation {
    std::string_view where; ///< `"header"`, `"query"`, `"body"` or `"signature"`; a literal
    std::string name;       ///< the header, parameter or member; empty if it is the whole
    std::string expected;   ///< `"a number from 1 to 100"`
};

} // namespace weir::inline v0
