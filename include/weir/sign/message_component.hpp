// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/sign/detail/structured_parts.hpp>
#include <weir/sign/detail/target_parts.hpp>
#include <weir/sign/detail/text.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/structured_view.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
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
            quoted.assign(1, '"').append(text.substr(0, semicolon)).push_back('"');
            if (semicolon != std::string_view::npos) quoted.append(text.substr(semicolon));
        }
        expect(read_item(quoted), std::string("component ").append(text), "a field name or a derived component of RFC 9421");
    }
    /// Nothing of any message, until it is read.
    message_component() = default;
    /// Becomes what a message says, with the quotation marks. False if that is no component: then this is not to be used.
    [[nodiscard]] bool read(std::string_view text)
    {
        *this = message_component();
        return read_item(text);
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
        base.append(identifier_).append(": ");
        std::size_t const begin = base.size();
        if (!(is_derived() ? append_derived(base, from, origin) : append_field(base, from))) return false;
        // What is signed is ASCII without line ends: a value can never look like a line of its own.
        bool const plain = is_plain(std::string_view(base).substr(begin));
        base.push_back('\n');
        return plain;
    }

private:
    static constexpr std::uint8_t flag_sf = 1, flag_bs = 2, flag_key = 4, flag_tr = 8, flag_req = 16, flag_name = 32;

    [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags_ & flag) != 0; }
    [[nodiscard]] bool is_derived() const noexcept { return name_.starts_with('@'); }

    bool read_item(std::string_view text)
    {
        std::vector<sf::part> parts;
        if (sf::scan_item(text, parts, {.refuse_duplicate_keys = true}) || parts.front().what != sf::kind::string) return false;
        sf::detail::append_member(identifier_, parts);
        name_ = sf::plain_text(parts.front());
        for (std::size_t i = 1; i < parts.size(); ++i) {
            sf::part const& p = parts[i];
            bool const on = p.what == sf::kind::boolean && p.number != 0, is_text = p.what == sf::kind::string;
            if (on && p.key == "req") {
                flags_ |= flag_req;
            } else if (is_text && p.key == "name" && name_ == "@query-param") {
                flags_ |= flag_name;
                argument_ = sf::plain_text(p);
            } else if (is_derived()) {
                return false;
            } else if (is_text && p.key == "key") {
                flags_ |= flag_key;
                argument_ = sf::plain_text(p);
            } else if (on && (p.key == "sf" || p.key == "bs" || p.key == "tr")) {
                flags_ |= p.key[0] == 's' ? flag_sf : p.key[0] == 'b' ? flag_bs : flag_tr;
            } else {
                return false;
            }
        }
        if (is_derived()) {
            derived_ = derived_of(name_);
            return derived_ != derived::none && has(flag_name) == (derived_ == derived::query_param) &&
                   !(derived_ == derived::status && has(flag_req));
        }
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
        bool const token = !name_.empty() && name_.find_first_not_of(marks) == std::string::npos;
        return token && !(has(flag_bs) && (has(flag_sf) || has(flag_key)));
    }

    enum class derived : std::uint8_t { none, verb, target_uri, authority, scheme, request_target, path, query, query_param, status };
    static derived derived_of(std::string_view name) noexcept
    {
        constexpr std::string_view known[]{"",      "@method", "@target-uri",  "@authority", "@scheme", "@request-target",
                                           "@path", "@query",  "@query-param", "@status"};
        for (std::size_t i = 1; i < std::size(known); ++i)
            if (known[i] == name) return static_cast<derived>(i);
        return derived::none;
    }

    bool append_derived(std::string& to, message_view const& m, message_origin const& origin) const
    {
        if (m.is_response() != (derived_ == derived::status)) return false;
        if (derived_ == derived::status) return to.append(std::to_string(m.status())), m.status() >= 100 && m.status() <= 999;
        if (derived_ == derived::verb) return to.append(m.method()), !m.method().empty();
        if (derived_ == derived::request_target) return to.append(m.target()), !m.target().empty();
        auto const parts = detail::split_target_parts(m.target());
        if (derived_ == derived::path) return to.append(parts.path.empty() ? "/" : parts.path), true;
        if (derived_ == derived::query) return to.append(1, '?').append(parts.query), true;
        if (derived_ == derived::query_param) return append_parameter(to, parts.query);
        std::string const scheme = detail::scheme_of(parts, origin.scheme);
        if (derived_ == derived::scheme) return to.append(scheme), !scheme.empty();
        std::string const authority = detail::authority_of(m, parts, scheme, origin.authority);
        if (derived_ == derived::authority) return to.append(authority), !authority.empty();
        to.append(scheme).append("://").append(authority);
        if (m.target() != "*") to.append(parts.path.empty() ? "/" : parts.path);
        if (parts.has_query) to.append(1, '?').append(parts.query);
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
            if (i != 0) into.append(", ");
            std::size_t const begin = into.size();
            append_unfolded(into, lines[i]);
            if (has(flag_bs)) {
                std::string const encoded = to_base64(std::string_view(into).substr(begin));
                into.resize(begin);
                into.append(1, ':').append(encoded).push_back(':');
            }
        }
        if (has(flag_key)) return append_member(to, joined);
        return !has(flag_sf) || append_structured(to, joined);
    }
    bool append_member(std::string& to, std::string const& field) const
    {
        std::vector<sf::part> parts;
        if (sf::scan_dictionary(field, parts)) return false;
        auto const member = sf::detail::part_range(parts).member(argument_);
        if (member.empty()) return false;
        sf::detail::append_member(to, member);
        return true;
    }
    /// The canonical form of a structured field. What type a field has is registered for few; the three read the same text alike, but for keys
    /// that a dictionary has twice: so those whose type is known to be that are read as one first.
    bool append_structured(std::string& to, std::string const& field) const
    {
        constexpr std::string_view dictionaries[]{"cache-control",    "content-digest",   "priority",         "repr-digest",
                                                  "signature",        "signature-input",  "accept-signature", "want-content-digest",
                                                  "want-repr-digest", "cdn-cache-control"};
        bool dictionary = false;
        for (std::string_view const d : dictionaries) dictionary = dictionary || d == name_;
        std::vector<sf::part> parts;
        if (!dictionary) {
            if (!sf::scan_list(field, parts)) return sf::detail::append_list(to, parts), true;
            parts.clear();
        }
        if (!sf::scan_dictionary(field, parts)) return sf::detail::append_dictionary(to, parts), true;
        parts.clear();
        if (!dictionary || sf::scan_list(field, parts)) return false;
        return sf::detail::append_list(to, parts), true;
    }
    /// A line's value without the white space around it and with each folding made one space (section 2.1).
    static void append_unfolded(std::string& out, std::string_view line)
    {
        auto const blank = [](char c) { return c == ' ' || c == '\t'; };
        line = detail::trim_value(line);
        if (line.find('\r') == std::string_view::npos) {
            out.append(line);
            return;
        }
        std::size_t const begin = out.size();
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line.substr(i, 2) == "\r\n" && i + 2 < line.size() && blank(line[i + 2])) {
                while (out.size() > begin && blank(out.back())) out.pop_back();
                for (i += 2; i + 1 < line.size() && blank(line[i + 1]);) ++i;
                out.push_back(' ');
            } else {
                out.push_back(line[i]);
            }
        }
    }
    /// Printable ASCII and tabs. Nearly always there is nothing else, which eight bytes at a time tell.
    static bool is_plain(std::string_view text) noexcept
    {
        constexpr std::uint64_t high = 0x8080'8080'8080'8080;
        for (; text.size() >= 8; text.remove_prefix(8)) {
            std::uint64_t word;
            std::memcpy(&word, text.data(), 8);
            if ((detail::looks_odd(word, 0x20) | (word & high)) != 0) break;
        }
        for (char const c : text)
            if (!((c >= 0x20 && c < 0x7f) || c == '\t')) return false;
        return true;
    }

    std::string name_{}, identifier_{}, argument_{};
    std::uint8_t flags_ = 0;
    derived derived_ = derived::none;
};

} // namespace weir::inline v0
