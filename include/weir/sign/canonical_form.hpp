// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <string>

namespace weir::inline v0 {

/// A part of a canonical text: `static bool append(std::string& text, Source& source)` appends it, made of what `source` knows of the message, and
/// tells whether the message has it in a form that can be signed. A part that takes `auto& text` also works on what is cheaper than a string.
template<class Part, class Source, class Text = std::string>
concept canonical_part = requires(Text& text, Source& source)
{
    {
        Part::append(text, source)
        } -> std::same_as<bool>;
};

/// A canonical text by its parts: types, so that a scheme is one list of them, and costs what the same lines written by hand cost.
/// ```cpp
/// using form = canonical_form<part::method, part::path, part::query, part::headers, part::names, part::body>;
/// ```
/// `canonical_scheme` and `sigv4` are two such lists; yours is a third. A source is any type that its parts understand.
template<class... Parts>
struct canonical_form {
    /// Appends all parts in order; false if one was not as it has to be. All are appended even so.
    template<class Text, class Source>
    requires(canonical_part<Parts, Source, Text>&&...) static bool append(Text& text, Source& source)
    {
        bool good = true;
        ((good = Parts::append(text, source) && good), ...);
        return good;
    }
};

} // namespace weir::inline v0
