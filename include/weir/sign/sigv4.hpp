// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/options.hpp>
#include <weir/sign/canonical_form.hpp>
#include <weir/sign/detail/expect_days.hpp>
#include <weir/sign/detail/sigv4_parts.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/sigv4_keys.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// How requests are signed by AWS Signature Version 4, as both ends agreed.
struct sigv4_options {
    required<std::string> region;                             ///< such as `us-east-1`
    required<std::string> service;                            ///< such as `execute-api`
    std::vector<std::string> covered{"host", "content-type"}; ///< headers that are signed where they are there; `host` always
    bool normalize = true;                                    ///< the path is signed without dot segments and empty ones; not so for S3
    bool encode_path = true;                                  ///< the path is encoded once more; not so for S3
    bool payload_header = false;       ///< signing: the digest of the body goes into `x-amz-content-sha256`, as S3 wants it
    std::chrono::seconds max_age{300}; ///< verifying: how long after its time a request is accepted
    std::chrono::seconds skew{60};     ///< verifying: how far the clocks may be apart, in both directions
};

/// AWS Signature Version 4: HMAC-SHA256 over a canonical request, whose parts are those of `form`, in its header `Authorization`, or in its
/// query where it is presigned. To talk to services that want it, and to accept clients that have it: a scheme for `add_signature` and
/// `verify_signature`.
///
/// What verifies has a signed `host`; each `x-amz-` header that it knows, and each of `covered` that is there, is signed; the body is that
/// which was signed (`UNSIGNED-PAYLOAD` is not taken); day, region and service are right; a target in absolute form is for the signed
/// `host`. A signed header that stands twice is signed with all its lines. The digest of the body is made before the signature is checked,
/// for it is a part of what is signed: limit bodies further out (`max_body`). Source: AWS, "Create a signed API request". Immutable, so
/// thread-safe. Times are whole seconds.
class sigv4 {
public:
    using options = sigv4_options;
    using form = canonical_form<detail::sigv4_part::method, detail::sigv4_part::path, detail::sigv4_part::query,
                                detail::sigv4_part::headers, detail::sigv4_part::names, detail::sigv4_part::body>;

    /// Throws `std::invalid_argument` naming the member that is wrong.
    explicit sigv4(options o) : options_(std::move(o))
    {
        auto const plain = [](std::string const& text) {
            bool good = !text.empty();
            for (char const c : text) good = good && c > ' ' && c < 0x7f && c != '/' && c != ',';
            return good;
        };
        expect(plain(*options_.region), "region", "a name without slashes, commas and spaces");
        expect(plain(*options_.service), "service", "a name without slashes, commas and spaces");
        for (std::string& name : options_.covered) {
            name = detail::lower_case(name);
            expect(!name.empty() && name.find_first_of(" ;:,\t\r\n") == std::string::npos && name != "authorization", "covered",
                   "header names");
        }
        detail::expect_days("max_age", options_.max_age);
        detail::expect_days("skew", options_.skew);
    }

    [[nodiscard]] options const& settings() const noexcept { return options_; }
    void describe(auto&& field) const
    {
        field("region", std::string_view(*options_.region));
        field("service", std::string_view(*options_.service));
        field("max_age", duration(options_.max_age));
    }

    /// Signs a request by the newest key: sets x-amz-date, Authorization, and what the options say. The nonce is not used: the scheme has
    /// none.
    template<signable_message M, class Threading>
    message_check sign(M& request, sigv4_keys<Threading> const& keys, wall_time now, std::string_view = {}) const
    {
        message_check made{.signed_at = std::chrono::floor<std::chrono::seconds>(now)};
        auto const key = keys.find({}, now);
        if (key == nullptr) return failed(std::move(made), message_fault::unknown_key, {});
        made.signer = key->id;
        std::string const when = time_text(made.signed_at);
        set_header(request, "X-Amz-Date", when);
        if (!key->session_token.empty()) set_header(request, "X-Amz-Security-Token", key->session_token);
        if (options_.payload_header) set_header(request, "X-Amz-Content-Sha256", to_hex(sha256(weir::body(request))));
        message_view const view(request);
        auto source = source_of(view, names_to_sign(view));
        std::string request_text;
        if (!is_for_host(view)) return failed(std::move(made), message_fault::malformed, "target");
        if (!form::append(request_text, source)) return failed(std::move(made), message_fault::malformed, "canonical request");
        made.base = text_to_sign(when, request_text);
        std::string names;
        detail::sigv4_part::names::append(names, source);
        names.pop_back();
        std::string const in = scope(when);
        made.unique = to_hex(code_of(keys, key, in, made.base));
        set_header(request, "Authorization",
                   "AWS4-HMAC-SHA256 Credential=" + key->id + '/' + in + ", SignedHeaders=" + names + ", Signature=" + made.unique);
        return made;
    }

