// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/options.hpp>
#include <weir/core/request.hpp>
#include <weir/sign/canonical_form.hpp>
#include <weir/sign/detail/canonical_parts.hpp>
#include <weir/sign/detail/scratch_text.hpp>
#include <weir/sign/detail/text.hpp>
#include <weir/sign/digest.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/key_ring.hpp>
#include <weir/sign/signature_check.hpp>
#include <weir/sign/timestamp.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// How requests are signed: the names of the headers, what else is covered, how far the clocks may be apart.
struct canonical_options {
    std::string app_id = "x-app-id";         ///< header: who signs, and whose key is used
    std::string device_id = "x-device-id";   ///< header: on which of the app's devices
    std::string timestamp = "x-timestamp";   ///< header: when, in milliseconds since the epoch
    std::string nonce = "x-nonce";           ///< header: a value that no other request of the app has
    std::string digest = "x-content-sha256"; ///< header: SHA-256 of the body, lower-case hexadecimal
    std::string signature = "x-signature";   ///< header: the code, lower-case hexadecimal
    std::vector<std::string> covered{};      ///< further headers whose values are signed; one that is absent is signed as absent
    std::chrono::milliseconds late{300'000}; ///< how long after its timestamp a request is accepted; not negative
    std::chrono::milliseconds early{60'000}; ///< how long before; not negative
    friend bool operator==(canonical_options const&, canonical_options const&) = default;
};

/// A request whose signature can be verified: it has headers, method, target and body.
template<class Request>
concept verifiable_request = customisation::header_fn::works_for<Request> && customisation::method_fn::works_for<Request> &&
    customisation::target_fn::works_for<Request> && customisation::body_fn::works_for<Request>;

/// A request that can be signed: its headers can be set, too.
template<class Request>
concept signable_request = verifiable_request<Request> && customisation::set_header_fn::works_for<Request>;

/// Who signs a request, when, and its nonce.
struct signing_facts {
    std::string_view app, device, nonce;
    wall_time at;
};

/// The text that is signed, and whether the request is of the form that has one.
struct text_to_sign {
    std::string text;
    signature_check found;
};

/// Signs requests and verifies them: HMAC-SHA256 over method, target, headers and the digest of the body. What is signed is a
/// text like this one, each line ended by one line feed, the last one too:
///
/// | line                                          | it is                                                                          |
/// |-----------------------------------------------|--------------------------------------------------------------------------------|
/// | `weir-hmac-sha256-1`                          | this scheme, so that a code never serves another one                           |
/// | `POST`                                        | the method as sent                                                             |
/// | `/orders?dry=1`                               | the target as sent: nothing decoded, nothing sorted                            |
/// | `x-app-id:shop`                               | the headers of the scheme: the name in lower case, a colon, the value without  |
/// | `x-device-id:till-7`                          | the spaces and tabs around it. The names are those of the options              |
/// | `x-timestamp:1700000000000`                   | decimal, no leading zero                                                       |
/// | `x-nonce:3d1f0a...`                           | 1 to 128 bytes                                                                 |
/// | `content-type:application/json`               | every covered header, in the order of the options                              |
/// | `idempotency-key`                             | a covered header that is absent: its name without a colon                      |
/// | `x-content-sha256:9f86d081884c7d65...`        | the digest of the body, 64 lower-case hexadecimal digits, also of an empty one |
///
/// The text is read back in one way only: the number of lines is fixed by the options, a name has no colon, and a value, method or target
/// with a control character (a line feed, say) is refused, as are spaces in method and target. A signed header that stands twice is refused where
/// the request's type can tell (`weir_each_header`); else let `weir_header` join or refuse those. Not covered: headers that are not named, so name
/// those your handler trusts.
///
/// The scheme itself keeps no nonces: whoever accepts a request gives its facts to a `nonce_store` afterwards.
/// Immutable, so thread-safe. Works on every request with the customisation points it uses.
class canonical_scheme {
public:
    /// The parts of the text, in order.
    using form = canonical_form<detail::canonical_part::scheme, detail::canonical_part::method, detail::canonical_part::target,
                                detail::canonical_part::facts, detail::canonical_part::covered, detail::canonical_part::digest>;

    /// Throws `std::invalid_argument` for a name that is no header name (RFC 9110, section 5.6.2) or stands twice, or a negative window.
    explicit canonical_scheme(canonical_options options = {}) : options_(std::move(options))
    {
        check_names();
        expect(options_.late.count() >= 0 && options_.late <= std::chrono::days(3650), "late", "0 to 3650 days");
        expect(options_.early.count() >= 0 && options_.early <= std::chrono::days(3650), "early", "0 to 3650 days");
    }

    [[nodiscard]] canonical_options const& options() const noexcept { return options_; }

    /// The text to sign of a request on which all headers but the signature are set.
    template<verifiable_request Request>
    [[nodiscard]] text_to_sign string_to_sign(Request const& request) const
    {
        text_to_sign made;
        scratch text;
        write(text, request, made.found);
        made.text = text.view();
        return made;
    }

    /// Sets the scheme's headers: after it the request verifies. Nothing else of what is signed may change afterwards.
    template<signable_request Request, class Threading>
    signature_check sign(Request& request, signing_facts const& facts, key_ring<Threading> const& keys) const
    {
        set_header(request, options_.app_id, facts.app);
        set_header(request, options_.device_id, facts.device);
        timestamp_text const when(facts.at);
        set_header(request, options_.timestamp, when.view());
        set_header(request, options_.nonce, facts.nonce);
        hex_text const digest(sha256(body(request)));
        set_header(request, options_.digest, digest.view());
        detail::canonical_part::fresh_values const fresh{facts.app, facts.device, when.view(), facts.nonce, digest.view(), facts.at};
        scratch text;
        signature_check found;
        write(text, request, found, &fresh);
        if (!found) return found;
        auto const code = keys.sign(found.app, facts.at, text.view());
        found = {found.fault, {}, facts.app, facts.device, facts.nonce, facts.at}; // setting a header may move the others
        if (!code) return fail(found, signature_fault::unknown_app, {});
        set_header(request, options_.signature, hex_text(*code).view());
        return found;
    }

    /// Whether the request is one that a key of its app signed, at a time near `now`. The signature is checked before the body is
    /// hashed: a forgery costs one short HMAC for each valid key of the app, whatever the size of its body.
    template<verifiable_request Request, class Threading>
    signature_check verify(Request const& request, key_ring<Threading> const& keys, wall_time now) const
    {
        scratch text;
        signature_check found;
        std::string_view const claimed = write(text, request, found);
        if (!found) return found;
        auto const signature = header(request, options_.signature);
        if (!signature) return fail(found, signature_fault::missing, options_.signature);
        auto const code = digest_of_hex(detail::trim_value(*signature));
        if (!code) return fail(found, signature_fault::malformed, options_.signature);
        if (now - found.signed_at > options_.late) return fail(found, signature_fault::late, options_.timestamp);
        if (found.signed_at - now > options_.early) return fail(found, signature_fault::early, options_.timestamp);
        switch (keys.verify(found.app, now, text.view(), *code)) {
        case key_verdict::unknown: return fail(found, signature_fault::unknown_app, {});
        case key_verdict::wrong: return fail(found, signature_fault::wrong_signature, {});
        case key_verdict::right: break;
        }
        if (hex_text(sha256(body(request))).view() != claimed) return fail(found, signature_fault::wrong_digest, options_.digest);
        return found;
    }

private:
    using scratch = detail::scratch_text<768>;
    class hex_text {
    public:
        explicit hex_text(sha256_digest const& d) noexcept { write_hex(d, text_.data()); }
        [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), text_.size()}; }

    private:
        std::array<char, 64> text_;
    };

