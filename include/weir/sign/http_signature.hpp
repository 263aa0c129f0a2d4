// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <weir/core/clock.hpp>
#include <weir/core/detail/slice.hpp>
#include <weir/core/options.hpp>
#include <weir/sign/content_digest.hpp>
#include <weir/sign/detail/expect_days.hpp>
#include <weir/sign/detail/key_source.hpp>
#include <weir/sign/detail/signature_fields.hpp>
#include <weir/sign/detail/structured_parts.hpp>
#include <weir/sign/encoding.hpp>
#include <weir/sign/message_check.hpp>
#include <weir/sign/message_component.hpp>
#include <weir/sign/message_keys.hpp>
#include <weir/sign/message_view.hpp>
#include <weir/sign/structured_view.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::inline v0 {

/// What has to be true of a body.
enum class body_rule : std::uint8_t {
    ignored, ///< nothing: a Content-Digest is a field like others
    checked, ///< a Content-Digest that is there has to be that of the body
    covered, ///< that; and a body that is not empty has one that is covered. When signing, it is set and covered
};

/// How messages are signed, as both ends agreed. What only one end reads says so.
struct http_signature_options {
    std::vector<std::string> components{"@method", "@target-uri"}; ///< what a signature covers, at least; see `message_component`
    std::vector<std::string> if_present{}; ///< fields that it covers where the message has them: none can be added or taken off
    std::vector<std::string> parameters{"created", "keyid",
                                        "nonce"}; ///< those it has, at least: of created, expires, nonce, alg, keyid, tag
    body_rule body = body_rule::covered;          ///< what has to be true of the body
    std::string label = "sig1";                   ///< its name in the fields; when verifying, empty: any that is right
    std::string tag{};                            ///< what it is for; empty: none. When verifying it has to be this
    std::string scheme = "https";                 ///< how the service is reached: behind a proxy it cannot tell
    std::string authority{};                      ///< the service's name, for requests without Host, as a client has them
    std::chrono::seconds max_age{300};            ///< verifying: how long after `created` it is accepted; not negative
    std::chrono::seconds skew{60};                ///< verifying: how far the clocks may be apart, in both directions
    std::chrono::seconds expires{300};            ///< signing: `expires` is so long after `created`, if it is a parameter
    digest_kind digest = digest_kind::sha_256;    ///< signing: the digest of the body
    std::string key{};                            ///< signing: the name of the key; empty: the newest that can sign
};

/// HTTP Message Signatures (RFC 9421) over requests and responses of any type that is a `verifiable_message`. Several signatures may stand in one
/// message, each with its label: signing adds one, verifying wants one that is right.
///
/// A signature is taken if it covers all of `components`, each once, and those fields of `if_present` that are there; has all of
/// `parameters`, each once and of its type; is of an algorithm that is its key's; is neither too old, nor from the future, nor expired; and
/// if the body is as `body` says. A field that is covered and stands in several lines is signed with all of them. What is not covered may
/// have been changed by anybody: name what your handler trusts, or read nothing else.
///
/// What is bounded: 16 labels, of which the first four that could be right are tried; 64 components; the fields' length by 65,536 bytes.
/// Immutable, so thread-safe. Clocks are given; times are whole seconds, as in the RFC. A nonce is only told: see `replay_guard`.
class http_signature {
public:
    using options = http_signature_options;

    /// Throws `std::invalid_argument` naming the member that is wrong.
    explicit http_signature(options o = {}) : options_(std::move(o))
    {
        for (std::string const& text : options_.components) {
            components_.push_back(message_component(text));
            for (std::size_t i = 0; i + 1 < components_.size(); ++i)
                expect(!components_[i].same_as(components_.back()), "components", "each component once");
        }
        for (std::string const& name : options_.if_present) {
            if_present_.push_back(message_component(name));
            message_component const& field = if_present_.back();
            expect(field.is_field(field.name()) && !name.starts_with('@'), "if_present", "names of fields");
        }
        expect(components_.size() + if_present_.size() < detail::max_components, "components", "less than 64 with those of if_present");
        for (std::string const& name : options_.parameters) {
            parameter const p = detail::parameter_of(name);
            expect(p != parameter::none, "parameters", "created, expires, nonce, alg, keyid or tag");
            expect(p != parameter::tag || !options_.tag.empty(), "tag", "a text, as it is one of the parameters");
            if ((wanted_ & bit(p)) == 0) parameters_[parameter_count_++] = p;
            wanted_ |= bit(p);
        }
        if (!options_.tag.empty() && (wanted_ & bit(parameter::tag)) == 0) parameters_[parameter_count_++] = parameter::tag;
        std::string const& label = options_.label;
        expect(label.empty() || (sf::detail::is(label.front(), sf::detail::key_start) && sf::detail::all_are(label, sf::detail::key_char)),
               "label", "lower-case letters, digits, _ - . *");
        std::string tag;
        expect(sf::detail::append_string(tag, options_.tag), "tag", "printable ASCII");
        expect(!options_.scheme.empty(), "scheme", "https or http");
        detail::expect_days("max_age", options_.max_age);
        detail::expect_days("skew", options_.skew);
        detail::expect_days("expires", options_.expires);
    }

