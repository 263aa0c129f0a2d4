// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/content_digest.hpp>
#include <weir/sign/detail/structured_parts.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/message_component.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/structured_view.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::detail {

inline constexpr std::size_t max_labels = 16, max_components = 64;

/// A parameter of a signature (RFC 9421, section 2.3).
enum class signature_parameter : std::uint8_t { created, expires, nonce, alg, keyid, tag, none };
inline constexpr std::string_view signature_parameters[]{"created", "expires", "nonce", "alg", "keyid", "tag"};

constexpr signature_parameter parameter_of(std::string_view name) noexcept
{
    std::size_t i = 0;
    while (i < std::size(signature_parameters) && signature_parameters[i] != name) ++i;
    return static_cast<signature_parameter>(i);
}
constexpr std::string_view name_of(signature_parameter p) noexcept
{
    return signature_parameters[static_cast<std::size_t>(p)];
}

/// The text of a field: its line, or its lines joined in `room`.
inline std::string_view text_of(field_lines const& lines, std::string& room)
{
    if (lines.size() == 1) return trim_value(lines.front());
    for (std::size_t i = 0; i < lines.size(); ++i) room.append(i == 0 ? "" : ", ").append(trim_value(lines[i]));
    return room;
}

/// The fields Signature-Input and Signature of a message, as views of it.
class signature_fields {
public:
    explicit signature_fields(message_view const& message)
    {
        parts_.reserve(16);
        if (!read(message, "signature-input", input_text_)) return;
        inputs_ = parts_.size();
        read(message, "signature", signature_text_);
    }
    signature_fields(signature_fields const&) = delete;
    signature_fields& operator=(signature_fields const&) = delete;

    [[nodiscard]] message_fault fault() const noexcept { return fault_; }
    /// The field that is missing or malformed.
    [[nodiscard]] std::string_view where() const noexcept { return where_; }
    [[nodiscard]] sf::detail::part_range inputs() const noexcept { return {parts_.data(), parts_.data() + inputs_}; }
    [[nodiscard]] sf::detail::part_range signatures() const noexcept { return {parts_, inputs_}; }

private:
    bool read(message_view const& message, std::string_view name, std::string& room)
    {
        auto const lines = message.fields(name);
        std::size_t const first = parts_.size();
        where_ = name;
        if (lines.empty()) {
            fault_ = message_fault::missing;
        } else if (sf::scan_dictionary(text_of(lines, room), parts_,
                                       {.max_members = max_components, .max_parameters = 16, .refuse_duplicate_keys = true})) {
            fault_ = message_fault::malformed;
        } else {
            std::size_t labels = 0;
            for (std::size_t i = first; i < parts_.size(); ++i) labels += parts_[i].of == sf::level::member;
            if (labels <= max_labels) return true;
            fault_ = message_fault::malformed;
        }
        while (parts_.size() > first) parts_.pop_back();
        return false;
    }

    message_fault fault_ = message_fault::none;
    std::string_view where_{};
    std::size_t inputs_ = 0;
    std::vector<sf::part> parts_{};
    std::string input_text_{}, signature_text_{};
};

/// What a signature covers: components that are known already are pointed to, others are kept here.
class covered_components {
public:
    covered_components() noexcept {} // NOLINT: leaves the room as it is
    covered_components(covered_components const&) = delete;
    covered_components& operator=(covered_components const&) = delete;

    void add(message_component const& c) noexcept { all_[size_++] = &c; }
    /// Reads the elements of an inner list. False if one cannot be covered, or stands twice: `where` tells which.
    bool read(sf::detail::part_range elements, std::vector<message_component> const& known, message_component const& other,
              std::string& where)
    {
        for (sf::part const& p : elements) {
            if (p.of != sf::level::element) continue;
            message_component const* c = find(p.key, known);
            if (c == nullptr && other.identifier() == p.key) c = &other;
            if (c == nullptr) {
                if (own_.empty()) own_.reserve(max_components); // what is pointed to must not move
                own_.push_back(message_component());
                if (!own_.back().read(p.key)) return where.assign("component ").append(p.key), false;
                c = &own_.back();
            }
            for (message_component const* before : *this)
                if (before == c || before->same_as(*c)) return where.assign("component ").append(c->identifier()), false;
            add(*c);
        }
        return true;
    }
    [[nodiscard]] bool has(message_component const& wanted) const noexcept
    {
        for (message_component const* c : *this)
            if (c == &wanted || c->covers(wanted)) return true;
        return false;
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] message_component const* const* begin() const noexcept { return all_; }
    [[nodiscard]] message_component const* const* end() const noexcept { return all_ + size_; }

private:
    [[nodiscard]] message_component const* find(std::string_view text, std::vector<message_component> const& known) const noexcept
    {
        if (size_ < known.size() && known[size_].identifier() == text) return &known[size_]; // mostly in the order that was agreed on
        for (message_component const& c : known)
            if (c.identifier() == text) return &c;
        return nullptr;
    }

    message_component const* all_[max_components + 1];
    std::size_t size_ = 0;
    std::vector<message_component> own_{};
};

/// Appends a signature base (RFC 9421, section 2.5) up to the parameters, and tells where the value of `@signature-params` begins. What the
/// message does not have is told by `missing`.
inline std::size_t append_base(std::string& base, covered_components const& covered, message_view const& message,
                               message_view const* request, message_origin const& origin, message_component const*& missing)
{
    for (message_component const* c : covered) {
        if (c->append_line(base, message, request, origin)) continue;
        missing = c;
        return 0;
    }
    base.append("\"@signature-params\": ");
    std::size_t const begin = base.size();
    char mark = '(';
    for (message_component const* c : covered) {
        base.append(1, mark).append(c->identifier());
        mark = ' ';
    }
    base.append(mark == '(' ? "()" : ")");
    return begin;
}

/// Whether the message has no Content-Digest, or one that is known and right.
inline bool body_fits(message_view const& message)
{
    auto const lines = message.fields("content-digest");
    std::string room;
    return lines.empty() || check_content_digest(text_of(lines, room), message.body()) == digest_verdict::right;
}

} // namespace weir::inline v0::detail