    /// The target of a request, signed in its query: whoever has it may make the request for so long. The session token is signed, too.
    /// Nothing if there is no key, or the target cannot be signed. `expires` is 1 second to 7 days.
    template<verifiable_message M, class Threading>
    [[nodiscard]] std::optional<std::string> presign(M const& request, sigv4_keys<Threading> const& keys, wall_time now,
                                                     std::chrono::seconds expires) const
    {
        auto const key = keys.find({}, now);
        message_view const view(request);
        if (key == nullptr || expires < std::chrono::seconds(1) || expires > std::chrono::days(7) || !is_for_host(view))
            return std::nullopt;
        std::string const when = time_text(std::chrono::floor<std::chrono::seconds>(now));
        auto source = source_of(view, names_to_sign(view));
        std::string names, added;
        detail::sigv4_part::names::append(names, source);
        names.pop_back();
        auto const add = [&](std::string_view name, std::string_view value) {
            std::string encoded;
            detail::append_encoded(encoded, value, detail::sigv4_part::unreserved);
            source.query.push_back({std::string(name), encoded});
            (((added += '&') += name) += '=') += encoded;
        };
        add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
        add("X-Amz-Credential", key->id + '/' + scope(when));
        add("X-Amz-Date", when);
        add("X-Amz-SignedHeaders", names);
        add("X-Amz-Expires", std::to_string(expires.count()));
        if (!key->session_token.empty()) add("X-Amz-Security-Token", key->session_token);
        std::string text;
        if (!form::append(text, source)) return std::nullopt;
        std::string const base = text_to_sign(when, text);
        (added += "&X-Amz-Signature=") += to_hex(code_of(keys, key, scope(when), base));
        std::string to(view.target());
        bool const has_query = to.find('?') != std::string::npos;
        if (!has_query) added[0] = '?';
        if (has_query && to.back() == '?') added.erase(0, 1);
        return to + added;
    }

    /// Whether a request is signed, in its header or its query.
    template<verifiable_message M, class Threading>
    message_check verify(M const& request, sigv4_keys<Threading> const& keys, wall_time now) const
    {
        message_view const view(request);
        message_check found;
        claim const c = read_claim(view, found);
        if (!found) return found;
        auto const key = keys.find(found.signer, now);
        if (found.signer.empty() || key == nullptr) return failed(std::move(found), message_fault::unknown_key, {});
        auto source = source_of(view, c.names, c.in_query ? "X-Amz-Signature" : "");
        std::string text;
        if (!form::append(text, source)) return failed(std::move(found), message_fault::missing, "canonical request");
        found.base = text_to_sign(c.when, text);
        auto day = keys.day_key(key, scope(c.when));
        std::string const right = to_hex(day->code(found.base));
        if (!equal_in_constant_time(right, c.signature)) return failed(std::move(found), message_fault::wrong_signature, {});
        keys.keep(std::move(day));
        found.unique = right;
        if (now - found.signed_at > c.lasts + options_.skew) return failed(std::move(found), message_fault::late, "x-amz-date");
        if (found.signed_at - now > options_.skew) return failed(std::move(found), message_fault::early, "x-amz-date");
        return found;
    }

private:
    template<class Keys>
    static sha256_digest code_of(Keys const& keys, std::shared_ptr<sigv4_key const> const& key, std::string const& scope,
                                 std::string const& text)
    {
        auto day = keys.day_key(key, scope);
        sha256_digest const code = day->code(text);
        keys.keep(std::move(day));
        return code;
    }