    [[nodiscard]] options const& settings() const noexcept { return options_; }

    void describe(auto&& field) const
    {
        field("label", std::string_view(options_.label));
        field("components", components_.size());
        field("max_age", duration(options_.max_age));
        field("skew", duration(options_.skew));
    }

    /// Signs a request: sets Content-Digest if there is a body, and adds to Signature-Input and Signature. Nothing that is covered may change afterwards.
    /// Without a key, or if a component is not there, or the label taken, nothing but the digest is set.
    template<signable_message M, class Threading>
    message_check sign(M& message, message_keys<Threading> const& keys, wall_time now, std::string_view nonce = {}) const
    {
        return sign_bound(message, nullptr, keys, now, nonce);
    }
    /// Signs a response, bound to the request that it answers by the components with `req`.
    template<signable_message M, verifiable_message R, class Threading>
    message_check sign_answer(M& response, R const& request, message_keys<Threading> const& keys, wall_time now,
                              std::string_view nonce = {}) const
    {
        message_view const asked(request);
        return sign_bound(response, &asked, keys, now, nonce);
    }

    /// Whether the message has a signature as it has to be.
    template<verifiable_message M, class Threading>
    message_check verify(M const& message, message_keys<Threading> const& keys, wall_time now) const
    {
        return verify(message_view(message), nullptr, detail::key_source(keys), now);
    }
    /// Whether a response has one, given the request that it answers as it was sent.
    template<verifiable_message M, verifiable_message R, class Threading>
    message_check verify_answer(M const& response, R const& request, message_keys<Threading> const& keys, wall_time now) const
    {
        message_view const asked(request);
        return verify(message_view(response), &asked, detail::key_source(keys), now);
    }

private:
    using parameter = detail::signature_parameter;
    using parts = sf::detail::part_range;
    static constexpr std::size_t max_tried = 4;

    template<class M, class Threading>
    message_check sign_bound(M& message, message_view const* request, message_keys<Threading> const& keys, wall_time now,
                             std::string_view nonce) const
    {
        message_check made{.signed_at = std::chrono::floor<std::chrono::seconds>(now)};
        auto const key = keys.signer(now, options_.key);
        if (!key) return failed(std::move(made), message_fault::unknown_key, options_.key);
        made.signer = key->id;
        // What answers HEAD loses its body on the way (RFC 9110 section 9.3.2).
        bool const has_body = !weir::body(message).empty() && !(request != nullptr && request->method() == "HEAD");
        if (options_.body == body_rule::covered && has_body)
            set_header(message, "Content-Digest", content_digest(weir::body(message), options_.digest));
        std::string input, signature;
        made = sign(message_view(message), request, has_body, *key, nonce, std::move(made), input, signature);
        if (!made) return made;
        set_header(message, "Signature-Input", input);
        set_header(message, "Signature", signature);
        return made;
    }

