// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

namespace weir::inline v0 {

/// Says sentences in the language that a client asks for; `catalogue` is one. What writes problem documents knows no more of languages than this.
/// Its functions are called by any thread.
class translator {
public:
    virtual ~translator() = default;

    /// The language for an Accept-Language field (RFC 9110 section 12.5.4).
    [[nodiscard]] virtual std::string_view choose(std::string_view accept_language) const = 0;
    /// The sentence in that language, or as it is.
    [[nodiscard]] virtual std::string translate(std::string_view language, std::string_view sentence) const = 0;

protected:
    translator() = default;
    translator(translator const&) = default;
    translator(translator&&) = default;
    translator& operator=(translator const&) = default;
    translator& operator=(translator&&) = default;
};

} // namespace weir::inline v0
