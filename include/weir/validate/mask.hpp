// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/fixed_string.hpp>
#include <weir/core/request.hpp>
#include <weir/validate/detail/json_scan.hpp>
#include <weir/validate/detail/masking.hpp>
#include <weir/validate/query.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::inline v0 {

/// What of a thing with a name may be shown.
enum class visibility : std::uint8_t { shown, last_characters, hidden };

/// Hides all of what has one of these names: headers, parameters and members alike. Case, `-` and `_` do not count, and `*` stands for
/// anything: `hide<"password", "*token*">`.
template<fixed_string... Names>
struct hide {
    static constexpr std::size_t shown = 0;
    [[nodiscard]] static constexpr bool is_about(std::string_view name) noexcept { return (detail::like_name(Names.view(), name) || ...); }
};
/// Shows the last letters and digits only of what has one of these names: `show_last<4, "iban", "card*">`. Of what is shorter than twice
/// that nothing.
template<std::size_t Count, fixed_string... Names>
struct show_last {
    static constexpr std::size_t shown = Count;
    [[nodiscard]] static constexpr bool is_about(std::string_view name) noexcept { return (detail::like_name(Names.view(), name) || ...); }
};

/// What of a request, a response or a value may stand in a log, as a type: a house has one, and every line is written through it.
/// ```cpp
/// using our_mask = weir::mask<weir::hide<"password", "*token*", "authorization", "cookie">, weir::show_last<4, "iban", "card*">>;
///
/// log("{} {}", r.method, our_mask::target(r.target));            // GET /pay?iban=***3000&access_token=***
/// log("{}", our_mask::header("Authorization", value));           // ***
/// log("{}", our_mask::json(r.body));                             // {"user":"ann","password":"***","card_number":"***1111"}
/// ```
/// The first rule that is about a name decides. What no rule is about is shown, but for what looks like a secret wherever it stands:
/// numbers of cards (Luhn's check) and accounts (IBAN) show their last four, tokens (`eyJ...`) and `Bearer` and `Basic` credentials
/// nothing. Controls are written as `\x0a`: nobody who makes a request writes a line of the log, or steers the terminal of who reads it.
/// What is hidden is not told by its length, either.
///
/// Each function costs a pass and a string, and a comparison a rule and name. Stateless, thread-safe.
template<class... Rules>
struct mask {
    /// What of that name may be shown.
    [[nodiscard]] static constexpr visibility of(std::string_view name) noexcept
    {
        std::size_t const n = shown_of(name);
        return n == all ? visibility::shown : n == 0 ? visibility::hidden : visibility::last_characters;
    }
    /// A value with a name: a header, a parameter, a member, a field of a log.
    [[nodiscard]] static std::string value(std::string_view name, std::string_view text)
    {
        std::string out;
        append(out, name, text);
        return out;
    }
    /// The value of a header.
    [[nodiscard]] static std::string header(std::string_view name, std::string_view text) { return value(name, text); }
    /// A text without a name.
    [[nodiscard]] static std::string text(std::string_view any)
    {
        std::string out;
        detail::append_masked_text(out, any);
        return out;
    }
    /// A request target, encoded as it came. Parameters, those of the path's segments as well (`;name=value`), are known by their decoded
    /// names; one whose name is not encoded rightly is hidden, and so is what stands before the host of an absolute one.
    [[nodiscard]] static std::string target(std::string_view path_and_query)
    {
        std::string out;
        std::size_t const mark = path_and_query.find('?');
        path_into(out, path_and_query.substr(0, mark));
        if (mark == std::string_view::npos) return out;
        out += '?';
        form_into(out, path_and_query.substr(mark + 1));
        return out;
    }
    /// A form (`application/x-www-form-urlencoded`), or a query without its mark.
    [[nodiscard]] static std::string form(std::string_view parameters)
    {
        std::string out;
        form_into(out, parameters);
        return out;
    }
    /// A JSON text, with each member judged by its name, at any depth; an array or object of a hidden name is hidden as a whole. It becomes
    /// one line. Of what is no JSON, or deeper than 64 levels, nothing is shown but its length.
    [[nodiscard]] static std::string json(std::string_view text)
    {
        json_masker masker{text};
        detail::json_scanner scanner(text, {}, masker);
        if (scanner.run() != detail::json_fault::none)
            return std::string(detail::hidden_text) + " (" + std::to_string(text.size()) + " bytes that are no JSON)";
        masker.copy(text.size());
        return std::move(masker.out);
    }
    /// Method and target of a request: `GET /quotes?symbol=ACME`.
    template<class Request>
    [[nodiscard]] static std::string request_line(Request const& r)
    {
        return text(method(r)) + ' ' + target(weir::target(r));
    }

private:
    static constexpr std::size_t all = std::size_t(-1);