    message_check sign(message_view const& message, message_view const* request, bool has_body, message_key const& key,
                       std::string_view nonce, message_check made, std::string& input, std::string& signature) const
    {
        detail::covered_components covered;
        for (message_component const& c : components_) covered.add(c);
        for (message_component const& field : if_present_)
            if (!covered.has(field) && has(message, field)) covered.add(field);
        if (options_.body == body_rule::covered && has_body && !covered.has(digest_)) covered.add(digest_);

        made.base.reserve(512);
        message_component const* missing = nullptr;
        std::size_t const list = detail::append_base(made.base, covered, message, request, origin(), missing);
        if (missing != nullptr) return failed(std::move(made), message_fault::missing, missing->identifier());
        std::int64_t const created = std::chrono::duration_cast<std::chrono::seconds>(made.signed_at.time_since_epoch()).count();
        for (parameter const p : detail::slice<parameter>(parameters_, parameter_count_)) {
            made.base.append(1, ';').append(detail::name_of(p)).push_back('=');
            bool good = true;
            switch (p) {
            case parameter::created: good = sf::detail::append_integer(made.base, created); break;
            case parameter::expires: good = sf::detail::append_integer(made.base, created + std::int64_t{options_.expires.count()}); break;
            case parameter::nonce: good = sf::detail::append_string(made.base, nonce); break;
            case parameter::alg: good = sf::detail::append_string(made.base, to_string(key.key.algorithm())); break;
            case parameter::keyid: good = sf::detail::append_string(made.base, key.id); break;
            default: good = sf::detail::append_string(made.base, options_.tag);
            }
            if (!good) return failed(std::move(made), message_fault::missing, "parameters");
        }
        made.unique = nonce.empty() ? std::string_view(made.base) : nonce;

        std::string_view const label = options_.label.empty() ? std::string_view("sig1") : options_.label;
        detail::signature_fields const earlier(message);
        if (earlier.fault() != message_fault::none && earlier.fault() != message_fault::missing)
            return failed(std::move(made), earlier.fault(), std::string(earlier.where()));
        if (!earlier.inputs().member(label).empty() || !earlier.signatures().member(label).empty())
            return failed(std::move(made), message_fault::malformed, about_label(label));
        append_earlier(input, earlier.inputs());
        append_earlier(signature, earlier.signatures());
        input.append(label).append(1, '=').append(made.base, list);
        signature.append(label).append("=:").append(to_base64(key.key.sign(made.base))).push_back(':');
        return made;
    }

    message_check verify(message_view const& message, message_view const* request, detail::key_source keys, wall_time now) const
    {
        detail::signature_fields const given(message);
        if (given.fault() != message_fault::none) return failed({}, given.fault(), std::string(given.where()));
        if (!options_.label.empty()) {
            std::string_view const label = options_.label;
            return judge(label, given.inputs().member(label), given.signatures().member(label), message, request, keys, now);
        }
        message_check first{.fault = message_fault::missing, .where = "signature-input"};
        bool any = false;
        std::size_t tried = 0;
        for (parts left = given.inputs(); !left.empty() && tried != max_tried;) {
            parts const input = left.first_member();
            left = left.after(input);
            std::string_view const label = input.begin()->key;
            message_check found = judge(label, input, given.signatures().member(label), message, request, keys, now);
            if (found) return found;
            tried += found.fault >= message_fault::wrong_signature;
            if (!std::exchange(any, true)) first = std::move(found);
        }
        return first;
    }

    message_check judge(std::string_view label, parts input, parts signature, message_view const& message, message_view const* request,
                        detail::key_source keys, wall_time now) const
    {
        message_check found;
        if (input.empty() || signature.empty()) return failed(std::move(found), message_fault::missing, about_label(label));
        if (input.begin()->what != sf::kind::inner_list || signature.begin()->what != sf::kind::bytes)
            return failed(std::move(found), message_fault::malformed, about_label(label));
        sf::part const* behind = input.begin() + 1; // the elements
        while (behind != input.end() && behind->of != sf::level::list_parameter) ++behind;
        parts const parameters(behind, input.end());
        std::string_view algorithm;
        if (message_fault const f = judge_parameters(parameters, now, found, algorithm); f != message_fault::none) {
            found.fault = f;
            return found;
        }

        detail::covered_components covered;
        if (!covered.read({input.begin() + 1, behind}, components_, digest_, found.where)) {
            found.fault = message_fault::malformed;
            return found;
        }
        for (message_component const& wanted : components_) {
            if (!covered.has(wanted)) return failed(std::move(found), message_fault::not_covered, wanted.identifier());
        }
        for (message_component const& field : if_present_) {
            if (!covered.has(field) && has(message, field)) return failed(std::move(found), message_fault::not_covered, field.identifier());
        }
        if (options_.body == body_rule::covered && !message.body().empty() && !covered.has(digest_))
            return failed(std::move(found), message_fault::not_covered, "content-digest");

        found.base.reserve(512);
        message_component const* missing = nullptr;
        detail::append_base(found.base, covered, message, request, origin(), missing);
        if (missing != nullptr) return failed(std::move(found), message_fault::missing, missing->identifier());
        sf::detail::append_parameters(found.base, parameters);
        if (found.unique.empty()) found.unique = found.base;
        auto const key = keys.find(found.signer, now);
        if (!key || (!algorithm.empty() && algorithm != to_string(key->algorithm())))
            return failed(std::move(found), message_fault::unknown_key, {});
        std::array<std::byte, detail::longest_signature> bytes;
        auto const decoded = detail::read_base64(signature.begin()->text, bytes.data(), bytes.size());
        if (!decoded || !key->verify(found.base, byte_view(bytes.data(), decoded.size)))
            return failed(std::move(found), message_fault::wrong_signature, {});
        if (options_.body != body_rule::ignored && !detail::body_fits(message))
            return failed(std::move(found), message_fault::wrong_digest, "content-digest");
        return found;
    }

