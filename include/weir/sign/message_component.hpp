// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/sign/detail/target_parts.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/structured_write.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace weir::inline v0 {

/// How the service is reached, where a request does not say it.
struct message_origin {
    std::string_view scheme = "https"; ///< where the target has none
    std::string_view authority{};      ///< where there is no Host either, as before a client adds it
};

/// A part of a message that a signature covers (RFC 9421, section 2): a field by its name, or a derived one. `content-type`, `@method`, `@path;req`,
/// `signature;req;key="sig1"`, `@query-param;name="id"`.
///
/// | derived                                                     | of                                                                        |
/// |-------------------------------------------------------------|---------------------------------------------------------------------------|
/// | `@method`, `@target-uri`, `@authority`, `@scheme`, `@request-target`, `@path`, `@query`, `@query-param;name="..."` | a request     |
/// | `@status`                                                   | a response                                                                |
///
/// Of fields: `sf` (in their canonical form), `key="..."` (one member of a dictionary), `bs` (each line as bytes), `tr` (of the trailers). Of all:
/// `req`, in a response: of the request that it answers. Everything else is refused.
class message_component {
public:
    /// From configuration, as above; a name may also stand in quotation marks. Throws `std::invalid_argument` for what is no component.
    explicit message_component(std::string_view text)
    {
        auto const semicolon = text.find(';');
        std::string quoted(text);
        if (!text.starts_with('"')) {
            quoted = '"' + std::string(text.substr(0, semicolon)) + '"';
            if (semicolon != std::string_view::npos) quoted += text.substr(semicolon);
        }
        auto const parsed = sf::parse_item(quoted, {.refuse_duplicate_keys = true});
        expect(parsed.has_value() && read(*parsed), "component " + std::string(text), "a field name or a derived component of RFC 9421");
    }
    /// From a message; nothing if it is no component.
    [[nodiscard]] static std::optional<message_component> from(sf::item const& i)
    {
        message_component made;
        if (!made.read(i)) return std::nullopt;
        return made;
    }

    /// As it stands in the signature base: `"@path";req`.
    [[nodiscard]] std::string const& identifier() const noexcept { return identifier_; }
    /// The field, in lower case, or the derived component: `content-type`, `@path`.
    [[nodiscard]] std::string const& name() const noexcept { return name_; }
    /// Whether it is of the request that a response answers.
    [[nodiscard]] bool of_request() const noexcept { return has(flag_req); }
    /// The same component, whatever the order of its parameters.
    [[nodiscard]] bool same_as(message_component const& other) const noexcept
    {
        return name_ == other.name_ && flags_ == other.flags_ && argument_ == other.argument_;
    }
    /// Whether all that `other` covers is covered by this one: it is the same, or the same field in another form that says all of it.
    [[nodiscard]] bool covers(message_component const& other) const noexcept
    {
        constexpr std::uint8_t whole = flag_sf | flag_bs;
        return name_ == other.name_ && argument_ == other.argument_ && (flags_ | whole) == (other.flags_ | whole);
    }
    /// Whether it says all of the field `name`, but for its trailers.
    [[nodiscard]] bool is_field(std::string_view name) const noexcept
    {
        return name_ == name && (flags_ & (flag_tr | flag_req | flag_key)) == 0;
    }

    /// Appends the component's line to a signature base (section 2.5): identifier, colon, space, value, line feed. False if the message does not
    /// have it, has it more than once where it must not, or in a form that cannot be signed.
    [[nodiscard]] bool append_line(std::string& base, message_view const& message, message_view const* request,
                                   message_origin const& origin = {}) const
    {
        if (of_request() && (request == nullptr || !message.is_response())) return false;
        message_view const& from = of_request() ? *request : message;
        base += identifier_;
        base += ": ";
        std::size_t const begin = base.size();
        if (!(is_derived() ? append_derived(base, from, origin) : append_field(base, from))) return false;
        // What is signed is ASCII without line ends: a value can never look like a line of its own.
        bool const plain = std::all_of(base.begin() + static_cast<std::ptrdiff_t>(begin), base.end(),
                                       [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
        base += '\n';
        return plain;
    }

private:
    static constexpr std::uint8_t flag_sf = 1, flag_bs = 2, flag_key = 4, flag_tr = 8, flag_req = 16, flag_name = 32;

    message_component() = default;
    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags_ & flag) != 0; }
    [[nodiscard]] bool is_derived() const noexcept { return name_.starts_with('@'); }

    bool read(sf::item const& i)
    {
        auto const* const name = std::get_if<std::string>(&i.value);
        if (name == nullptr || !sf::append(identifier_, i)) return false;
        name_ = *name;
        for (auto const& [key, value] : i.params) {
            auto const* const flag = std::get_if<bool>(&value);
            auto const* const text = std::get_if<std::string>(&value);
            bool const on = flag != nullptr && *flag;
            if (key == "req" && on) {
                flags_ |= flag_req;
            } else if (key == "name" && text != nullptr && name_ == "@query-param") {
                flags_ |= flag_name;
                argument_ = *text;
            } else if (is_derived()) {
                return false;
            } else if (key == "key" && text != nullptr) {
                flags_ |= flag_key;
                argument_ = *text;
            } else if (on && (key == "sf" || key == "bs" || key == "tr")) {
                flags_ |= key == "sf" ? flag_sf : key == "bs" ? flag_bs : flag_tr;
            } else {
                return false;
            }
        }
        if (is_derived()) return is_known() && has(flag_name) == (name_ == "@query-param") && !(name_ == "@status" && has(flag_req));
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
        bool const token = !name_.empty() && name_.find_first_not_of(marks) == std::string::npos;
        return token && !(has(flag_bs) && (has(flag_sf) || has(flag_key)));
    }
    [[nodiscard]] bool is_known() const noexcept
    {
        constexpr std::array<std::string_view, 9> known{"@method", "@target-uri", "@authority",   "@scheme", "@request-target",
                                                        "@path",   "@query",      "@query-param", "@status"};
        return std::find(known.begin(), known.end(), name_) != known.end();
    }

