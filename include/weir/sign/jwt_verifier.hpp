// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/threading.hpp>
#include <weir/sign/claims.hpp>
#include <weir/sign/detail/accepted_token.hpp>
#include <weir/sign/detail/jws_parts.hpp>
#include <weir/sign/detail/verdict_store.hpp>
#include <weir/sign/jws.hpp>
#include <weir/sign/jwt_options.hpp>
#include <weir/sign/timestamp.hpp>
#include <weir/sign/token_fault.hpp>
#include <weir/sign/verified.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir::inline v0 {

/// What `jwt_verifier` found out about a token.
struct [[nodiscard]] jwt_verdict {
    token_fault fault = token_fault::none;
    std::string_view claim{};                ///< the claim that is wrong or missing; the verifier's own text
    verified<claims> said{};                 ///< if it is good
    std::string_view principal{};            ///< in `said`; empty if none is asked for
    bool remembered = false;                 ///< whether it was verified before
    std::shared_ptr<jwt_options const> by{}; ///< if it is not good: keeps the text of `claim`
    explicit operator bool() const noexcept { return fault == token_fault::none; }
};

/// Verifies JSON Web Tokens (RFC 7519) of one issuer for one audience, as RFC 8725 recommends. `verify_jwt` is the policy of it.
///
/// The signature first, by a key whose algorithm is its own (see `open_jws`); only then are the claims read, strictly: one JSON object without duplicate
/// members, `iss`, `sub` and `jti` texts, `aud` a text or a list of texts, `exp`, `nbf` and `iat` numbers of less than 2^53 seconds. Then
/// `iss`, `aud`, `typ`, the times and what else is required. A claim that is `null` is there, and of a wrong type.
///
/// Good tokens are remembered until they expire, at most `remembered` of them: then a verification is a look-up that compares the whole token,
/// and allocates nothing. They are forgotten when keys are replaced, and their times are looked at again each time. A bad token is never remembered.
///
/// Thread-safe with `shared` if the keys are: any thread may verify at any time. Memory: what is remembered, each about three times as long as its token.
template<jws_keys Keys, threading_model Threading = shared>
class jwt_verifier {
public:
    /// Throws `std::invalid_argument` for bad options.
    explicit jwt_verifier(jwt_options const& options)
        : options_(std::make_shared<jwt_options const>(checked(options))), seen_(options.remembered)
    {
    }

    /// Judges by these options from now on, tokens seen before as well: they are forgotten. `remembered` has to stay what it was. Throws
    /// `std::invalid_argument` for bad options; then the present ones stay.
    void reconfigure(jwt_options const& options)
    {
        expect(options.remembered == this->options().remembered, "verify_jwt.remembered", "what it was: the table of tokens stays");
        auto fresh = std::make_shared<jwt_options const>(checked(options));
        {
            std::lock_guard const lock(mutex_);
            options_.swap(fresh);
        }
        version_.add(1, std::memory_order_release); // what was judged by the old ones in between is forgotten, too
    }

    /// Whether `token` is good at `now`, by these keys: always the same ones, whatever their version.
    jwt_verdict verify(std::string_view token, Keys const& keys, wall_time now)
    {
        std::size_t const version = keys.version() + version_.load(std::memory_order_acquire);
        if (detail::accepted known = seen_.find(token, now, version)) [[likely]]
            return made(std::move(known), true);
        auto fresh = std::make_shared<detail::accepted_token>();
        jwt_verdict failed{.by = current()};
        if (!read(token, keys, *fresh, failed) || !judge(*fresh, now, failed)) [[unlikely]]
            return failed;
        fresh->version = version;
        if (seen_.capacity() != 0) {
            fresh->text = token;
            seen_.keep(fresh, now);
        }
        return made(std::move(fresh), false);
    }
    [[nodiscard]] jwt_options options() const { return *current(); }

private:
    std::shared_ptr<jwt_options const> current() const
    {
        std::lock_guard const lock(mutex_);
        return options_;
    }
    static jwt_verdict made(detail::accepted token, bool remembered)
    {
        jwt_verdict v;
        v.principal = token->principal;
        v.remembered = remembered;
        claims const* const said = &token->said;
        v.said = detail::verified_maker::make(std::shared_ptr<claims const>(std::move(token), said));
        return v;
    }
    static bool fail(jwt_verdict& v, token_fault f, std::string_view claim = {}) noexcept
    {
        v.fault = f;
        v.claim = claim;
        return false;
    }

