// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/sign/detail/text.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/signature_check.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0::detail::canonical_part {

/// What the parts are made of, and where they tell what they found.
template<class Request, class Options>
struct source {
    Request const& request;
    Options const& options;
    signature_check& found;
    std::string_view when{}; ///< the timestamp as it stands in its header
};

/// The first fault stays: later ones may follow from it.
inline bool fail(signature_check& found, signature_fault fault, std::string_view where) noexcept
{
    if (found) {
        found.fault = fault;
        found.where = where;
    }
    return false;
}
inline bool add_word(std::string& text, std::string_view what, std::string_view word, signature_check& found)
{
    text.append(word).push_back('\n');
    bool const good = !word.empty() && byte_classes_in(word) == 0;
    return good || fail(found, signature_fault::malformed, what);
}
inline std::string_view add_line(std::string& text, std::string_view name, std::string_view value, signature_check& found)
{
    value = trim_value(value);
    if ((byte_classes_in(value) & byte_class::control) != 0) fail(found, signature_fault::malformed, name);
    text.append(name).push_back(':');
    text.append(value).push_back('\n');
    return value;
}
/// The one value of a header. A second line of the same name is a fault where the request can tell: its handler might read the other.
template<class Request>
std::optional<std::string_view> value_of(Request const& request, std::string const& name, signature_check& found)
{
    if constexpr (customisation::has_each_header<Request>) {
        std::optional<std::string_view> first;
        weir_each_header(request, name, [&](std::string_view value) {
            if (first) fail(found, signature_fault::malformed, name);
            if (!first) first = value;
        });
        return first;
    } else {
        return header(request, name);
    }
}
std::string_view add_header(std::string& text, std::string const& name, auto& from)
{
    std::optional<std::string_view> const value = value_of(from.request, name, from.found);
    if (value) [[likely]]
        return add_line(text, name, *value, from.found);
    fail(from.found, signature_fault::missing, name);
    return {};
}

/// This scheme's name, so that a code never serves another one.
struct scheme {
    static bool append(std::string& text, auto&)
    {
        text += "weir-hmac-sha256-1\n";
        return true;
    }
};
/// The method as sent.
struct method {
    static bool append(std::string& text, auto& from) { return add_word(text, "method", weir::method(from.request), from.found); }
};
/// The target as sent.
struct target {
    static bool append(std::string& text, auto& from) { return add_word(text, "target", weir::target(from.request), from.found); }
};
/// The headers of the scheme but for the digest.
struct facts {
    static bool append(std::string& text, auto& from)
    {
        from.found.app = add_header(text, from.options.app_id, from);
        from.found.device = add_header(text, from.options.device_id, from);
        from.when = add_header(text, from.options.timestamp, from);
        from.found.nonce = add_header(text, from.options.nonce, from);
        return static_cast<bool>(from.found);
    }
};
/// Every covered header; of one that is absent its name without a colon.
struct covered {
    static bool append(std::string& text, auto& from)
    {
        for (std::string const& name : from.options.covered) {
            if (auto const value = value_of(from.request, name, from.found)) {
                add_line(text, name, *value, from.found);
            } else {
                text.append(name).push_back('\n');
            }
        }
        return static_cast<bool>(from.found);
    }
};
/// The header with the digest of the body.
struct digest {
    static bool append(std::string& text, auto& from)
    {
        add_header(text, from.options.digest, from);
        return static_cast<bool>(from.found);
    }
};

} // namespace weir::inline v0::detail::canonical_part