    /// Returns the digest that the request claims.
    template<class Request>
    std::string_view write(scratch& text, Request const& request, signature_check& found,
                           detail::canonical_part::fresh_values const* fresh = nullptr) const
    {
        detail::canonical_part::source<Request, canonical_options> source{request, options_, found, fresh};
        if (form::append(text, source)) check_forms(source, found);
        return source.digest;
    }
    static signature_check& fail(signature_check& found, signature_fault fault, std::string_view where) noexcept
    {
        detail::canonical_part::fail(found, fault, where);
        return found;
    }
    void check_forms(auto const& source, signature_check& found) const noexcept
    {
        auto const at =
            source.fresh != nullptr && has_timestamp(source.fresh->at) ? std::optional(source.fresh->at) : parse_timestamp(source.when);
        if (at) found.signed_at = *at;
        if (found.app.empty()) fail(found, signature_fault::malformed, options_.app_id);
        if (found.device.empty()) fail(found, signature_fault::malformed, options_.device_id);
        if (!at) fail(found, signature_fault::malformed, options_.timestamp);
        if (found.nonce.empty() || found.nonce.size() > 128) fail(found, signature_fault::malformed, options_.nonce);
    }
    // Lower case only: one text for one digest.
    static std::optional<sha256_digest> digest_of_hex(std::string_view text) noexcept
    {
        sha256_digest out;
        if (text.size() != 64 || !detail::read_lower_hex(text, out.data(), out.size())) return std::nullopt;
        return out;
    }

    void check_names()
    {
        std::vector<std::string*> names{&options_.app_id, &options_.device_id, &options_.timestamp,
                                        &options_.nonce,  &options_.digest,    &options_.signature};
        for (std::string& name : options_.covered) names.push_back(&name);
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
        for (std::size_t i = 0; i < names.size(); ++i) {
            std::string& name = *names[i];
            for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            expect(!name.empty() && name.find_first_not_of(marks) == std::string::npos, "header name \"" + name + "\"",
                   "letters, digits and marks");
            for (std::size_t k = 0; k < i; ++k) expect(*names[k] != name, "header name \"" + name + "\"", "each name once");
        }
    }

    canonical_options options_;
};

} // namespace weir::inline v0