    static constexpr std::size_t shown_of([[maybe_unused]] std::string_view name) noexcept
    {
        std::size_t shown = all;
        static_cast<void>(((Rules::is_about(name) ? (shown = Rules::shown, true) : false) || ...));
        return shown;
    }
    static void append(std::string& out, std::string_view name, std::string_view text)
    {
        std::size_t const shown = shown_of(name);
        if (shown == all)
            detail::append_masked_text(out, text);
        else
            detail::append_last(out, text, shown);
    }
    static void path_into(std::string& out, std::string_view path)
    {
        if (auto const scheme = path.find("://"); scheme != std::string_view::npos && !path.starts_with('/')) {
            std::string_view const host = path.substr(scheme + 3, path.substr(scheme + 3).find('/'));
            if (auto const at = host.rfind('@'); at != std::string_view::npos) {
                detail::append_masked_text(out, path.substr(0, scheme + 3));
                out += detail::hidden_text;
                path.remove_prefix(scheme + 3 + at);
            }
        }
        while (!path.empty()) {
            std::size_t const semicolon = path.find(';');
            detail::append_masked_text(out, path.substr(0, semicolon));
            if (semicolon == std::string_view::npos) return;
            out += ';';
            path.remove_prefix(semicolon + 1);
            std::string_view const parameters = path.substr(0, path.find('/'));
            pair_into(out, parameters);
            path.remove_prefix(parameters.size());
        }
    }
    static void form_into(std::string& out, std::string_view rest)
    {
        while (!rest.empty()) {
            std::string_view const pair = rest.substr(0, rest.find('&'));
            bool const last = pair.size() == rest.size();
            rest.remove_prefix(last ? rest.size() : pair.size() + 1);
            pair_into(out, pair);
            if (!last) out += '&';
        }
    }
    /// `name=value`, and behind a semicolon, which some readers take for the mark between parameters, another; but for what is hidden: that
    /// is all of it.
    static void pair_into(std::string& out, std::string_view pair)
    {
        for (;;) {
            std::size_t const equals = pair.find('='), semicolon = pair.find(';');
            bool const is_word = semicolon < equals; // without a value
            std::string_view const raw = pair.substr(0, is_word ? semicolon : equals);
            detail::append_masked_text(out, raw);
            if (!is_word) {
                if (equals == std::string_view::npos) return;
                pair.remove_prefix(equals + 1);
                out += '=';
                auto const name = detail::decode_percent(raw);
                bool const shown = name && shown_of(*name) == all;
                std::string_view const value = shown ? pair.substr(0, pair.find(';')) : pair;
                value_into(out, name, value);
                if (value.size() == pair.size()) return;
                pair.remove_prefix(value.size() + 1);
            } else {
                pair.remove_prefix(semicolon + 1);
            }
            out += ';';
        }
    }
    static void value_into(std::string& out, std::optional<std::string> const& name, std::string_view encoded)
    {
        auto const plain = detail::decode_percent(encoded);
        if (!name || !plain)
            out += detail::hidden_text;
        else if (plain->size() == encoded.size() || shown_of(*name) != all)
            append(out, *name, *plain);
        else { // encoded: it is shown as it came, unless something in it has to be hidden
            std::string const masked = text(*plain);
            out += masked == *plain ? encoded : std::string_view(masked);
        }
    }

    /// Copies a JSON text but for what is hidden in it.
    struct json_masker {
        void name(std::string_view raw)
        {
            if (hidden_depth != 0) return;
            shown = all;
            text(raw); // a name may be a secret as well
            shown = shown_of(scratch);
        }
        void text(std::string_view raw)
        {
            if (hidden_depth != 0) return;
            scratch.clear();
            detail::append_unescaped(scratch, raw);
            std::string masked;
            if (shown == all)
                detail::append_masked_text(masked, scratch);
            else
                detail::append_last(masked, scratch, shown);
            shown = all;
            if (masked == scratch) return;
            put(raw.data() - 1, raw.size() + 2, masked);
        }
        void scalar(std::string_view raw)
        {
            if (hidden_depth != 0) return;
            std::string masked;
            if (shown == all)
                detail::append_masked_text(masked, raw);
            else
                detail::append_last(masked, raw, shown);
            shown = all;
            if (masked != raw) put(raw.data(), raw.size(), masked);
        }
        void open(char, std::size_t at)
        {
            ++depth;
            if (hidden_depth != 0 || shown == all) return;
            hidden_depth = depth;
            copy(at);
        }
        void close(std::size_t end)
        {
            if (hidden_depth == depth) {
                ((out += '"') += detail::hidden_text) += '"';
                copied = end;
                hidden_depth = 0;
                shown = all;
            }
            --depth;
        }
        void put(char const* from, std::size_t size, std::string_view masked)
        {
            auto const at = static_cast<std::size_t>(from - whole.data());
            copy(at);
            if (!detail::append_json_text(out, masked)) out += "\"***\"";
            copied = at + size;
        }
        /// As it came, but in one line: a control in a JSON text is white space between its parts.
        void copy(std::size_t end)
        {
            for (char const c : whole.substr(copied, end - copied)) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
            copied = end;
        }

        std::string_view whole;
        std::string out{};
        std::size_t copied = 0, depth = 0, hidden_depth = 0, shown = all;
        std::string scratch{};
    };
};

/// A mask to begin with: what everybody's secrets are called.
using common_mask =
    mask<hide<"*authorization*", "cookie", "set-cookie", "*password*", "*passwd*", "*passphrase*", "pin", "*secret*", "*token*",
              "*api-key*", "*private-key*", "signature", "x-signature", "*credential*", "otp", "cvv", "cvc", "sessionid", "jsessionid">,
         show_last<4, "*card-number*", "pan", "iban", "*account-number*", "ssn">>;

} // namespace weir::inline v0
