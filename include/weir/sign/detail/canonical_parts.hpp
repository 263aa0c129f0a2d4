// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/request.hpp>
#include <weir/sign/detail/text.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/signature_check.hpp>
#include <weir/sign/timestamp.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0::detail::canonical_part {

/// The values of the scheme's headers, where they were just set: then they need not be looked up.
struct fresh_values {
    std::string_view app, device, timestamp, nonce, digest;
    wall_time at;
};
/// What the parts are made of, and where they tell what they found.
template<class Request, class Options>
struct source {
    Request const& request;
    Options const& options;
    signature_check& found;
    fresh_values const* fresh = nullptr;
    std::string_view when{};   ///< the timestamp as it stands in its header
    std::string_view digest{}; ///< that of the body, likewise
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
bool add_word(auto& text, std::string_view what, std::string_view word, signature_check& found)
{
    bool const odd = copy_checked<0x21>(text.extend(word.size() + 1), word);
    text.back() = '\n';
    bool const good = !word.empty() && (!odd || byte_classes_in(word) == 0);
    return good || fail(found, signature_fault::malformed, what);
}
std::string_view add_line(auto& text, std::string_view name, std::string_view value, signature_check& found)
{
    value = trim_value(value);
    char* const at = text.extend(name.size() + value.size() + 2);
    copy_short(at, name);
    at[name.size()] = ':';
    bool const odd = copy_checked<0x20>(at + name.size() + 1, value);
    text.back() = '\n';
    if (odd && (byte_classes_in(value) & byte_class::control) != 0) fail(found, signature_fault::malformed, name);
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
std::string_view add_header(auto& text, std::string const& name, auto& from, std::string_view fresh_values::*fresh)
{
    std::optional<std::string_view> const value =
        from.fresh != nullptr ? std::optional(from.fresh->*fresh) : value_of(from.request, name, from.found);
    if (value) [[likely]]
        return add_line(text, name, *value, from.found);
    fail(from.found, signature_fault::missing, name);
    return {};
}

/// This scheme's name, so that a code never serves another one.
struct scheme {
    static bool append(auto& text, auto&)
    {
        text += "weir-hmac-sha256-1\n";
        return true;
    }
};
/// The method as sent.
struct method {
    static bool append(auto& text, auto& from) { return add_word(text, "method", weir::method(from.request), from.found); }
};
/// The target as sent.
struct target {
    static bool append(auto& text, auto& from) { return add_word(text, "target", weir::target(from.request), from.found); }
};
/// The headers of the scheme but for the digest.
struct facts {
    static bool append(auto& text, auto& from)
    {
        from.found.app = add_header(text, from.options.app_id, from, &fresh_values::app);
        from.found.device = add_header(text, from.options.device_id, from, &fresh_values::device);
        from.when = add_header(text, from.options.timestamp, from, &fresh_values::timestamp);
        from.found.nonce = add_header(text, from.options.nonce, from, &fresh_values::nonce);
        return static_cast<bool>(from.found);
    }
};
/// Every covered header; of one that is absent its name without a colon.
struct covered {
    static bool append(auto& text, auto& from)
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
    static bool append(auto& text, auto& from)
    {
        from.digest = add_header(text, from.options.digest, from, &fresh_values::digest);
        return static_cast<bool>(from.found);
    }
};

} // namespace weir::inline v0::detail::canonical_part