    /// What a request says about its signature.
    struct claim {
        std::string when{}, signature{};
        std::vector<std::string> names{};
        std::chrono::seconds lasts{};
        bool in_query = false;
    };

    claim read_claim(message_view const& view, message_check& found) const
    {
        claim c;
        std::string credential, names, expires;
        auto const lines = view.fields("authorization");
        std::string_view const whole = view.target(), mark = "X-Amz-Signature=";
        c.in_query = lines.empty() && whole.find(mark) != std::string_view::npos;
        if (c.in_query) {
            unsigned seen = 0;
            for (auto const& [name, value] : detail::sigv4_part::split_query(detail::split_target_parts(whole).query)) {
                std::string* const into = name == "X-Amz-Credential"      ? &credential
                                          : name == "X-Amz-Date"          ? &c.when
                                          : name == "X-Amz-SignedHeaders" ? &names
                                          : name == "X-Amz-Expires"       ? &expires
                                          : name == "X-Amz-Signature"     ? &c.signature
                                                                          : nullptr;
                if (name == "X-Amz-Algorithm") seen += value == "AWS4-HMAC-SHA256" ? 1 : 100;
                if (into == nullptr) continue;
                ++seen;
                *into = detail::decode_form(value);
            }
            if (seen != 6) found = failed({}, message_fault::malformed, "query");
            constexpr std::uint32_t week = 604'800;
            std::uint32_t seconds = 0;
            bool good = true;
            for (char const digit : expires) {
                good = good && digit >= '0' && digit <= '9';
                if (good && seconds <= week) seconds = seconds * 10 + static_cast<std::uint32_t>(digit - '0');
            }
            if (!good || seconds < 1 || seconds > week) found = failed({}, message_fault::malformed, "query");
            c.lasts = std::chrono::seconds(seconds);
        } else {
            auto const dates = view.fields("x-amz-date");
            if (lines.empty() || dates.empty()) {
                found = failed({}, message_fault::missing, lines.empty() ? "authorization" : "x-amz-date");
                return c;
            }
            std::string_view text = detail::trim_value(lines.front());
            bool good = lines.size() == 1 && dates.size() == 1 && take(text, "AWS4-HMAC-SHA256 ");
            good = good && take(text, "Credential=") && until_comma(text, credential) && take(text, "SignedHeaders=") &&
                   until_comma(text, names) && take(text, "Signature=");
            if (!good) found = failed({}, message_fault::malformed, "authorization");
            c.signature = text;
            c.when = detail::trim_value(dates.front());
            c.lasts = options_.max_age;
        }
        if (!found) return c;
        auto const at = read_time(c.when);
        auto const slash = credential.find('/');
        if (!at || slash == std::string::npos || credential.substr(slash + 1) != scope(c.when)) {
            found = failed({}, message_fault::malformed, "credential");
            return c;
        }
        found.signed_at = *at;
        found.signer = credential.substr(0, slash);
        for (std::string_view rest = names; !rest.empty();) {
            auto const end = std::min(rest.find(';'), rest.size());
            c.names.emplace_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        bool sorted = c.names.size() <= 64;
        for (std::size_t i = 1; sorted && i < c.names.size(); ++i) sorted = c.names[i - 1] < c.names[i];
        if (!sorted) found = failed({}, message_fault::malformed, "signed headers");
        if (!is_for_host(view)) found = failed({}, message_fault::malformed, "target");
        for (std::string const& name : names_to_sign(view)) {
            if (found && !stands(name, c.names)) found = failed({}, message_fault::not_covered, name);
        }
        return c;
    }

    /// Whether a target in absolute form is for the host that is signed: a server reads that one (RFC 9112 section 3.2.2), and it is not
    /// signed.
    static bool is_for_host(message_view const& view)
    {
        auto const parts = detail::split_target_parts(view.target());
        if (parts.authority.empty() && parts.scheme.empty()) return true;
        std::string const scheme = detail::lower_case(parts.scheme);
        return detail::authority_of(view, parts, scheme, {}) == detail::authority_of(view, {}, scheme, {});
    }
    detail::sigv4_part::source source_of(message_view const& view, std::vector<std::string> names, std::string_view without = {}) const
    {
        auto const parts = detail::split_target_parts(view.target());
        return {.message = view,
                .path = parts.path,
                .query = detail::sigv4_part::split_query(parts.query, without),
                .names = std::move(names),
                .normalize = options_.normalize,
                .encode_path = options_.encode_path};
    }
    std::vector<std::string> names_to_sign(message_view const& view) const
    {
        std::vector<std::string> names;
        names.push_back("host");
        for (char const* const name : {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-target"}) {
            if (!view.fields(name).empty()) names.push_back(name);
        }
        for (std::string const& name : options_.covered) {
            if (view.fields(name).empty() || stands(name, names)) continue;
            names.push_back(name);
        }
        for (std::size_t i = 1; i < names.size(); ++i) // a few
            for (std::size_t j = i; j != 0 && names[j] < names[j - 1]; --j) names[j].swap(names[j - 1]);
        return names;
    }
    static bool stands(std::string_view name, std::vector<std::string> const& names) noexcept
    {
        for (std::string const& each : names)
            if (each == name) return true;
        return false;
    }
    std::string scope(std::string_view when) const
    {
        std::string out;
        out.reserve(24 + (*options_.region).size() + (*options_.service).size());
        ((out += when.substr(0, 8)) += '/') += *options_.region;
        ((out += '/') += *options_.service) += "/aws4_request";
        return out;
    }
    std::string text_to_sign(std::string_view when, std::string_view request) const
    {
        std::string out;
        out.reserve(192);
        ((out += "AWS4-HMAC-SHA256\n") += when) += '\n';
        return ((out += scope(when)) += '\n') += to_hex(sha256(request));
    }

    static bool take(std::string_view& text, std::string_view what) noexcept
    {
        bool const there = text.starts_with(what);
        if (there) text.remove_prefix(what.size());
        return there;
    }
    static bool until_comma(std::string_view& text, std::string& into)
    {
        auto const comma = text.find(',');
        into = text.substr(0, comma);
        if (comma == std::string_view::npos) return false;
        text.remove_prefix(comma + 1);
        text = detail::trim_value(text);
        return true;
    }
    /// `20150830T123600Z`.
    static std::string time_text(wall_time t)
    {
        auto const day = std::chrono::floor<std::chrono::days>(t);
        std::chrono::year_month_day const date(day);
        std::int64_t const second = std::chrono::floor<std::chrono::seconds>(t - day).count();
        std::string out = "00000000T000000Z";
        auto const write = [&](std::size_t at, std::size_t digits, std::int64_t left) {
            for (; digits != 0; left /= 10) out[at + --digits] = static_cast<char>('0' + left % 10);
        };
        write(0, 4, static_cast<int>(date.year()));
        write(4, 2, static_cast<unsigned>(date.month()));
        write(6, 2, static_cast<unsigned>(date.day()));
        write(9, 2, second / 3600);
        write(11, 2, second / 60 % 60);
        write(13, 2, second % 60);
        return out;
    }
    static std::optional<wall_time> read_time(std::string_view text)
    {
        if (text.size() != 16) return std::nullopt;
        auto const number = [&](std::size_t at, std::size_t size) {
            int n = 0;
            for (char const c : text.substr(at, size)) n = c >= '0' && c <= '9' && n >= 0 ? n * 10 + (c - '0') : -1;
            return n;
        };
        using namespace std::chrono;
        int const y = number(0, 4), m = number(4, 2), d = number(6, 2);
        if (y < 1970 || m < 0 || d < 0) return std::nullopt;
        year_month_day const date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
        wall_time const t =
            sys_days(date.ok() ? date : year_month_day{}) + hours(number(9, 2)) + minutes(number(11, 2)) + seconds(number(13, 2));
        if (!date.ok() || time_text(t) != text) return std::nullopt; // one text for one time
        return t;
    }
    static message_check failed(message_check found, message_fault fault, std::string where)
    {
        found.fault = fault;
        found.where = std::move(where);
        return found;
    }

    options options_;
};

} // namespace weir::inline v0