    /// Checks the signature, then reads the claims.
    bool read(std::string_view token, Keys const& keys, detail::accepted_token& into, jwt_verdict& failed) const
    {
        if (token.empty()) return fail(failed, token_fault::missing);
        if (token.size() > failed.by->max_bytes) return fail(failed, token_fault::too_long);
        detail::jws_parts parts;
        if (!detail::cut(token, parts)) return fail(failed, token_fault::malformed);
        detail::jws_header head;
        if (token_fault const f = detail::read_header(parts.header, detail::header_scratch(), head); f != token_fault::none)
            return fail(failed, f);
        if (!head.encoded) return fail(failed, token_fault::critical); // RFC 7797 section 7
        byte_view const input = parts.input;
        if (token_fault const f = detail::check_signature(keys, head, parts.signature, {&input, 1}); f != token_fault::none)
            return fail(failed, f);
        if (!is_type(head.type, failed.by->type)) return fail(failed, token_fault::type);
        bool decoded = false;
        strict_json_fault const f = detail::read_encoded(parts.payload, into.said.document(),
                                                         {.bytes = failed.by->max_bytes, .levels = 16, .values = 1'024}, decoded);
        if (!decoded) return fail(failed, token_fault::malformed);
        if (f != strict_json_fault::none || !into.said.all().is_object()) return fail(failed, token_fault::claims);
        return true;
    }
    [[nodiscard]] static bool is_type(std::optional<std::string_view> type, std::string_view wanted) noexcept
    {
        if (wanted.empty()) return true;
        return type && same_letters(short_type(*type), short_type(wanted));
    }
    static std::string_view short_type(std::string_view type) noexcept
    {
        constexpr std::string_view prefix = "application/";
        bool const full = type.size() > prefix.size() && same_letters(type.substr(0, prefix.size()), prefix);
        return full ? type.substr(prefix.size()) : type;
    }
    static bool same_letters(std::string_view a, std::string_view b) noexcept
    {
        bool same = a.size() == b.size();
        for (std::size_t i = 0; same && i < a.size(); ++i) same = lower(a[i]) == lower(b[i]);
        return same;
    }
    static char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

    /// The registered claims, met in one walk over all.
    struct registered {
        json_view iss{}, sub{}, aud{}, jti{};
        std::optional<wall_time> exp{}, nbf{}, iat{};
        std::string_view wrong{}; // the first of a wrong type

        explicit registered(json_view all) noexcept
        {
            for (json_view each : all) {
                std::string_view const name = each.name();
                if (name.size() != 3) continue;
                auto const is = [&](char const* n) { return name[0] == n[0] && name[1] == n[1] && name[2] == n[2]; };
                if (is("iss"))
                    take(iss, each, is_text(each), "iss");
                else if (is("sub"))
                    take(sub, each, is_text(each), "sub");
                else if (is("jti"))
                    take(jti, each, is_text(each), "jti");
                else if (is("aud"))
                    take(aud, each, is_audience(each), "aud");
                else if (is("exp"))
                    take(exp, each, "exp");
                else if (is("nbf"))
                    take(nbf, each, "nbf");
                else if (is("iat"))
                    take(iat, each, "iat");
            }
        }

    private:
        static bool is_text(json_view v) noexcept { return v.what() == json_view::kind::text; }
        static bool is_audience(json_view v) noexcept
        {
            if (is_text(v)) return true;
            for (json_view each : v)
                if (!is_text(each)) return false;
            return v.is_list();
        }
        void take(json_view& into, json_view value, bool good, std::string_view name) noexcept
        {
            into = value;
            if (!good && wrong.empty()) wrong = name;
        }
        void take(std::optional<wall_time>& into, json_view value, std::string_view name) noexcept
        {
            into = claims::time_of(value);
            if (!into && wrong.empty()) wrong = name;
        }
    };

    bool judge(detail::accepted_token& token, wall_time now, jwt_verdict& failed) const
    {
        registered const r(token.said.all());
        jwt_options const& o = *failed.by;
        if (!r.wrong.empty()) return fail(failed, token_fault::claim_type, r.wrong);
        if (!r.iss) return fail(failed, token_fault::missing_claim, "iss");
        if (!r.aud) return fail(failed, token_fault::missing_claim, "aud");
        if (r.iss.text() != std::string_view(*o.issuer)) return fail(failed, token_fault::issuer, "iss");
        if (!claims::lists(r.aud, *o.audience)) return fail(failed, token_fault::audience, "aud");
        for (std::string const& each : o.require)
            if (json_view const there = token.said[each]; !there || there.is_null()) return fail(failed, token_fault::missing_claim, each);
        if (!o.principal.empty()) {
            auto const name = token.said.text(o.principal);
            if (!name || name->empty()) return fail(failed, token_fault::missing_claim, o.principal);
            token.principal = *name;
        }
        if (o.max_age && !r.iat) return fail(failed, token_fault::missing_claim, "iat");

        if (r.exp) token.until = *r.exp + o.leeway;
        if (r.nbf) token.from = *r.nbf - o.leeway;
        if (now >= token.until) return fail(failed, token_fault::expired, "exp");
        if (now < token.from) return fail(failed, token_fault::early, "nbf");
        if (o.max_age) {
            token.from = std::max(token.from, *r.iat - o.leeway);
            token.until = std::min(token.until, *r.iat + *o.max_age + o.leeway);
            if (now >= token.until || now < token.from) return fail(failed, token_fault::too_old, "iat");
        }
        return true;
    }

    mutable typename Threading::mutex mutex_;
    std::shared_ptr<jwt_options const> options_;
    typename Threading::template cell<std::size_t> version_{0}; // of the options
    detail::verdict_store<Threading> seen_;
};

} // namespace weir::inline v0