    bool append_derived(std::string& to, message_view const& m, message_origin const& origin) const
    {
        if (m.is_response() != (name_ == "@status")) return false;
        if (name_ == "@status") return to += std::to_string(m.status()), m.status() >= 100 && m.status() <= 999;
        if (name_ == "@method") return to += m.method(), !m.method().empty();
        if (name_ == "@request-target") return to += m.target(), !m.target().empty();
        auto const parts = detail::split_target_parts(m.target());
        if (name_ == "@path") return to += parts.path.empty() ? "/" : parts.path, true;
        if (name_ == "@query") return (to += '?') += parts.query.value_or(""), true;
        if (name_ == "@query-param") return append_parameter(to, parts.query.value_or(""));
        std::string const scheme = detail::scheme_of(parts, origin.scheme);
        if (name_ == "@scheme") return to += scheme, !scheme.empty();
        std::string const authority = detail::authority_of(m, parts, scheme, origin.authority);
        if (name_ == "@authority") return to += authority, !authority.empty();
        ((to += scheme) += "://") += authority;
        if (m.target() != "*") to += parts.path.empty() ? "/" : parts.path;
        if (parts.query) (to += '?') += *parts.query;
        return !scheme.empty() && !authority.empty();
    }
    /// One query parameter, decoded as a form's and encoded again (section 2.2.8). One that stands twice, however it is encoded, is refused.
    bool append_parameter(std::string& to, std::string_view query) const
    {
        constexpr std::string_view plain = "*-._"; // the application/x-www-form-urlencoded set of the URL standard
        bool found = false;
        while (!query.empty()) {
            auto const end = query.find('&');
            std::string_view const one = query.substr(0, end);
            query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
            if (one.empty()) continue;
            auto const equals = one.find('=');
            std::string name;
            detail::append_encoded(name, detail::decode_form(one.substr(0, equals)), plain);
            if (name != argument_) continue;
            if (found) return false;
            found = true;
            std::string const value = detail::decode_form(equals == std::string_view::npos ? std::string_view{} : one.substr(equals + 1));
            if (!sf::detail::is_utf8(value)) return false;
            detail::append_encoded(to, value, plain);
        }
        return found;
    }

    bool append_field(std::string& to, message_view const& m) const
    {
        auto const lines = m.fields(name_, has(flag_tr));
        if (lines.empty()) return false;
        std::string joined;
        std::string& into = (flags_ & (flag_sf | flag_key)) != 0 ? joined : to;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (i != 0) into += ", ";
            std::string const value = unfolded(lines[i]);
            if (has(flag_bs)) {
                if (!sf::append(into, sf::bare_item(sf::bytes{value}))) return false;
            } else {
                into += value;
            }
        }
        if (has(flag_key)) return append_member(to, joined);
        return !has(flag_sf) || append_structured(to, joined);
    }
    bool append_member(std::string& to, std::string const& field) const
    {
        auto const dictionary = sf::parse_dictionary(field);
        if (!dictionary) return false;
        sf::member const* const member = dictionary->find(argument_);
        return member != nullptr && sf::append(to, *member);
    }
    /// The canonical form of a structured field. What type a field has is registered for few; the three read the same text alike, but for keys
    /// that a dictionary has twice: so those whose type is known to be that are read as one first.
    bool append_structured(std::string& to, std::string const& field) const
    {
        auto const as = [&](auto const& parsed) { return parsed.has_value() && sf::append(to, *parsed); };
        constexpr std::array<std::string_view, 10> dictionaries{
            "cache-control",    "content-digest",      "priority",         "repr-digest",      "signature", "signature-input",
            "accept-signature", "want-content-digest", "want-repr-digest", "cdn-cache-control"};
        bool const dictionary = std::find(dictionaries.begin(), dictionaries.end(), name_) != dictionaries.end();
        std::size_t const begin = to.size();
        if (dictionary && as(sf::parse_dictionary(field))) return true;
        to.resize(begin);
        if (as(sf::parse_list(field))) return true;
        to.resize(begin);
        return as(sf::parse_dictionary(field));
    }
    /// A line's value without the white space around it and with each folding made one space (section 2.1).
    static std::string unfolded(std::string_view line)
    {
        auto const blank = [](char c) { return c == ' ' || c == '\t'; };
        line = detail::trim_value(line);
        if (line.find('\r') == std::string_view::npos) return std::string(line);
        std::string out;
        out.reserve(line.size());
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line.substr(i, 2) == "\r\n" && i + 2 < line.size() && blank(line[i + 2])) {
                while (!out.empty() && blank(out.back())) out.pop_back();
                for (i += 2; i + 1 < line.size() && blank(line[i + 1]);) ++i;
                out += ' ';
            } else {
                out += line[i];
            }
        }
        return out;
    }

    std::string name_, identifier_, argument_{};
    std::uint8_t flags_ = 0;
};

} // namespace weir::inline v0
