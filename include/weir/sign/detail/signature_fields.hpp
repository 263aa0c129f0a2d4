// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/content_digest.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/message_component.hpp>
#include <weir/sign/message_keys.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/structured_write.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

inline constexpr std::size_t max_labels = 16, max_components = 64;

inline bool is_signature_parameter(std::string_view name) noexcept
{
    constexpr std::array<std::string_view, 6> known{"created", "expires", "nonce", "alg", "keyid", "tag"};
    return std::find(known.begin(), known.end(), name) != known.end();
}

/// A set of keys of any threading model.
class key_source {
public:
    template<class Threading>
    explicit key_source(message_keys<Threading> const& keys) noexcept
        : keys_(&keys), find_([](void const* k, std::string_view id, wall_time now) {
              return static_cast<message_keys<Threading> const*>(k)->find(id, now);
          })
    {
    }
    [[nodiscard]] std::optional<signature_key> find(std::string_view id, wall_time now) const { return find_(keys_, id, now); }

private:
    void const* keys_;
    std::optional<signature_key> (*find_)(void const*, std::string_view, wall_time);
};

/// The lines of a field, joined as one text.
inline std::string joined(std::vector<std::string_view> const& lines)
{
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i != 0) text += ", ";
        text += trim_value(lines[i]);
    }
    return text;
}

/// The fields Signature-Input and Signature of a message.
struct signature_fields {
    message_fault fault = message_fault::none;
    std::string_view where{};
    sf::dictionary inputs{}, signatures{};
};

inline signature_fields read_signatures(message_view const& message)
{
    signature_fields read;
    auto const one = [&](std::string_view name, sf::dictionary& into) {
        auto const lines = message.fields(name);
        auto parsed =
            sf::parse_dictionary(joined(lines), {.max_members = max_components, .max_parameters = 16, .refuse_duplicate_keys = true});
        if (lines.empty()) {
            read.fault = message_fault::missing;
        } else if (!parsed || parsed->size() > max_labels) {
            read.fault = message_fault::malformed;
        } else {
            into = *std::move(parsed);
            return true;
        }
        read.where = name;
        return false;
    };
    (void)(one("signature-input", read.inputs) && one("signature", read.signatures));
    return read;
}

/// Reads what a signature covers; what cannot be covered, or stands twice, is told.
inline std::optional<std::string> read_components(sf::inner_list const& input, std::vector<message_component>& into)
{
    for (sf::item const& i : input.items) {
        auto component = message_component::from(i);
        if (!component) return "component " + sf::write(i).value_or("");
        for (message_component const& c : into) {
            if (c.same_as(*component)) return "component " + component->identifier();
        }
        into.push_back(*std::move(component));
    }
    return std::nullopt;
}

/// Appends a signature base (RFC 9421, section 2.5), and to `list` the value of `@signature-params`; what the message does not have is told.
inline std::optional<std::string> append_base(std::string& base, std::string& list, std::vector<message_component> const& covered,
                                              sf::inner_list const& input, message_view const& message, message_view const* request,
                                              message_origin const& origin)
{
    base.reserve(512);
    list += '(';
    for (message_component const& c : covered) {
        if (!c.append_line(base, message, request, origin)) return c.identifier();
        if (list.size() > 1) list += ' ';
        list += c.identifier();
    }
    list += ')';
    if (!sf::append(list, input.params)) return "parameters";
    (base += "\"@signature-params\": ") += list;
    return std::nullopt;
}

/// Whether the message has no Content-Digest, or one that is known and right.
inline bool body_fits(message_view const& message)
{
    auto const lines = message.fields("content-digest");
    return lines.empty() || check_content_digest(joined(lines), message.body()) == digest_verdict::right;
}

} // namespace weir::inline v0::detail
