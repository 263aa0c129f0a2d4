// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/claims.hpp>
#include <weir/validate/query.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0::detail {

/// The value at a way of names with slashes between: `realm_access/roles`.
[[nodiscard]] inline json_view claim_at(claims const& said, std::string_view way)
{
    json_view at = said.all();
    for (;;) {
        std::string_view const name = way.substr(0, way.find('/'));
        at = at[name];
        if (name.size() == way.size()) return at;
        way.remove_prefix(name.size() + 1);
    }
}

/// A path as a rule has it: segments that are as they are, in braces, or `*` as the last.
constexpr bool is_guarded_path(std::string_view path) noexcept
{
    if (!path.starts_with('/')) return false;
    for (std::size_t at = 1; at <= path.size();) {
        std::size_t const end = path.find('/', at);
        bool const last = end == std::string_view::npos;
        std::string_view const segment = path.substr(at, last ? end : end - at);
        if (segment == "." || segment == ".." || (segment.empty() && !(last && path.size() == 1))) return false;
        if (segment.find_first_of("%;?#\\") != std::string_view::npos) return false;
        bool const braces = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
        if (!braces && segment.find_first_of("{}") != std::string_view::npos) return false;
        if (segment.find('*') != std::string_view::npos && (!last || segment != "*")) return false;
        if (last) return true;
        at = end + 1;
    }
    return false;
}

/// The path of a request target, if it can be read in one way only. The target outlives it.
class plain_path {
public:
    explicit plain_path(std::string_view target)
    {
        target = target.substr(0, target.find('?'));
        if (auto const scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
            auto const path = target.find('/', scheme + 3);
            target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
        }
        text_ = target;
        if (target.find('%') != std::string_view::npos) {
            // An encoded slash would be a segment's end to who decodes first.
            for (std::size_t i = target.find('%'); i != std::string_view::npos; i = target.find('%', i + 1)) {
                std::string_view const code = target.substr(i, 3);
                if (code == "%2f" || code == "%2F" || code == "%25") return;
            }
            std::optional<std::string> decoded = decode_percent(target);
            if (!decoded) return;
            own_ = std::move(*decoded);
            text_ = own_;
        }
        good_ = is_plain(text_);
    }
    plain_path(plain_path const&) = delete; // it refers to itself
    plain_path& operator=(plain_path const&) = delete;

    /// Whether a rule's path is about it. A slash at its end does not count.
    [[nodiscard]] bool fits(std::string_view rule) const noexcept
    {
        if (!good_) return false;
        std::string_view text = text_;
        while (!rule.empty()) {
            std::string_view const wanted = take(rule);
            if (wanted == "*") return true;
            if (wanted.empty()) return take(text).empty() && text.empty(); // the root
            std::string_view const segment = take(text);
            bool const any = wanted.front() == '{';
            if (segment.empty() || (!any && segment.substr(0, segment.find(';')) != wanted)) return false;
        }
        return text.empty() || text == "/";
    }

private:
    /// The next segment, behind its slash.
    static std::string_view take(std::string_view& path) noexcept
    {
        if (path.empty()) return {};
        path.remove_prefix(1);
        std::string_view const segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        return segment;
    }
    static bool is_plain(std::string_view path) noexcept
    {
        if (!path.starts_with('/')) return false;
        for (char const c : path)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return false;
        while (!path.empty()) {
            std::string_view const segment = take(path);
            std::string_view const name = segment.substr(0, segment.find(';'));
            if (name == "." || name == ".." || (name.empty() && !path.empty()) || (name.empty() && !segment.empty())) return false;
        }
        return true;
    }

    std::string own_;
    std::string_view text_;
    bool good_ = false;
};

} // namespace weir::inline v0::detail