    /// What is wrong with the parameters; else signer, nonce and time are told in `found`, and the algorithm, if they name one.
    message_fault judge_parameters(parts given, wall_time now, message_check& found, std::string_view& algorithm) const
    {
        sf::part const* known[6]{};
        sf::part const* wrong = nullptr;
        for (sf::part const& p : given) {
            parameter const which = detail::parameter_of(p.key);
            if (which == parameter::none) continue;
            known[index(which)] = &p;
            if (p.what != (which <= parameter::expires ? sf::kind::integer : sf::kind::string) && wrong == nullptr) wrong = &p;
        }
        for (parameter const p : detail::slice<parameter>(parameters_, parameter_count_)) {
            if ((wanted_ & bit(p)) == 0 || known[index(p)] != nullptr) continue;
            found.where = detail::name_of(p);
            return message_fault::missing;
        }
        if (wrong != nullptr) return found.where = wrong->key, message_fault::malformed;
        auto const the = [&](parameter p) { return known[index(p)]; };
        if (sf::part const* const tag = the(parameter::tag);
            !options_.tag.empty() && (tag == nullptr || sf::plain_text(*tag) != options_.tag))
            return found.where = "tag", message_fault::not_covered;
        if (the(parameter::keyid) != nullptr) found.signer = sf::plain_text(*the(parameter::keyid));
        if (the(parameter::nonce) != nullptr) found.unique = sf::plain_text(*the(parameter::nonce));
        // An empty name is none of an algorithm; what has a backslash is none either.
        if (the(parameter::alg) != nullptr) algorithm = the(parameter::alg)->text.empty() ? "none" : the(parameter::alg)->text;

        std::int64_t const seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        std::int64_t const skew = options_.skew.count(), max_age = options_.max_age.count();
        if (the(parameter::created) != nullptr) {
            std::int64_t const created = the(parameter::created)->number, latest = std::int64_t{1} << 37;
            found.signed_at = wall_time(std::chrono::seconds(created < 0 ? 0 : created > latest ? latest : created));
            if (seconds - created > max_age + skew) return found.where = "created", message_fault::late;
            if (created - seconds > skew) return found.where = "created", message_fault::early;
        }
        if (the(parameter::expires) != nullptr && seconds - the(parameter::expires)->number > skew)
            return found.where = "expires", message_fault::late;
        return message_fault::none;
    }

    static constexpr std::size_t index(parameter p) noexcept { return static_cast<std::size_t>(p); }
    static constexpr unsigned bit(parameter p) noexcept { return 1u << index(p); }
    static void append_earlier(std::string& field, parts members)
    {
        if (members.empty()) return;
        sf::detail::append_dictionary(field, members);
        field.append(", ");
    }
    static std::string about_label(std::string_view label) { return std::string("label ").append(label); }
    static bool has(message_view const& message, message_component const& field) { return !message.fields(field.name()).empty(); }
    [[nodiscard]] message_origin origin() const noexcept { return {options_.scheme, options_.authority}; }
    static message_check failed(message_check found, message_fault fault, std::string where)
    {
        found.fault = fault;
        found.where = std::move(where);
        return found;
    }

    options options_;
    std::vector<message_component> components_, if_present_;
    parameter parameters_[6]{}; // in their order when signing: those of the options, and the tag, if there is one
    std::size_t parameter_count_ = 0;
    unsigned wanted_ = 0; // as bits, those of the options
    message_component digest_{"content-digest"};
};

} // namespace weir::inline v0
