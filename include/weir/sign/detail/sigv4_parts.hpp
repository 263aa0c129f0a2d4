// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/sign/detail/target_parts.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/message_view.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0::detail::sigv4_part {

inline constexpr std::string_view unreserved = "-._~";

/// A parameter of a query, encoded anew.
struct parameter {
    std::string name, value;
    friend bool operator<(parameter const& a, parameter const& b) noexcept
    {
        int const names = a.name.compare(b.name);
        return names != 0 ? names < 0 : a.value < b.value;
    }
};

/// What the parts are made of.
struct source {
    message_view const& message;
    std::string_view path{};          ///< as sent
    std::vector<parameter> query{};   ///< in any order
    std::vector<std::string> names{}; ///< of the headers that are signed: lower case, sorted
    bool normalize = true, encode_path = true;
    std::string payload{}; ///< the digest of the body, made when it is needed
};

/// Cuts a query into names and values, decoded and encoded anew; those of the name `without` are left out.
inline std::vector<parameter> split_query(std::string_view query, std::string_view without = {})
{
    std::vector<parameter> out;
    // A plus sign is itself here.
    auto const again = [](std::string_view raw) {
        std::string decoded, text;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            std::byte b{};
            if (raw[i] == '%' && raw.size() - i > 2 && read_hex(raw.substr(i + 1, 2), &b, 1)) {
                decoded += static_cast<char>(b);
                i += 2;
            } else {
                decoded += raw[i];
            }
        }
        append_encoded(text, decoded, unreserved);
        return text;
    };
    while (!query.empty()) {
        auto const end = query.find('&');
        std::string_view const one = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        if (one.empty()) continue;
        auto const equals = one.find('=');
        std::string name = again(one.substr(0, equals));
        if (!without.empty() && name == without) continue;
        out.push_back({std::move(name), again(equals == std::string_view::npos ? std::string_view{} : one.substr(equals + 1))});
    }
    return out;
}

struct method {
    static bool append(std::string& text, source& s)
    {
        (text += s.message.method()) += '\n';
        return !s.message.method().empty();
    }
};

/// The path, each segment encoded; if so agreed, first without dot segments and empty ones.
struct path {
    static bool append(std::string& text, source& s)
    {
        std::string normal;
        std::string_view given = s.path.empty() ? std::string_view("/") : s.path;
        if (s.normalize) {
            bool const closed = given.ends_with('/') || given.ends_with("/.") || given.ends_with("/..");
            while (!given.empty()) {
                auto const end = std::min(given.find('/'), given.size());
                std::string_view const segment = given.substr(0, end);
                given.remove_prefix(std::min(end + 1, given.size()));
                if (segment.empty() || segment == ".") continue;
                if (segment == "..") {
                    normal.resize(normal.rfind('/') == std::string::npos ? 0 : normal.rfind('/'));
                } else {
                    (normal += '/') += segment;
                }
            }
            if (normal.empty() || closed) normal += '/';
            given = normal;
        }
        if (s.encode_path) {
            append_encoded(text, given, "-._~/");
        } else {
            text += given;
        }
        text += '\n';
        return given.starts_with('/');
    }
};

/// The query, sorted by name and value.
struct query {
    static bool append(std::string& text, source& s)
    {
        std::sort(s.query.begin(), s.query.end());
        for (std::size_t i = 0; i < s.query.size(); ++i) {
            if (i != 0) text += '&';
            ((text += s.query[i].name) += '=') += s.query[i].value;
        }
        text += '\n';
        return true;
    }
};

/// The signed headers, a line each and an empty one: white space is one space, several lines are joined by commas.
struct headers {
    static bool append(std::string& text, source& s)
    {
        bool good = true;
        for (std::string const& name : s.names) {
            (text += name) += ':';
            auto const values = s.message.fields(name);
            good = good && !values.empty();
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (i != 0) text += ',';
                good = append_value(text, values[i]) && good;
            }
            text += '\n';
        }
        text += '\n';
        return good;
    }

private:
    static bool append_value(std::string& text, std::string_view value)
    {
        value = trim_value(value);
        if (byte_classes_in(value) == 0) { // nearly always
            text += value;
            return true;
        }
        bool good = true, space = false, begun = false;
        for (char const c : value) {
            if (c == ' ' || c == '\t') {
                space = begun;
                continue;
            }
            good = good && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
            if (space) text += ' ';
            text += c;
            space = false;
            begun = true;
        }
        return good;
    }
};

/// The names of the signed headers.
struct names {
    static bool append(std::string& text, source& s)
    {
        for (std::size_t i = 0; i < s.names.size(); ++i) {
            if (i != 0) text += ';';
            text += s.names[i];
        }
        text += '\n';
        return !s.names.empty();
    }
};

/// The digest of the body.
struct body {
    static bool append(std::string& text, source& s)
    {
        if (s.payload.empty()) s.payload = to_hex(sha256(s.message.body()));
        text += s.payload;
        return true;
    }
};

} // namespace weir::inline v0::detail::sigv4_part
